"""Removing failed runs, and nothing else."""

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.errors import BenchError, UsageError, explained
from bench.runs.folder import LOCK, RunFolder, find_runs
from bench.runs.record import is_there


def failed_runs(places: Sequence[Path], named: bool = False) -> list[tuple[RunFolder, str]]:
    """Every failed run at or below `places`, with its reason.

    With `named`, each place is one run that somebody pointed at: raises UsageError for one that is no failed
    run. A run whose record cannot be read is not failed.
    """
    found = []
    for place in places:
        runs = [RunFolder(place)] if named else find_runs(place)
        for folder in runs:
            reason = failure_of(folder)
            if reason is not None:
                found.append((folder, reason))
            elif named:
                raise UsageError(f"{place} is no failed run. See: bench list runs --status failed")
    return found


def failure_of(folder: RunFolder) -> str | None:
    """Why a run failed; None for one that did not."""
    try:
        record = folder.read()
    except BenchError:
        return None
    return record.reason or "no reason recorded" if record.status == "failed" else None


def remove_run(folder: RunFolder) -> Path | None:
    """Delete a failed run with everything in its folder, and the folders above that are empty then.

    A link is removed, never what it leads to: where the run folder itself is one, what stays is returned.
    Raises FolderInUse when a process is at work there, BenchError for what cannot be removed. A run that has
    been taken up, or removed, meanwhile is left alone.
    """
    if failure_of(folder) is None:
        return None
    kept = folder.path.resolve() if folder.path.is_symlink() else None
    with folder.locked():
        if failure_of(folder) is None:
            return None
        try:
            folder.path.unlink() if kept else _empty(folder)
        except OSError as error:
            raise BenchError(
                f"Could not remove all of {folder.path}. {explained(error)} Then repeat the command."
            ) from None
    with contextlib.suppress(OSError):  # somebody has begun anew, or there are other runs
        for empty in (folder.path, *list(folder.path.parents)[:3]):
            if is_there(empty):
                empty.rmdir()
    return kept


def _empty(folder: RunFolder) -> None:
    """Delete what is in the folder, the record last: a crash leaves a failed run that can be removed."""
    last = {folder.run_json.name: 1, LOCK: 2}
    for entry in sorted(folder.path.iterdir(), key=lambda entry: (last.get(entry.name, 0), entry.name)):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
