"""From a declaration to its cells: wildcards and parameter lists are written out. Torch-free."""

import fnmatch
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import variants
from bench.cell import Cell
from bench.errors import BenchError, UsageError
from bench.protocol import Protocol, load_protocol
from bench.runs.folder import RunFolder
from bench.studies.cells import refuse_unknown_dataset, refuse_unknown_model_keys
from bench.studies.declaration import Declaration

KINDS = {"variants": ("variant", "control"), "baselines": ("baseline",)}
"""What a wildcard matches, by the list it stands in."""


@dataclass(frozen=True)
class Grid:
    """The cells of a study: every variant on every dataset with every seed, under one protocol."""

    protocol: Protocol
    datasets: tuple[str, ...]
    variants: tuple[str, ...]
    """In canonical spelling, variants first, then baselines, in declared order."""
    seeds: tuple[int, ...]
    comparisons: tuple[tuple[str, str], ...]

    def cells(self) -> Iterator[Cell]:
        """All cells. Seeds are outermost, so that a study that is cut short has all variants of few seeds."""
        for seed, dataset, variant in itertools.product(self.seeds, self.datasets, self.variants):
            yield Cell(self.protocol, dataset, variant, seed)


def expand(declaration: Declaration) -> Grid:
    """The grid of a study, every name in it checked. Raises UsageError that names file, line and key."""
    study, origin = declaration.study, declaration.origin
    try:
        protocol = load_protocol(study.protocol, study.changes)
        refuse_unknown_model_keys(protocol)
    except BenchError as error:
        raise UsageError(f"{origin.place('protocol')}: {error}") from None
    for index, dataset in enumerate(study.datasets):
        try:
            refuse_unknown_dataset(dataset)
        except BenchError as error:
            raise UsageError(f"{origin.place('datasets', index)}: {error}") from None
    refuse_equal_folders(study.datasets, origin.place("datasets"))
    chosen: list[str] = []
    for key, patterns in (("variants", study.variants), ("baselines", study.baselines)):
        for index, pattern in enumerate(patterns):
            try:
                chosen += expand_pattern(pattern, KINDS[key], protocol)
            except (BenchError, variants.VariantError) as error:
                raise UsageError(f"{origin.place(key, index)}: {error}") from None
    names = tuple(dict.fromkeys(chosen))
    return Grid(
        protocol,
        tuple(dict.fromkeys(study.datasets)),
        names,
        tuple(dict.fromkeys(study.seeds)),
        tuple(checked_pairs(declaration, protocol, names)),
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
    declaration: Declaration, protocol: Protocol, names: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """The declared comparisons in canonical spelling. Raises UsageError for a side that the grid lacks."""
    known = set(names)
    for index, pair in enumerate(declaration.study.comparisons):
        place = declaration.origin.place("comparisons", index)
        try:
            a, b = (variants.canonical(side, protocol.model) for side in pair)
        except variants.VariantError as error:
            raise UsageError(f"{place}: {error}") from None
        for side in (a, b):
            if side not in known:
                raise UsageError(f"{place}: {side} is not among the variants of this study.")
        if a == b:
            raise UsageError(f"{place}: {a} is compared with itself.")
        yield a, b


def refuse_equal_folders(datasets: Sequence[str], place: str) -> None:
    """Raise UsageError where two data sets would write to the same run folders."""
    names = [Path(dataset).name for dataset in dict.fromkeys(datasets)]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{place}: two data sets are called {name}; their runs would share folders.")


def run_folders(grid: Grid, runs: Path) -> list[RunFolder]:
    """The folders of exactly this study's cells that hold a record, in the order of the cells."""
    folders = (RunFolder(cell.folder(runs)) for cell in grid.cells())
    return [folder for folder in folders if folder.run_json.exists()]
