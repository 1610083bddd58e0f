"""Removing failed runs, and nothing else."""

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.errors import BenchError, UsageError
from bench.runs.folder import RunFolder, find_runs


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


def remove_run(folder: RunFolder) -> None:
    """Delete a failed run with everything in its folder, and the folders above that are empty then.

    Raises FolderInUse when a process is at work there. A run that has been taken up meanwhile is kept.
    """
    with folder.locked():
        if failure_of(folder) is None:
            return
        # The record goes first: what a crash leaves behind is then no run.
        folder.run_json.unlink()
        for entry in sorted(folder.path.iterdir()):
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    with contextlib.suppress(OSError):  # somebody has begun anew, or there are other runs
        for empty in (folder.path, *list(folder.path.parents)[:3]):
            empty.rmdir()
