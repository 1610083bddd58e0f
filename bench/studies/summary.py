"""What is said of a plan before, of a study while it goes on, and after: text for people, plain values for
machines.

While it goes on: a live table on a terminal, plain lines elsewhere; on stderr.
"""

import shlex
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from bench.cell import Cell
from bench.names import counted
from bench.progress import fitted
from bench.protocol import LENGTHS, key_of
from bench.studies.conduct import CellResult, Conducted, End
from bench.studies.grid import has_steps
from bench.studies.plan import Planned
from bench.studies.process import Order, Progress
from bench.studies.study import Study

SECONDS_BETWEEN_LINES = 15.0


@dataclass
class CellAtWork:
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
        return max(self.message.total - self.message.done, 0) / self.rate


class StudyBoard:
    """Counts what has ended and shows what is at work."""

    def __init__(self, name: str, total: int, workers: int) -> None:
        self._name, self._total, self._workers = name, total, workers
        self._rows: dict[int, CellAtWork] = {}
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
        self._rows[number] = CellAtWork(planned, time.monotonic())
        if self._live is None:
            self._line(f"{planned.cell}: begun")

    def progress(self, number: int, message: Progress) -> None:
        row = self._rows[number]
        row.hear(message)
        if self._live is None and time.monotonic() - row.told >= SECONDS_BETWEEN_LINES:
            row.told = time.monotonic()
            self._line(f"{row.planned.cell}: {cell_line(row)}")

    def end(self, number: int, result: CellResult) -> None:
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


def doing(row: CellAtWork) -> list[str]:
    """What a cell is at: task and count, rate, time left, figures."""
    message = row.message
    if message is None:
        return ["starting"]
    rate = f"{row.rate:.2f}/s" if row.rate else ""
    left = f"{spoken(row.left)} left" if row.left is not None else ""
    return [f"{message.task} {message.done}/{message.total}", rate, left, message.figures]


def cell_line(row: CellAtWork) -> str:
    """One line about a cell at work."""
    count, *others = doing(row)
    return "  ".join([", ".join([count, *filter(None, others[:2])]), *filter(None, others[2:])])


