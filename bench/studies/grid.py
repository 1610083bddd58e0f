"""From a declaration to its cells: names are checked, wildcards and parameter lists written out.

Torch-free, so that a plan of thousands costs nothing.
"""

import fnmatch
import itertools
import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import variants
from bench.cell import Cell, dataset_name, whole_path
from bench.data.catalogue import SPLITS, find, is_path
from bench.data.files import at_home, printable, require_folder
from bench.errors import BenchError, UsageError
from bench.names import folder_name
from bench.protocol import Protocol, load_protocol
from bench.runs.folder import RunFolder
from bench.studies.study import Declaration


def make_cell(protocol: str, dataset: str, variant: str, seed: int, changes: tuple[str, ...] = ()) -> Cell:
    """The cell of these names, every one of them checked.

    Raises UsageError or VariantError for a name, parameter or rule that does not exist.
    """
    rules = load_protocol(protocol, changes)
    refuse_unknown_model_keys(rules)
    return Cell(rules, known_dataset(dataset), variants.canonical(variant, rules.model), seed)


def known_dataset(dataset: str) -> str:
    """A name of the catalogue as it is; of a folder the whole path, however it was spelled.

    Raises UsageError for what is neither, and for a folder whose name cannot name the folders of its runs.
    """
    if not is_path(dataset):
        return find(dataset).name
    folder = at_home(dataset)
    require_folder(folder, f"a folder with {', '.join(SPLITS)}")
    whole = folder.resolve()
    if printable(whole) != str(whole):
        raise UsageError(
            f"The path {printable(whole)} is no UTF-8, and cannot be recorded. Rename the folder."
        )
    folder_name(f"data set {whole}", whole.name)
    # A link stays one at the end, so that runs that stand under its name are found.
    return str(folder.parent.resolve() / folder.name) if folder.name not in {"", ".."} else str(whole)


def refuse_unknown_model_keys(protocol: Protocol) -> None:
    """A key of the protocol's [model] must be a parameter of some variant: else it is a slip of the pen."""
    known = {name for variant in variants.names() for name in variants.describe(variant).parameters}
    for key in protocol.model:
        if key not in known:
            raise UsageError(
                f"Protocol {protocol.name}: model.{key} is a parameter of no variant. "
                f"There are: {', '.join(sorted(known))}"
            )


KINDS = {"variants": ("variant", "control"), "baselines": ("baseline",)}
"""What a wildcard matches, by the list it stands in."""
MOST_CELLS = 100_000


@dataclass(frozen=True)
class Grid:
    """The cells of a study: every variant on every dataset with every seed, under one protocol."""

    protocol: Protocol
    datasets: tuple[str, ...]
    variants: tuple[str, ...]
    """In canonical spelling, variants first, then baselines, in declared order."""
    seeds: tuple[int, ...]
    comparisons: tuple[tuple[str, str], ...]
    control: str | None = None
    """The variant that is run again with further seeds, to be compared with itself."""

    @property
    def further_seeds(self) -> tuple[int, ...]:
        """The seeds of the control's second runs: as many as the study has, from its highest on."""
        first = max(self.seeds) + 1
        return tuple(range(first, first + len(self.seeds))) if self.control else ()

    def cells(self) -> Iterator[Cell]:
        """All cells. Seeds are outermost, so that a study that is cut short has all variants of few seeds."""
        yield from self.compared_cells()
        yield from self.control_cells()

    def compared_cells(self) -> Iterator[Cell]:
        """The cells that tables are made of."""
        for seed, dataset, variant in itertools.product(self.seeds, self.datasets, self.variants):
            yield Cell(self.protocol, dataset, variant, seed)

    def control_cells(self) -> Iterator[Cell]:
        """The second runs of the A/A control; none without one."""
        for seed, dataset in itertools.product(self.further_seeds, self.datasets):
            assert self.control is not None  # else there are no further seeds
            yield Cell(self.protocol, dataset, self.control, seed)


def checked_protocol(name: str, changes: tuple[str, ...], place: str) -> Protocol:
    """The protocol with its changes. Raises UsageError that names the place of what is wrong."""
    try:
        protocol = load_protocol(name, changes)
        refuse_unknown_model_keys(protocol)
    except BenchError as error:
        raise UsageError(f"{place}: {error}") from None
    return protocol


def expand(declaration: Declaration) -> Grid:
    """The grid of a study, every name in it checked. Raises UsageError that names file, line and key."""
    study, origin = declaration.study, declaration.origin
    checked_protocol(study.protocol, (), origin.place("protocol"))
    protocol = checked_protocol(study.protocol, study.changes, origin.place("changes"))
    datasets: dict[str, str] = {}
    for index, dataset in enumerate(study.datasets):
        try:
            known = known_dataset(dataset)
            datasets.setdefault(whole_path(known), known)
        except BenchError as error:
            raise UsageError(f"{origin.place('datasets', index)}: {error}") from None
    refuse_equal_folders(list(datasets), origin.place("datasets"))
    chosen: list[str] = []
    for key, patterns in (("variants", study.variants), ("baselines", study.baselines)):
        for index, pattern in enumerate(patterns):
            try:
                chosen += expand_pattern(pattern, KINDS[key], protocol)
            except (BenchError, variants.VariantError) as error:
                raise UsageError(f"{origin.place(key, index)}: {error}") from None
    names = tuple(dict.fromkeys(chosen))
    cells = len(study.seeds) * len(study.datasets) * len(names)
    if cells > MOST_CELLS:
        raise UsageError(
            f"{origin.name}: variants, data sets and seeds make {cells} cells; a study has at most "
            f"{MOST_CELLS}. Declare fewer, or several studies."
        )
    return Grid(
        protocol,
        tuple(datasets.values()),
        names,
        tuple(dict.fromkeys(study.seeds)),
        tuple(checked_pairs(declaration, protocol, names)),
        checked_control(declaration, protocol, names),
    )


