"""A finished cell that several folders hold, as a copy beside its run: one counts, and it is said."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.names import and_more
from bench.runs.records import RunRecord, read_record

MOST_NAMED = 4
"""Copies that a remark names."""


@dataclass(frozen=True)
class Copies:
    """Folders that are left out, each with the one that is used in its place."""

    used: dict[Path, Path]

    def remarks(self) -> list[str]:
        """What is to be said: nothing where there are none."""
        if not self.used:
            return []
        said = [f"{copy} holds the same cell as {used}, which is used" for copy, used in self.used.items()]
        them = "it" if len(said) == 1 else "them"
        shown = "; ".join(said[:MOST_NAMED]) + and_more(len(said) - MOST_NAMED)
        return [f"{shown}. Move {them} elsewhere, or remove {them}."]


def unique_key(record: RunRecord) -> tuple[object, ...]:
    """What no two folders should have in common; a data set given by path is known by its folder's name."""
    cell = record.cell
    return cell.protocol, Path(cell.dataset).name, cell.variant, cell.seed


def schedule_of(record: RunRecord) -> tuple[object, ...]:
    """The cell and its schedule: runs of two schedules are no copies where they are told apart."""
    return *unique_key(record), record.schedule_hash


def copies_among(
    runs: Iterable[tuple[Path, RunRecord]], alike: Callable[[RunRecord], object] = unique_key
) -> Copies:
    """The finished runs that are `alike` another one: the run at its own place is used, else the first."""
    groups: dict[object, list[tuple[Path, RunRecord]]] = {}
    for path, record in runs:
        if record.status == "done":
            groups.setdefault(alike(record), []).append((path, record))
    left_out: dict[Path, Path] = {}
    for group in groups.values():
        used = next((path for path, record in group if at_its_place(path, record)), group[0][0])
        left_out |= {path: used for path, _ in group if path != used}
    return Copies(left_out)


def copies_in(folders: Iterable[Path], alike: Callable[[RunRecord], object] = unique_key) -> Copies:
    """The same of folders; what cannot be read is no copy."""
    runs = []
    for folder in folders:
        try:
            runs.append((folder, read_record(folder / "run.json")))
        except (BenchError, UnicodeDecodeError):
            continue
    return copies_among(runs, alike)


def at_its_place(path: Path, record: RunRecord) -> bool:
    """Whether a run lies where its cell puts it: <protocol>/<dataset>/<variant>/seed<k>."""
    protocol, dataset, variant, seed = unique_key(record)
    return path.absolute().parts[-4:] == (protocol, dataset, variant, f"seed{seed}")
