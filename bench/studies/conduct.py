"""Conducting a study, from its declaration to its results: which cell begins when, what is retried, when to
stop.

Knows no engine by name.
"""

import time
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import variants
from bench.errors import UsageError
from bench.progress import ProgressReport
from bench.protocol import TrainSettings, load_protocol, protocol_names
from bench.runs.folder import FolderInUse, RunFolder
from bench.setup import DEFAULT_EXECUTION, Execution
from bench.signals import StopRequest, stop_requests
from bench.studies.engines.interface import ENGINES, Engine
from bench.studies.grid import Grid, expand, has_steps
from bench.studies.plan import Planned, Standing, load_facts_of, make_plan, standing_of
from bench.studies.process import Order, Outcome, Progress
from bench.studies.study import Declaration, EngineSettings, StudySource, declare
from bench.workers import import_folders

SECONDS_BETWEEN_EVENTS = 0.25
SECONDS_UNTIL_HELD_IS_TRIED_AGAIN = 2.0
OUR_FEATURES = ("inception", "squeezenet", "tiny")
"""Feature networks that are there for certain; of others the registry is asked."""

End = Literal["done", "skipped", "failed", "stopped", "waiting"]


@dataclass(frozen=True)
class Budget:
    """When to stop before everything is done. None: never."""

    hours: float | None = None
    failures: int | None = None


@dataclass(frozen=True)
class CellResult:
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

    results: list[CellResult]
    stopped: str = ""
    signal_number: int | None = None
    seconds: float = 0.0


class Board(Protocol):
    """Who shows a person how the study goes."""

    def begin(self, number: int, planned: Planned) -> None:
        """A worker has been given this cell."""

    def progress(self, number: int, message: Progress) -> None:
        """A worker says how far it is."""

    def end(self, number: int, result: CellResult) -> None:
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
        self._results: dict[int, CellResult] = {}
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
            self._results.get(number, CellResult(planned, "waiting"))
            for number, planned in enumerate(self._plan)
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
            self._end(number, CellResult(planned, "skipped"))
        elif standing.state == "failed" and not self._is_to_be_retried(planned, standing):
            self._end(number, CellResult(planned, "failed", standing.reason))
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
            self._end(number, CellResult(self._plan[number], outcome.outcome, outcome.reason, began=True))

    def _end(self, number: int, result: CellResult) -> None:
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


IN_ANOTHER_PRECISION = (
    "Give --precision-fallback to compute in fp32 under this protocol, which every run records, or write "
    "train.precision=fp32 into the changes of the study file, for another protocol."
)
"""What a study with a file can be told instead."""


@dataclass(frozen=True)
class RunOptions:
    """Where and with what the cells are executed: nothing here may change a result."""

    runs: Path
    device: str = "auto"
    weights: Path | None = None
    skip_bad_images: bool = False
    plugins: tuple[Path, ...] = ()
    execution: Execution = DEFAULT_EXECUTION


@dataclass(frozen=True)
class Prepared:
    """A study with its plan: nothing has been executed yet."""

    declaration: Declaration
    grid: Grid
    plan: list[Planned]
    orders: list[Order]


def prepare_study(
    declaration: Declaration,
    where: RunOptions,
    progress: ProgressReport,
    engine: EngineSettings | None = None,
) -> Prepared:
    """Expand a study and look up what is known of each cell. Imports no torch, executes nothing.

    Data sets are loaded, so that they are in the cache when the workers want them. `engine` stands in for
    the study's own. Raises UsageError where this machine is to compute in a precision that it lacks.
    """
    grid = expand(declaration)
    refuse_unknown_features(grid, where)
    refuse_objectives(declaration, grid)
    settings = engine or declaration.study.engine
    if ENGINES.find(settings.kind).is_here(settings):
        refuse_missing_precision(declaration, grid, where)
    plan = make_plan(grid, where.runs, load_facts_of(grid, where.skip_bad_images, progress), where.weights)
    return Prepared(declaration, grid, plan, make_orders(plan, where))


