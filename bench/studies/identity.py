"""Is the run in this folder the one that is asked for?"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import variants
from bench.cell import Cell
from bench.errors import BenchError
from bench.runs.folder import RunFolder
from bench.runs.record import RunRecord

IDENTITY = ("cell", "protocol", "data_fingerprint", "schedule_hash", "parameters")
"""The parts of a record that say which run it is; the others say how it went."""


def refuse_another_cell(folder: RunFolder, existing: RunRecord, asked: RunRecord) -> None:
    """Raise BenchError with a diff of the two when `existing` is the run of another cell than `asked`."""
    differences = difference(identity(existing), identity(asked))
    if differences:
        lines = "\n".join(f"  {name}: here {here!r}, asked {there!r}" for name, here, there in differences)
        raise BenchError(
            f"{folder.path} holds the run of another cell:\n{lines}\n"
            "Choose another folder with --runs, or remove this one."
        )


def identity(record: RunRecord) -> dict[str, Any]:
    """The identifying parts of a record as plain JSON values."""
    return record.model_dump(mode="json", include=set(IDENTITY))


def difference(here: Any, asked: Any, name: str = "") -> list[tuple[str, Any, Any]]:
    """(dotted name, value here, value asked) of every leaf in which two JSON values differ."""
    if isinstance(here, dict) and isinstance(asked, dict):
        found = []
        for key in sorted(here.keys() | asked.keys()):
            inner = f"{name}.{key}" if name else key
            found += difference(here.get(key), asked.get(key), inner)
        return found
    return [] if here == asked else [(name, here, asked)]


def changed_rules(cells: Iterable[Cell], runs: Path) -> tuple[str, ...]:
    """A sentence for every way in which recorded runs of `cells` were made under other rules than theirs."""
    found: dict[str, list[Path]] = defaultdict(list)
    for cell in cells:
        folder = RunFolder(cell.folder(runs))
        try:
            changes = rule_changes(folder.read(), cell)
        except BenchError:
            continue  # not begun, or damaged: the report says which
        if changes:
            found["; ".join(f"{name} was {then!r}, is {now!r}" for name, then, now in changes)].append(
                folder.path
            )
    return tuple(
        f"Made under other rules than the study has now ({changes}): {places[0]}"
        + (f" and {len(places) - 1} more" if places[1:] else "")
        for changes, places in found.items()
    )


def rule_changes(record: RunRecord, cell: Cell) -> list[tuple[str, Any, Any]]:
    """(rule or parameter, value then, value now) wherever a record's differ from its cell's."""
    unnamed = {"name", "summary"}
    rules = {key: value for key, value in record.protocol.items() if key not in unnamed}
    asked = cell.protocol.model_dump(mode="json", exclude=unnamed)
    parameters = variants.resolved_parameters(cell.variant, cell.protocol.model)
    return difference(rules, asked) + difference(record.parameters, as_recorded(parameters), "parameters")


def as_recorded(parameters: dict[str, Any]) -> dict[str, Any]:
    """A variant's parameters as they come back from a record: JSON knows no tuples."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in parameters.items()}
