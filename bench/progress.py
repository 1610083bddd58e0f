"""Progress of long work: what is done, how fast, how long it still takes. Always on stderr."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
        """A new piece of work of `total` units begins; `done` of them were done by an earlier session.

        It may begin within another, as a training that renders masks when it first needs some: when it is
        done, `advance` tells of the other one again.
        """

    def advance(self, units: int = 1, figures: str = "") -> None:
        """`units` more are done; `figures` are a few numbers worth seeing, such as a loss."""


class Silent:
    """Tells nothing: for tests and for other programs that use bench as a library."""

    def start(self, task: str, total: int, done: int = 0) -> None:
        pass

    def advance(self, units: int = 1, figures: str = "") -> None:
        pass


@dataclass
class Piece:
    """A piece of work that was started."""

    task: str
    total: int
    done: int
    first: int
    """Done before it was started."""
    began: float
    told: float
    """When a line was last printed of it."""
    figures: str = ""

    @property
    def is_done(self) -> bool:
        return self.done >= self.total


class Pieces:
    """Work within work: a piece started before another is done stands in for it until it is done itself."""

    def __init__(self) -> None:
        self._open: list[Piece] = []

    def start(self, task: str, total: int, done: int = 0) -> Piece:
        """The piece that is to be told of. One of the same name was given up, and begins anew."""
        if self._open and (self._open[-1].is_done or self._open[-1].task == task):
            self._open.pop()
        now = time.monotonic()
        self._open.append(Piece(task, total, done, done, now, now))
        self.close()
        return self._open[-1]

    def advance(self, units: int, figures: str) -> Piece | None:
        """The piece at hand, with `units` more done; None before there is one. Then `close` it."""
        if not self._open:
            return None
        piece = self._open[-1]
        piece.done += units
        piece.figures = figures or piece.figures
        return piece

    def close(self) -> Piece | None:
        """The piece that goes on now that the one at hand is done; None where there is none.

        For the one that goes on, the time in between did not pass: its rate is that of its own work.
        """
        gone_on = None
        while len(self._open) > 1 and self._open[-1].is_done:
            ended = self._open.pop()
            gone_on = self._open[-1]
            pause = time.monotonic() - ended.began
            gone_on.began += pause
            gone_on.told += pause
        return gone_on


class TerminalProgress:
    """A bar with rate and time left on a terminal; a plain line now and then where stderr is a file."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._pieces = Pieces()
        self._rows: dict[str, TaskID] = {}
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
        self._pieces.start(task, total, done)
        self._rows[task] = self._bar.add_task(task, total=total, completed=done, rate="", figures="")

    def advance(self, units: int = 1, figures: str = "") -> None:
        if self._bar is None:
            self._plain.advance(units, figures)
            return
        piece = self._pieces.advance(units, figures)
        if piece is None:
            return
        row = self._rows[piece.task]
        self._bar.advance(row, units)
        speed = self._bar.tasks[row].speed
        self._bar.update(row, rate=f"{speed:.2f}/s" if speed else "", figures=piece.figures)
        self._pieces.close()


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

    def __init__(self) -> None:
        self._pieces = Pieces()

    def start(self, task: str, total: int, done: int) -> None:
        self._pieces.start(task, total, done)

    def advance(self, units: int, figures: str) -> None:
        piece = self._pieces.advance(units, figures)
        if piece is None:
            return
        now = time.monotonic()
        wait = SECONDS_WORTH_A_LINE if piece.is_done else SECONDS_BETWEEN_LINES
        if now - piece.told >= wait:
            piece.told = now
            rate = (piece.done - piece.first) / max(now - piece.began, 1e-9)
            left = max(piece.total - piece.done, 0) / rate if rate else float("inf")
            line = f"{piece.task}: {piece.done}/{piece.total}, {rate:.2f}/s, {left:.0f} s left"
            print(f"{line}  {piece.figures}".rstrip(), file=sys.stderr, flush=True)
        self._pieces.close()