def spoken(seconds: float) -> str:
    """`45 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


GIB = 1 << 30
WORDS: dict[End, str] = {
    "done": "done",
    "skipped": "done before",
    "failed": "failed",
    "stopped": "stopped",
    "waiting": "to do",
}


def plan_rows(plan: Sequence[Planned]) -> list[dict[str, Any]]:
    """One flat object for every cell of a plan."""
    return [
        {
            "protocol": planned.cell.protocol.name,
            "dataset": planned.cell.dataset,
            "variant": planned.cell.variant,
            "seed": planned.cell.seed,
            "folder": str(planned.folder),
            "state": planned.standing.state,
            "reason": planned.standing.reason or None,
            "schedule_hash": planned.wanted.schedule_hash,
            "hours": planned.hours,
            "memory_bytes": planned.memory_bytes,
            "measured_on": planned.measured_on,
        }
        for planned in plan
    ]


def plan_cells(planned: Planned) -> list[str]:
    """State, schedule hash, hours, GiB and folder of one cell."""
    hours = "-" if planned.hours is None else f"{planned.hours:.3g}"
    memory = "-" if planned.memory_bytes is None else f"{planned.memory_bytes / GIB:.2f}"
    schedule = planned.wanted.schedule_hash or "-"
    return [planned.standing.state, schedule, hours, memory, str(planned.folder)]


def plan_sums(plan: Sequence[Planned], study: Study, runs: Path) -> list[str]:
    """The sums over all cells, then what could not be estimated and how to measure it."""
    counts = Counter(planned.standing.state for planned in plan)
    states = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    return [f"{counted(len(plan), 'cell')}: {states}", *plan_remarks(plan, study, runs)]


def plan_remarks(plan: Sequence[Planned], study: Study, runs: Path) -> list[str]:
    """The hours that are left, on which device they were measured, and the command that measures the rest.

    `runs` is the folder in which measurements are looked for.
    """
    left = [planned for planned in plan if planned.standing.state != "done"]
    known = [planned.hours for planned in left if planned.hours is not None]
    found = []
    if known:
        devices = sorted({str(planned.measured_on) for planned in left if planned.measured_on})
        found.append(
            f"{sum(known):.3g} hours of work in {counted(len(known), 'cell')}, measured on "
            f"{'; '.join(devices)}"
        )
    without = [each for each in left if each.hours is None and has_steps(each.cell.variant)]
    if without:
        others = [change for change in study.changes if key_of(change) not in LENGTHS]
        few_steps = study.model_copy(update={"changes": (*others, "train.images_seen=40")})
        found.append(
            f"- for {counted(len(without), 'cell')}: no run of equal steps is there yet. Measure one, for "
            f"example: {shlex.join([*run_words(without[0].cell, few_steps), '--runs', str(runs)])}"
        )
    refused = sum(planned.standing.state == "other" for planned in plan)
    if refused:
        found.append(
            f"- {counted(refused, 'cell')} will be refused: the folder holds a run made by other rules or "
            "code. Choose another folder with --runs, or remove it; `bench run` names what differs"
        )
    return found


def run_words(cell: Cell, study: Study) -> list[str]:
    """`bench run` and the options that name a cell of a study."""
    words = ["bench", "run", "--variant", cell.variant, "--dataset", cell.dataset]
    words += ["--protocol", study.protocol, "--seed", str(cell.seed)]
    for change in study.changes:
        words += ["--set", change]
    return words


def repeat_command(order: Order, study: Study) -> str:
    """The whole `bench run` command that executes one cell of a study again."""
    words = run_words(order.cell(), study)
    if order.device != "auto":
        words += ["--device", order.device]
    if order.weights is not None:
        words += ["--weights", str(order.weights)]
    for plugin in order.plugins:
        words += ["--plugin", str(plugin)]
    if order.skip_bad_images:
        words.append("--skip-bad-images")
    if order.execution.unchecked:
        words.append("--unchecked")
    return shlex.join([*words, "--runs", str(order.runs)])


def study_command(command: str, study: str, runs: Path, plugins: Sequence[Path]) -> str:
    """`bench study` or `bench report` of a study file, or of a shipped study, which `report` knows by its
    file's name alone."""
    words = ["bench", command, study if study.endswith(".toml") else f"{study}.toml", "--runs", str(runs)]
    for plugin in plugins:
        words += ["--plugin", str(plugin)]
    return shlex.join(words)


def result_rows(conducted: Conducted, commands: Sequence[str]) -> dict[str, Any]:
    """The outcome of a study as one object."""
    return {
        "stopped": conducted.stopped or None,
        "seconds": conducted.seconds,
        "counts": dict(Counter(result.end for result in conducted.results)),
        "cells": [
            {
                "variant": result.planned.cell.variant,
                "dataset": result.planned.cell.dataset,
                "seed": result.planned.cell.seed,
                "folder": str(result.planned.folder),
                "end": result.end,
                "reason": result.reason or None,
                "command": command if result.end == "failed" else None,
            }
            for result, command in zip(conducted.results, commands, strict=True)
        ],
    }


def result_text(conducted: Conducted, commands: Sequence[str], again: str) -> str:
    """Counts, every failure with its reason and the command to repeat it, and how to go on."""
    counts = Counter(result.end for result in conducted.results)
    parts = [f"{counts[end]} {word}" for end, word in WORDS.items() if counts[end]]
    lines = [f"{counted(len(conducted.results), 'cell')}: {', '.join(parts)}, in {conducted.seconds:.0f} s"]
    for result, command in zip(conducted.results, commands, strict=True):
        if result.end == "failed":
            lines += failure_lines(result, command)
    if conducted.stopped:
        lines.append(f"{conducted.stopped}. Nothing is lost; go on with: {again}")
    if any(result.end == "failed" for result in conducted.results):
        lines.append(f"Try all failed ones again with: {again} --retry-failed")
    return "\n".join(lines)


def failure_lines(result: CellResult, command: str) -> list[str]:
    """Which cell failed, why, and what repeats it."""
    reason = " ".join(result.reason.split())
    return [f"failed: {result.planned.cell}", f"  {reason}", f"  again: {command}"]
