"""`bench report --watch`: write the report again whenever a run folder changes, until it is interrupted."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bench.errors import BenchError, UsageError
from reports.frame import run_folders
from reports.write import Request, write_report

FOLLOWED = ("run.json", "losses.csv", "validation.csv", "scores.json", "images.csv", "samples/index.json")
State = tuple[tuple[str, int], ...]


def follow(
    request: Request,
    seconds: float,
    tell: Callable[[Path, bool], None],
    rounds: int | None = None,
) -> None:
    """Look every `seconds`; after a change write the report and `tell` its path and whether it is the first.

    The page reloads itself meanwhile; the last one, written on Ctrl-C, does not. `rounds` ends it after so
    many looks. Where there is nothing to report yet, it waits.
    """
    live = replace(request, refresh=max(2, round(2 * seconds)))
    seen: State | None = None
    first = True
    try:
        while rounds is None or rounds > 0:
            now = state((*request.roots, *(request.control.folders if request.control else ())))
            if now != seen:
                seen = now
                page = _written(live)
                if page is not None:
                    tell(page, first)
                    first = False
            rounds = None if rounds is None else rounds - 1
            time.sleep(seconds)
    except KeyboardInterrupt:
        pass
    write_report(request)


def state(roots: Sequence[Path]) -> State:
    """Every followed file with the time of its last change: equal states need no new report."""
    found: list[tuple[str, int]] = []
    for folder in run_folders([root for root in roots if root.exists()]):
        for name in FOLLOWED:
            path = folder / name
            try:
                found.append((str(path), path.stat().st_mtime_ns))
            except OSError:
                continue
    return tuple(found)


def _written(request: Request) -> Path | None:
    """The report's page; None where none could be written: what prevents it is said, and may change."""
    try:
        return write_report(request)
    except UsageError:
        raise
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return None