def expand_pattern(pattern: str, kinds: Sequence[str], protocol: Protocol) -> list[str]:
    """The variants that `slot9`, `slot*` or `slot9[iterations=1|3|5]` stands for, in canonical spelling.

    A wildcard matches names of the given kinds, a plain name any. Raises UsageError or VariantError.
    """
    matched = re.fullmatch(r"\s*([^\[\]]+?)\s*(?:\[([^\[\]]*)\])?\s*", pattern)
    if matched is None:
        raise UsageError(
            f"cannot read {pattern!r}. Write a name, a wildcard (slot*) or a grid (slot9[iterations=1|3|5])."
        )
    names = match_names(matched[1], kinds)
    choices = [alternatives(part) for part in (matched[2] or "").split(",") if part.strip()]
    if len(names) * math.prod(map(len, choices)) > MOST_CELLS:
        raise UsageError(f"{pattern[:60]!r} stands for more than {MOST_CELLS} variants. Name fewer values.")
    spelled = (
        f"{name}[{','.join(chosen)}]" if chosen else name
        for name in names
        for chosen in itertools.product(*choices)
    )
    return [variants.canonical(text, protocol.model) for text in spelled]


def match_names(name: str, kinds: Sequence[str]) -> list[str]:
    """The registered names that a wildcard matches; a name without one stands for itself."""
    if not {"*", "?"} & set(name):
        return [name]
    known = [each for each in variants.names() if variants.describe(each).kind in kinds]
    found = [each for each in known if fnmatch.fnmatchcase(each, name)]
    if not found:
        raise UsageError(f"{name!r} matches nothing. There are: {', '.join(known)}. See: bench list variants")
    return found


def alternatives(part: str) -> list[str]:
    """`iterations=1|3|5` -> `iterations=1`, `iterations=3`, `iterations=5`."""
    key, equals, values = part.partition("=")
    return [f"{key}{equals}{value}" for value in values.split("|")]


def checked_pairs(
    declaration: Declaration, protocol: Protocol, names: Collection[str]
) -> Iterator[tuple[str, str]]:
    """The declared comparisons in canonical spelling. Raises UsageError for a side that the grid lacks."""
    for index, pair in enumerate(declaration.study.comparisons):
        place = declaration.origin.place("comparisons", index)
        a, b = (checked_variant(side, place, protocol, names) for side in pair)
        if a == b:
            raise UsageError(f'{place}: {a} is compared with itself. For an A/A control: control = "{a}"')
        yield a, b


def checked_control(declaration: Declaration, protocol: Protocol, names: Collection[str]) -> str | None:
    """The variant of the A/A control in canonical spelling. Raises UsageError for one that the grid lacks."""
    control = declaration.study.control
    if control is None:
        return None
    place = declaration.origin.place("control")
    name = checked_variant(control, place, protocol, names)
    if not has_steps(name):
        raise UsageError(
            f"{place}: {name} trains nothing: its further runs would be the first ones again. Give a variant "
            "that is trained"
        )
    return name


def has_steps(variant: str) -> bool:
    """Whether a variant may have something to train: a baseline without parameters, as `copy`, has not."""
    known = variants.describe(variant)
    return known.kind != "baseline" or bool(known.parameters)


def checked_variant(name: str, place: str, protocol: Protocol, names: Collection[str]) -> str:
    """`name` in canonical spelling. Raises UsageError, naming the place, for one that is not in `names`."""
    try:
        found = variants.canonical(name, protocol.model)
    except variants.VariantError as error:
        raise UsageError(f"{place}: {error}") from None
    if found not in names:
        raise UsageError(f"{place}: {found} is not among the variants of this study.")
    return found


def refuse_equal_folders(datasets: Sequence[str], place: str) -> None:
    """Raise UsageError where two data sets would write to the same run folders."""
    names = [dataset_name(dataset) for dataset in datasets]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{place}: two data sets are called {name}; their runs would share folders.")


def run_folders(grid: Grid, runs: Path) -> list[RunFolder]:
    """The folders of exactly this study's cells that hold a record, in the order of the cells; the second
    runs of its A/A control are not among them."""
    return recorded(grid.compared_cells(), runs)


def control_folders(grid: Grid, runs: Path) -> list[RunFolder]:
    """The same of the second runs of the A/A control."""
    return recorded(grid.control_cells(), runs)


def recorded(cells: Iterable[Cell], runs: Path) -> list[RunFolder]:
    """The folders of the cells that hold a record."""
    folders = (RunFolder(cell.folder(runs)) for cell in cells)
    return [folder for folder in folders if folder.run_json.exists()]
