"""Conducting a study: which cell begins when, what is retried, when to stop. Knows no engine by name."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from bench.runs.folder import FolderInUse, RunFolder
from bench.signals import StopRequest, stop_requests
from bench.studies.engine import Engine
from bench.studies.orders import Order, Outcome, Progress
from bench.studies.planning import Planned, Standing, standing_of

SECONDS_BETWEEN_EVENTS = 0.25
SECONDS_UNTIL_HELD_IS_TRIED_AGAIN = 2.0

End = Literal["done", "skipped", "failed", "stopped", "waiting"]


@dataclass(frozen=True)
class Budget:
    """When to stop before everything is done. None: never."""

    hours: float | None = None
    failures: int | None = None


@dataclass(frozen=True)
class Result:
    """How a cell of the study ended.

    `done` in this session, `skipped` as it was done already, `failed` now or before, `stopped` or still
    `waiting` because the study was stopped.
    """

    planned: Planned
    end: End
    reason: str = ""
    began: bool = False
    """Whether a worker was given this cell in this session."""


@dataclass
class Conducted:
    """All results, in the order of the plan, and why the study stopped early, if it did."""

    results: list[Result]
    stopped: str = ""
    signal_number: int | None = None
    seconds: float = 0.0


class Board(Protocol):
    """Who shows a person how the study goes."""

    def begin(self, number: int, planned: Planned) -> None:
        """A worker has been given this cell."""

    def progress(self, number: int, message: Progress) -> None:
        """A worker says how far it is."""

    def end(self, number: int, result: Result) -> None:
        """A cell has ended."""

    def remark(self, text: str) -> None:
        """Something worth a line."""


def is_held(folder: Path) -> bool:
    """Whether another process is at work in a run folder."""
    try:
        with RunFolder(folder).locked():
            return False
    except FolderInUse:
        return True


def conduct(
    plan: Sequence[Planned],
    orders: Sequence[Order],
    engine: Engine,
    board: Board,
    budget: Budget,
    retry_failed: bool = False,
) -> Conducted:
    """Execute every cell of `plan` that is not done; `orders` are theirs, in the same order.

    Returns when all have ended or the study was stopped. A failed cell stops no other. Ctrl-C and SIGTERM ask
    for a clean stop, a second one ends the cells at once.
    """
    with stop_requests(insisting=False) as request:
        return Conductor(plan, orders, engine, board, budget, retry_failed, request).run()


class Conductor:
    """One study while it is going on."""

    def __init__(
        self,
        plan: Sequence[Planned],
        orders: Sequence[Order],
        engine: Engine,
        board: Board,
        budget: Budget,
        retry_failed: bool,
        request: StopRequest,
    ) -> None:
        self._plan, self._orders, self._engine, self._board = plan, orders, engine, board
        self._budget, self._retry_failed, self._request = budget, retry_failed, request
        self._began = time.monotonic()
        self._queue = deque(range(len(plan)))
        self._held: deque[tuple[float, int]] = deque()
        self._told_held: set[int] = set()
        self._running: set[int] = set()
        self._results: dict[int, Result] = {}
        self._stopped = ""

    def run(self) -> Conducted:
        """Begin cells while there is room, listen, and stop when asked, until nothing is left."""
        while self._running or ((self._queue or self._held) and not self._stopped):
            self._stop_if_due()
            while not self._stopped and len(self._running) < self._engine.capacity():
                if not self._begin_next():
                    break
            for number, message in self._engine.events(SECONDS_BETWEEN_EVENTS):
                if isinstance(message, Progress):
                    self._board.progress(number, message)
                else:
                    self._hear_end(number, message)
        results = [
            self._results.get(number, Result(planned, "waiting")) for number, planned in enumerate(self._plan)
        ]
        return Conducted(results, self._stopped, self._request.first, time.monotonic() - self._began)

    def _begin_next(self) -> bool:
        """Give the next cell to the engine; False where none can be begun now."""
        number = self._next()
        if number is None:
            return False
        planned = self._plan[number]
        done = planned.standing.state == "done"
        standing = planned.standing if done else standing_of(planned.folder, planned.wanted)
        if standing.state == "done":
            self._end(number, Result(planned, "skipped"))
        elif standing.state == "failed" and not self._is_to_be_retried(planned, standing):
            self._end(number, Result(planned, "failed", standing.reason))
        elif is_held(planned.folder):
            self._try_again_later(number)
        else:
            self._running.add(number)
            self._board.begin(number, planned)
            self._engine.begin(number, self._orders[number])
        return True

    def _next(self) -> int | None:
        """The number of the cell whose turn it is: held ones are tried again now and then."""
        if self._held and self._held[0][0] <= time.monotonic():
            return self._held.popleft()[1]
        return self._queue.popleft() if self._queue else None

    def _is_to_be_retried(self, planned: Planned, standing: Standing) -> bool:
        """Only a failure that was there when the study began: one that came since is another driver's."""
        return self._retry_failed and planned.standing == standing

    def _try_again_later(self, number: int) -> None:
        if number not in self._told_held:
            self._board.remark(f"{self._plan[number].cell}: held by another process; tried again later")
        self._told_held.add(number)
        self._held.append((time.monotonic() + SECONDS_UNTIL_HELD_IS_TRIED_AGAIN, number))

    def _hear_end(self, number: int, outcome: Outcome) -> None:
        self._running.discard(number)
        if outcome.outcome == "held":
            self._try_again_later(number)
        else:
            self._end(number, Result(self._plan[number], outcome.outcome, outcome.reason, began=True))

    def _end(self, number: int, result: Result) -> None:
        self._results[number] = result
        self._board.end(number, result)

    def _stop_if_due(self) -> None:
        first, hours = self._request.first, (time.monotonic() - self._began) / 3600
        if len(self._request.received) > 1:
            self._engine.stop(kill=True)
        if self._stopped:
            return
        failures = sum(result.began and result.end == "failed" for result in self._results.values())
        if first is not None:
            self._stopped = f"Stopped by {first.name}"
        elif self._budget.hours is not None and hours >= self._budget.hours:
            self._stopped = f"Stopped after the {self._budget.hours:g} hours of --max-hours"
        elif self._budget.failures is not None and failures >= self._budget.failures:
            self._stopped = f"Stopped after {failures} failures (--max-failures {self._budget.failures})"
        if self._stopped:
            self._board.remark(f"{self._stopped}; {len(self._running)} cells are finishing their step")
            self._engine.stop()
