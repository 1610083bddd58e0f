"""Progress of long work: what is done, how fast, how long it still takes. Always on stderr."""

import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib.util import find_spec
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID
from rich.text import Text

SECONDS_BETWEEN_LINES = 15.0
SECONDS_WORTH_A_LINE = 3.0
WIDTH_OF_THE_BAR = 28
WIDTH_WITH_A_BAR = 100
"""Characters of a terminal from which on a bar is shown."""
NAME_OF_A_TASK = 24
SHORTEST_NAME = 8


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
        if self._console.is_terminal or shows_bars(self._console):
            self._bar = Progress(*bar_columns(self._console), console=self._console)
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


def shows_bars(console: Console) -> bool:
    """Whether it is a notebook in which bars can be drawn: rich draws them by ipywidgets."""
    return console.is_jupyter and find_spec("ipywidgets") is not None


def bar_columns(console: Console) -> list[ProgressColumn]:
    """A bar where there is room for one, and a line of words and numbers beside it."""
    bars = [BarColumn(bar_width=WIDTH_OF_THE_BAR)] if console.width >= WIDTH_WITH_A_BAR else []
    used = WIDTH_OF_THE_BAR + 1 if bars else 0
    return [*bars, _Line(lambda: console.width - used)]


class _Line(ProgressColumn):
    """Name, count, rate, time left and figures of a task."""

    def __init__(self, room: Callable[[], int]) -> None:
        super().__init__()
        self._room = room

    def render(self, task: Task) -> Text:
        count = f"{task.completed:.0f}/{task.total:.0f}"
        left = "" if task.time_remaining is None else f"{timedelta(seconds=int(task.time_remaining))} left"
        parts = (count, task.fields["rate"], left, task.fields["figures"])
        line = fitted(task.description.ljust(NAME_OF_A_TASK), parts, self._room())
        return Text(line, no_wrap=True, overflow="ignore")


def fitted(name: str, parts: Sequence[str], room: int) -> str:
    """A name and some numbers in `room` characters: what has no room is left out, never cut but the name."""
    first, *others = [part for part in parts if part]
    line = first
    for part in others:
        if len(line) + 2 + len(part) <= room - SHORTEST_NAME:
            line += f"  {part}"
    left = room - len(line) - 2
    if left < SHORTEST_NAME:
        return line
    bare = name.rstrip()
    shown = bare.ljust(min(len(name), left)) if len(bare) <= left else f"{bare[: left - 1]}…"
    return f"{shown}  {line}"


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
