"""What a person sees while a study goes on: a live table on a terminal, plain lines elsewhere; on stderr."""

import sys
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from bench.progress import fitted
from bench.studies.conduct import Result
from bench.studies.orders import Progress
from bench.studies.planning import Planned

SECONDS_BETWEEN_LINES = 15.0


@dataclass
class Row:
    """A cell at work."""

    planned: Planned
    began: float
    message: Progress | None = None
    task_began: float = 0.0
    told: float = 0.0

    def hear(self, message: Progress) -> None:
        """The worker says how far it is."""
        if self.message is None or self.message.task != message.task:
            self.task_began = time.monotonic()
        self.message = message

    @property
    def rate(self) -> float | None:
        """Units of the present task a second; None before the first."""
        if self.message is None or self.message.done <= self.message.first:
            return None
        return (self.message.done - self.message.first) / max(time.monotonic() - self.task_began, 1e-9)

    @property
    def left(self) -> float | None:
        """Seconds until the present task ends."""
        if self.message is None or self.rate is None:
            return None
        return (self.message.total - self.message.done) / self.rate


class StudyBoard:
    """Counts what has ended and shows what is at work."""

    def __init__(self, name: str, total: int, workers: int) -> None:
        self._name, self._total, self._workers = name, total, workers
        self._rows: dict[int, Row] = {}
        self._counts = {"done": 0, "skipped": 0, "failed": 0, "stopped": 0}
        self._seconds: list[float] = []
        self._console = Console(stderr=True)
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._picture, console=self._console, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, number: int, planned: Planned) -> None:
        self._rows[number] = Row(planned, time.monotonic())
        if self._live is None:
            self._line(f"{planned.cell}: begun")

    def progress(self, number: int, message: Progress) -> None:
        row = self._rows[number]
        row.hear(message)
        if self._live is None and time.monotonic() - row.told >= SECONDS_BETWEEN_LINES:
            row.told = time.monotonic()
            self._line(f"{row.planned.cell}: {said(row)}")

    def end(self, number: int, result: Result) -> None:
        row = self._rows.pop(number, None)
        self._counts[result.end] += 1
        if row is not None and result.end == "done":
            self._seconds.append(time.monotonic() - row.began)
        if result.end == "skipped":
            return
        reason = f": {result.reason}" if result.reason else ""
        self._line(f"{result.planned.cell}: {result.end}{reason}   [{self.headline()}]")

    def remark(self, text: str) -> None:
        self._line(text)

    def headline(self) -> str:
        """Counts, and the time left for the whole study where one can be told."""
        done = self._counts["done"] + self._counts["skipped"]
        open_ = self._total - sum(self._counts.values())
        parts = [f"{done} of {self._total} done"]
        if self._counts["failed"]:
            parts.append(f"{self._counts['failed']} failed")
        if self._seconds and open_:
            left = open_ * sum(self._seconds) / len(self._seconds) / self._workers
            parts.append(f"about {spoken(left)} left")
        return ", ".join(parts)

    def _line(self, text: str) -> None:
        if self._live is not None:
            self._live.console.print(text, highlight=False, markup=False)
        else:
            print(text, file=sys.stderr, flush=True)

    def _picture(self) -> Group:
        rows = list(self._rows.values())
        longest = max((len(str(row.planned.cell)) for row in rows), default=0)
        lines = [
            fitted(str(row.planned.cell).ljust(longest), doing(row), self._console.width) for row in rows
        ]
        head = Text(f"{self._name}: {self.headline()}", style="bold")
        return Group(head, *(Text(line, no_wrap=True, overflow="ignore") for line in lines))


def doing(row: Row) -> list[str]:
    """What a cell is at: task and count, rate, time left, figures."""
    message = row.message
    if message is None:
        return ["starting"]
    rate = f"{row.rate:.2f}/s" if row.rate else ""
    left = f"{spoken(row.left)} left" if row.left is not None else ""
    return [f"{message.task} {message.done}/{message.total}", rate, left, message.figures]


def said(row: Row) -> str:
    """One line about a cell at work."""
    count, *others = doing(row)
    return "  ".join([", ".join([count, *filter(None, others[:2])]), *filter(None, others[2:])])


def spoken(seconds: float) -> str:
    """`45 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
