"""What a report holds of every comparison group: tables, figures and galleries, one decorator for each.

    @table("cost", section="cost")
    def cost_table(group: Group) -> Table:
        ...

    @figure("losses", section="losses")
    def losses(group: Group) -> Iterator[Sketch]:
        yield Sketch("All losses", "Lines: mean over seeds.", lambda: drawn(group))

Nothing else has to be said of them: the page, report.md, `tables/` and `figures/` follow, in the order
in which they registered. A function may return one thing, several, or nothing where the group has no data for
it; keys are without the group's name. Imports neither torch nor matplotlib.
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from bench.errors import BenchError
from bench.names import folder_name, unknown_name
from bench.registry import Registry, blamed, is_ours
from reports.tables.model import Cell, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from reports.comparability import Group
    from reports.galleries.model import Gallery
    from reports.galleries.pictures import Pictures
    from reports.galleries.sources import Shown

SECTIONS = {
    "distances": ("Distances", "How near the translations are to the target domain, as sets of images."),
    "faithfulness": ("Faithfulness and artefacts", "What distances between sets do not see, image by image."),
    "masks": ("Masks", "Where a variant looks, and whether that does anything."),
    "cost": ("Cost", "What a variant costs on the machine it was run on."),
    "ablation": ("Ablations", "What every parameter that varies changes."),
    "losses": ("Losses", "What the networks were optimised for; not a measure of quality."),
}
"""The parts of a group in report.md, in order; on the page each stands in the fold of its question."""
DOCUMENTED = "docs/extending.md"
Make = TypeVar("Make", bound=Callable[..., Any])


@dataclass(frozen=True)
class Part:
    """One entry: who makes it, and where it stands."""

    kind: str
    name: str
    section: str
    make: Callable[..., Any]
    folded: bool = False
    """Whether the page shows it only when asked."""


@dataclass(frozen=True)
class Sketch:
    """A figure before it is drawn: `make` is called in the style of the report."""

    title: str
    caption: str
    make: "Callable[[], Figure]"
    key: str = ""
    """Where an entry has several."""
    section: str = ""
    """Where it is not that of the entry."""
    on_page: bool = True
    """False: it lies in figures/ and report.md alone."""


TABLES: Registry[Part] = Registry(
    "table",
    package="reports.tables",
    group="bench.tables",
    see=DOCUMENTED,
    first=("distances", "ballot", "measurements", "cost", "ablation"),
)
FIGURES: Registry[Part] = Registry("figure", package="reports.figures", group="bench.figures", see=DOCUMENTED)
GALLERIES: Registry[Part] = Registry(
    "gallery",
    package="reports.galleries",
    group="bench.galleries",
    see=DOCUMENTED,
    first=("outputs", "masks", "extremes", "time_lapse"),
)


def table(name: str, *, section: str, folded: bool = False) -> Callable[[Make], Make]:
    """Enter a function of a group that makes a `Table`, or several.

    Raises UsageError for a section that there is not, and where the name is taken.
    """
    return _enter(TABLES, Part("table", name, _section(section), _unset, folded))


def figure(name: str, *, section: str) -> Callable[[Make], Make]:
    """Enter a function of a group that makes a `Sketch`, or several. Raises as `table` does."""
    return _enter(FIGURES, Part("figure", name, _section(section), _unset))


def gallery(name: str) -> Callable[[Make], Make]:
    """Enter a function of a group, the runs whose pictures are shown and the page's pictures that makes a
    `Gallery`, or several. Raises UsageError where the name is taken."""
    return _enter(GALLERIES, Part("gallery", name, "", _unset))


def tables_of(group: "Group") -> Iterator[tuple[str, Table]]:
    """(section, table) of every table that the group has data for. Raises BenchError naming a bad plugin."""
    for part in TABLES.entries().values():
        for made in tables_by(part, group):
            yield part.section, made


def sketches_of(group: "Group") -> Iterator[tuple[Part, Sketch]]:
    """Every figure that the group has data for, with its whole key, not drawn yet. Raises as `tables_of`."""
    for part in FIGURES.entries().values():
        for made in sketches_by(part, group):
            yield part, made


def tables_by(part: Part, group: "Group") -> Iterator[Table]:
    """The tables of one entry, with their whole keys. Raises as `tables_of`."""
    for made in _made(part, Table, group):
        _check(made)
        yield replace(made, key=_key(group, part, made.key), folded=part.folded)


def sketches_by(part: Part, group: "Group") -> Iterator[Sketch]:
    """The figures of one entry. Raises as `tables_of`."""
    for made in _made(part, Sketch, group):
        yield replace(made, key=_key(group, part, made.key), section=made.section or part.section)


def galleries_of(group: "Group", shown: "list[Shown]", pictures: "Pictures") -> "Iterator[Gallery]":
    """Every gallery that the group has pictures for. Raises as `tables_of`."""
    for part in GALLERIES.entries().values():
        yield from galleries_by(part, group, shown, pictures)


def galleries_by(
    part: Part, group: "Group", shown: "list[Shown]", pictures: "Pictures"
) -> "Iterator[Gallery]":
    """The galleries of one entry. Raises as `tables_of`."""
    from reports.galleries.model import Gallery

    for made in _made(part, Gallery, group, shown, pictures):
        shots = [shot for strip in made.strips for shot in strip.shots]
        names = [name for shot in shots for name in (shot.picture, shot.overlay) if name]
        unknown = next((name for name in names if name not in pictures.uris), None)
        if unknown is not None:
            raise BenchError(
                f"The gallery {part.name!r} shows {unknown!r:.60}, which is no picture of the page. Give the "
                "name that `pictures.add` or `add_file` gave."
            )
        yield replace(made, key=_key(group, part, made.key))


def blaming(part: Part, group: "Group") -> AbstractContextManager[None]:
    """Within, what fails in a part that is not ours becomes a BenchError that names it and the data set."""
    return blamed(part.kind, repr(part.name), part.make, f"It was to show {group.dataset}.")


def _unset() -> None:
    """Until the decorator meets its function."""


def _enter(registry: Registry[Part], part: Part) -> Callable[[Make], Make]:
    folder_name(f"@{part.kind}", part.name)  # files are called by it

    def enter(make: Make) -> Make:
        registry.add(part.name, replace(part, make=make), make)
        return make

    return enter


def _section(name: str) -> str:
    if name not in SECTIONS:
        raise unknown_name("section of a report", name, SECTIONS, DOCUMENTED)
    return name


def _made(part: Part, what: type, group: "Group", *handed: object) -> list[Any]:
    """What a part makes of a group, however many, each with a key of its own.

    What is not ours is given a copy of the group: nothing that it writes into reaches the rest of the report.
    """
    given = group if is_ours(part.make) else copy.deepcopy(group)
    with blaming(part, group):
        found = part.make(given, *handed)
        made = [] if found is None else list(found) if isinstance(found, Iterable) else [found]
    odd = next((one for one in made if not isinstance(one, what)), None)
    if odd is not None:
        raise BenchError(
            f"The {part.kind} {part.name!r} of {part.make.__module__} returned {type(odd).__name__}, not "
            f"{what.__name__}."
        )
    keys = [str(one.key) for one in made]
    repeated = next((key for key in keys if keys.count(key) > 1), None)
    if repeated is not None:
        raise BenchError(
            f"The {part.kind} {part.name!r} returned {keys.count(repeated)} with the key {repeated!r}: files "
            "are called by it. Give each its own."
        )
    return made


def _key(group: "Group", part: Part, key: str) -> str:
    return f"{group.key}-{folder_name(f'The key of the {part.kind} {part.name!r}', key or part.name)}"


def _is_cell(given: object) -> bool:
    return isinstance(given, Cell) and isinstance(given.text, str)


def _check(made: Table) -> None:
    for row in made.rows:
        odd = next((cell for cell in row.cells if not _is_cell(cell)), None)
        if odd is not None:
            raise BenchError(
                f"The row {row.title!r} of the table {made.title!r} holds {odd!r:.40} in place of a cell. "
                "Write Cell(text, value) with a text, or missing(why)."
            )
        if len(row.cells) != len(made.columns):
            raise BenchError(
                f"The row {row.title!r} of the table {made.title!r} has {len(row.cells)} cells for "
                f"{len(made.columns)} columns."
            )
