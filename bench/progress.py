"""Progress of long work: what is done, how fast, how long it still takes. Always on stderr."""

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 15.0
SECONDS_WORTH_A_LINE = 3.0


class ProgressReport(Protocol):
    """What long work tells; used as a context manager around the whole of it."""

    def start(self, task: str, total: int, done: int = 0) -> None:
        """A new piece of work of `total` units begins; `done` of them were done by an earlier session."""

    def advance(self, units: int = 1, figures: str = "") -> None:
        """`units` more are done; `figures` are a few numbers worth seeing, such as a loss."""


class Silent:
    """Tells nothing: for tests and for other programs that use bench as a library."""

    def start(self, task: str, total: int, done: int = 0) -> None:
        pass

    def advance(self, units: int = 1, figures: str = "") -> None:
        pass


class TerminalProgress:
    """A bar with rate and time left on a terminal; a plain line now and then where stderr is a file."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._plain = _PlainLines()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description:<24}"),
                BarColumn(bar_width=28),
                TextColumn("{task.completed:>6.0f}/{task.total:.0f}"),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(compact=True),
                TextColumn("[dim]{task.fields[figures]}"),
                console=self._console,
            )
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def start(self, task: str, total: int, done: int = 0) -> None:
        if self._bar is None:
            self._plain.start(task, total, done)
            return
        self._task = self._bar.add_task(task, total=total, completed=done, rate="", figures="")

    def advance(self, units: int = 1, figures: str = "") -> None:
        if self._bar is None or self._task is None:
            self._plain.advance(units, figures)
            return
        self._bar.advance(self._task, units)
        speed = self._bar.tasks[self._task].speed
        self._bar.update(self._task, rate=f"{speed:.2f}/s" if speed else "")
        if figures:
            self._bar.update(self._task, figures=figures)


class _PlainLines:
    """A line every fifteen seconds, and one at the end of work that took longer than a moment."""

    def start(self, task: str, total: int, done: int) -> None:
        self._name, self._total, self._done, self._first = task, total, done, done
        self._began = self._told = time.monotonic()

    def advance(self, units: int, figures: str) -> None:
        self._done += units
        now = time.monotonic()
        wait = SECONDS_BETWEEN_LINES if self._done < self._total else SECONDS_WORTH_A_LINE
        if now - self._told < wait:
            return
        self._told = now
        rate = (self._done - self._first) / max(now - self._began, 1e-9)
        left = (self._total - self._done) / rate if rate else float("inf")
        line = f"{self._name}: {self._done}/{self._total}, {rate:.2f}/s, {left:.0f} s left"
        print(f"{line}  {figures}".rstrip(), file=sys.stderr, flush=True)