def refuse_unknown_features(grid: Grid, where: RunOptions) -> None:
    """Raise UsageError where a cell is left to do whose feature network does not exist."""
    features = grid.protocol.score.features
    if features in OUR_FEATURES or all(RunFolder(cell.folder(where.runs)).is_done() for cell in grid.cells()):
        return
    from bench.scoring.networks import plain_name  # brings torch, which a plan does without

    plain_name(features)


def refuse_objectives(declaration: Declaration, grid: Grid) -> None:
    """Raise UsageError where an objective with which some variant would be trained does not exist, or cannot
    honour a rule of the protocol.

    What shipped protocols name exists and honours their rules: that is known without torch.
    """
    train = grid.protocol.train
    own = {variants.describe(name).objective for name in grid.variants if has_steps(name)}
    wanted = {name or train.objective for name in own}
    shipped = {rules_of(load_protocol(each).train) for each in protocol_names()}
    if rules_of(train) in shipped:
        wanted.discard(train.objective)
    if rules_of(train)[1:] == (None, None):  # there is nothing to honour
        wanted -= own | {objective for objective, *_ in shipped}
    if not wanted:
        return
    from bench.training.objective import objective_class

    place = declaration.origin.place("changes" if declaration.study.changes else "protocol")
    for name in sorted(wanted):
        try:
            objective_class(name, train)
        except UsageError as error:
            raise UsageError(f"{place}: {error}") from None


def rules_of(train: TrainSettings) -> tuple[str, str | None, float | None]:
    """An objective, and what it has to honour."""
    return train.objective, train.diffaugment, train.identity_fade


def refuse_missing_precision(declaration: Declaration, grid: Grid, where: RunOptions) -> None:
    """Raise UsageError where a cell is left to do in a precision that this machine lacks.

    Asked before data sets are loaded; finished cells need no precision.
    """
    wanted = grid.protocol.train.precision
    if wanted == "fp32" or all(RunFolder(cell.folder(where.runs)).is_done() for cell in grid.cells()):
        return
    import torch

    from bench.setup import resolve_device
    from bench.training import execution

    remedy = IN_ANOTHER_PRECISION if declaration.origin.text else execution.IN_ANOTHER_PRECISION
    device = torch.device(resolve_device(where.device))
    execution.executed_precision(wanted, device, where.execution.precision_fallback, remedy)


def make_orders(plan: Sequence[Planned], where: RunOptions) -> list[Order]:
    """The order of every cell of a plan. Files are named by their full path: a worker may stand elsewhere."""
    here, imports = Path.cwd(), import_folders()
    return [
        Order(
            protocol=planned.cell.protocol,
            dataset=planned.cell.dataset,
            variant=planned.cell.variant,
            seed=planned.cell.seed,
            runs=where.runs,
            device=where.device,
            weights=where.weights.resolve() if where.weights else None,
            skip_bad_images=where.skip_bad_images,
            plugins=tuple(plugin.resolve() for plugin in where.plugins),
            execution=where.execution,
            started_in=here,
            imports=imports,
        )
        for planned in plan
    ]


def engine_settings(declaration: Declaration, given: dict[str, Any]) -> EngineSettings:
    """The study's [engine], with what was `given` on the command line in its place.

    Raises UsageError, with the place, for an engine that does not exist and an option that it does not take.
    """
    study, origin = declaration.study, declaration.origin
    changed = study.model_dump() | {"engine": study.engine.model_dump() | given}
    settings = declare(changed, StudySource("command line")).study.engine
    try:
        entry = ENGINES.find(settings.kind)
    except UsageError as error:
        raise UsageError(
            f"{'--engine' if 'kind' in given else origin.place('engine', 'kind')}: {error}"
        ) from None
    for name in settings.options:
        if name not in entry.options:
            takes = f"takes {', '.join(entry.options)}" if entry.options else "takes none"
            place = origin.place("engine", "options", name)
            raise UsageError(f"{place}: there is no such option; the engine {settings.kind} {takes}.")
    return settings


def make_engine(settings: EngineSettings, device: str) -> AbstractContextManager[Engine]:
    """The engine of these settings, used as a context manager; nothing is executed yet.

    Raises UsageError where what it needs is missing; on entry where no machine can hold a cell.
    """
    return ENGINES.find(settings.kind).make(settings, device)
