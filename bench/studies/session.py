"""A study from its declaration to its results, in the few steps that the command takes."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bench.execution import AS_USUAL, Execution
from bench.progress import ProgressReport
from bench.runs.folder import RunFolder
from bench.studies.board import StudyBoard
from bench.studies.conduct import Budget, Conducted, conduct
from bench.studies.declaration import Declaration
from bench.studies.engine import Engine
from bench.studies.grid import Grid, expand
from bench.studies.local import LocalEngine
from bench.studies.orders import Order
from bench.studies.planning import Planned, load_facts_of, make_plan
from bench.studies.study import EngineSettings
from bench.workers import import_folders

IN_ANOTHER_PRECISION = (
    "Give --precision-fallback to compute in fp32 under this protocol, which every run records, or write "
    "train.precision=fp32 into the changes of the study file, for another protocol."
)
"""What a study with a file can be told instead."""


@dataclass(frozen=True)
class Circumstances:
    """Where and with what the cells are executed: nothing here may change a result."""

    runs: Path
    device: str = "auto"
    weights: Path | None = None
    skip_bad_images: bool = False
    plugins: tuple[Path, ...] = ()
    execution: Execution = AS_USUAL


@dataclass(frozen=True)
class Prepared:
    """A study with its plan: nothing has been executed yet."""

    declaration: Declaration
    grid: Grid
    plan: list[Planned]
    orders: list[Order]


def prepare(
    declaration: Declaration,
    where: Circumstances,
    progress: ProgressReport,
    engine: EngineSettings | None = None,
) -> Prepared:
    """Expand a study and look up what is known of each cell. Imports no torch, executes nothing.

    Data sets are loaded, so that they are in the cache when the workers want them. `engine` stands in for
    the study's own. Raises UsageError where this machine is to compute in a precision that it lacks.
    """
    grid = expand(declaration)
    if computes_here(engine or declaration.study.engine):
        refuse_missing_precision(declaration, grid, where)
    plan = make_plan(grid, where.runs, load_facts_of(grid, where.skip_bad_images, progress), where.weights)
    return Prepared(declaration, grid, plan, make_orders(plan, where))


def computes_here(engine: EngineSettings) -> bool:
    """Whether cells are executed by this machine; of a cluster's machines each answers for itself."""
    return engine.kind == "local" or engine.address in {None, "local"}


def refuse_missing_precision(declaration: Declaration, grid: Grid, where: Circumstances) -> None:
    """Raise UsageError where a cell is left to do in a precision that this machine lacks.

    Asked before data sets are loaded; finished cells need no precision.
    """
    wanted = grid.protocol.train.precision
    if wanted == "fp32" or all(RunFolder(cell.folder(where.runs)).is_done() for cell in grid.cells()):
        return
    import torch

    from bench.devices import resolve_device
    from bench.training import precision

    remedy = IN_ANOTHER_PRECISION if declaration.origin.text else precision.IN_ANOTHER_PRECISION
    device = torch.device(resolve_device(where.device))
    precision.executed_precision(wanted, device, where.execution.precision_fallback, remedy)


def make_orders(plan: Sequence[Planned], where: Circumstances) -> list[Order]:
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


def execute_study(prepared: Prepared, engine: Engine, budget: Budget, retry_failed: bool) -> Conducted:
    """Execute what is not done of a prepared study."""
    with StudyBoard(prepared.declaration.study.name, len(prepared.plan), engine.capacity()) as board:
        return conduct(prepared.plan, prepared.orders, engine, board, budget, retry_failed)


def make_engine(settings: EngineSettings, device: str) -> AbstractContextManager[Engine]:
    """The engine of that kind, used as a context manager; nothing is executed yet.

    Raises UsageError where Ray or its cluster is missing; on entry where no machine can hold a cell.
    """
    if settings.kind == "local":
        return LocalEngine(settings, device)
    from bench.studies.ray_engine import RayEngine

    return RayEngine(settings, device)
