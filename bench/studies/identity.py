"""Is the run in this folder the one that is asked for?"""

from typing import Any

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
