"""`bench report --watch`: write the report again whenever a run folder changes, until it is interrupted."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.errors import BenchError, UsageError
from reports.frame import run_folders
from reports.write import Request, write_report

FOLLOWED = ("run.json", "losses.csv", "validation.csv", "scores.json", "images.csv", "samples/index.json")
STOPPED_BY_CTRL_C = 130
State = tuple[tuple[str, int], ...]


def follow(
    find: Callable[[], Request],
    seconds: float,
    tell: Callable[[Path, bool], None],
    rounds: int | None = None,
) -> None:
    """Look every `seconds`; after a change write the report and `tell` its path and whether it is the first.

    `find` is asked at every look what to report on: runs that begin later are found, and a folder that is
    gone is left out and said. Where there is nothing to report yet, it waits. The page reloads itself
    meanwhile; the last one, written when it is interrupted, does not. Ctrl-C is how it ends, so it returns
    then; any other interruption passes on. `rounds` ends it after so many looks. Raises UsageError where the
    first request is wrong; what is wrong later is said, and may be mended.
    """
    watch = Watch(find, tell, refresh=max(2, round(2 * seconds)))
    try:
        while rounds is None or rounds > 0:
            watch.look()
            rounds = None if rounds is None else rounds - 1
            time.sleep(seconds)
    except KeyboardInterrupt as stop:
        watch.write_last()
        if getattr(stop, "exit_code", STOPPED_BY_CTRL_C) != STOPPED_BY_CTRL_C:
            raise
        return
    watch.write_last()


class Watch:
    """What was seen and said at earlier looks."""

    def __init__(self, find: Callable[[], Request], tell: Callable[[Path, bool], None], refresh: int) -> None:
        self._find, self._tell, self._refresh = find, tell, refresh
        self._looked = self._written = False
        self._seen: State | None = None
        self._folders: set[Path] = set()
        self._missing: set[Path] = set()
        self._said = ""

    def look(self) -> None:
        """Write the report if anything has changed; say what prevents it."""
        try:
            request = self._present(self._find())
            now = state(request)
            if now != self._seen:
                self._seen = now
                page = write_report(replace(request, refresh=self._refresh))
                first, self._written = not self._written, True  # before it is told: Ctrl-C may come then
                self._tell(page, first)
            self._said = ""
        except UsageError as error:
            if not self._looked:
                raise
            self._say(str(error))
        except BenchError as error:
            self._say(str(error))
        except OSError as error:  # a file vanished while it was read: the next look sees what is left
            self._seen = None
            self._say(f"Cannot read {error.filename or 'a file'}: {error.strerror or error}")
        self._looked = True

    def write_last(self) -> None:
        """Write the page once more, that it does not reload itself; where there is one."""
        if not self._written:
            say_on_stderr("Stopped before the first page was written.")
            return
        say_on_stderr("Stopping: the page is written a last time, without reloading itself.")
        try:
            write_report(self._present(self._find()))
        except (BenchError, OSError) as error:
            self._say(str(error))

    def _present(self, asked: Request) -> Request:
        """The request with those of its folders alone that are there; what is gone is said, once."""
        request = replace(asked, roots=tuple(root for root in asked.roots if root.exists()))
        folders, missing = set(followed_folders(request)), set(asked.roots) - set(request.roots)
        for folder in sorted(self._folders - folders):
            say_on_stderr(f"{folder} is gone; the report goes on without it.")
        for root in sorted(missing - self._missing):
            if not any(folder.is_relative_to(root) for folder in self._folders):
                say_on_stderr(f"There is no folder {root} yet; the report waits for it.")
        self._folders, self._missing = folders, missing
        if not request.roots:
            raise BenchError("No folder of runs is there.")
        return request

    def _say(self, text: str) -> None:
        """Say what prevents the report, once."""
        if text != self._said:
            say_on_stderr(text if self._written else f"Nothing to show yet. {text}")
        self._said = text


def say_on_stderr(text: str) -> None:
    """One line on stderr."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def followed_folders(request: Request) -> list[Path]:
    """Every run folder that the report is made of."""
    second = request.control.folders if request.control else ()
    return run_folders([root for root in (*request.roots, *second) if root.exists()])


def state(request: Request) -> State:
    """Every followed file with the time of its last change: equal states need no new report."""
    found: list[tuple[str, int]] = []
    for folder in followed_folders(request):
        for name in FOLLOWED:
            path = folder / name
            try:
                found.append((str(path), path.stat().st_mtime_ns))
            except OSError:
                continue
    return tuple(found)
