"""A cell in a process of its own: what both sides say, how a worker is attended, what it does.

`python -m bench.studies.process` executes one cell. The order is one JSON line on stdin; messages are JSON
lines on stdout; whatever else the cell prints goes to stderr. SIGTERM, and the end of stdin when the driver
dies, stop the cell at its next checkpoint.
"""

import contextlib
import platform
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bench.cell import Cell
from bench.data.catalogue import SETS
from bench.errors import BenchError
from bench.progress import Piece, Pieces
from bench.protocol import Protocol, Settings
from bench.runs.folder import FolderInUse, RunFolder
from bench.runs.records import now
from bench.setup import DEFAULT_EXECUTION, Execution
from bench.signals import Stopped, end_when_asked, stop_requests, wait_without_stalling
from bench.workers import Channel, Worker, given_order, stop_with_giver


class Order(Settings):
    """To a worker: execute this cell, here, in this way. What else may change a result is recorded."""

    protocol: Protocol
    dataset: str
    variant: str
    seed: int
    runs: Path
    device: str = "auto"
    threads: int = 1
    weights: Path | None = None
    skip_bad_images: bool = False
    plugins: tuple[Path, ...] = ()
    execution: Execution = DEFAULT_EXECUTION
    started_in: Path | None = None
    """The folder in which the command was given: relative paths are meant from there."""
    imports: tuple[str, ...] = ()
    """Folders that the command imports from, beside Python's own."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Variables of the command's environment that a worker on another machine may lack."""

    def cell(self) -> Cell:
        """The cell to execute."""
        return Cell(self.protocol, self.dataset, self.variant, self.seed)


class Progress(Settings):
    """From a worker: how far it is with what it does now."""

    event: Literal["progress"] = "progress"
    task: str
    total: int
    done: int
    first: int
    """Units that an earlier session had done when this one began."""
    figures: str = ""


class Outcome(Settings):
    """From a worker, its last word.

    `done`: finished, now or before. `failed`: `reason` says why. `held`: another process is at work in the
    folder. `stopped`: it was asked to stop; the same cell can be continued.
    """

    event: Literal["outcome"] = "outcome"
    outcome: Literal["done", "failed", "held", "stopped"]
    reason: str = ""


Message = Progress | Outcome
MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Progress | Outcome, Field(discriminator="event")])


MODULE = "bench.studies.process"
SECONDS_BETWEEN_LOOKS = 0.2
Tell = Callable[[Message], None]


class Stop:
    """What the driver wants of a worker: go on, stop when everything is saved, or end at once."""

    def __init__(self) -> None:
        self.asked = False
        self.kill = False


def supervise(
    order: Order, tell: Tell, stop: Stop, environment: dict[str, str], patience: float = SECONDS_BETWEEN_LOOKS
) -> Outcome:
    """Have `order` executed by a process of its own and return how it ended; `tell` hears of its progress.

    A process that was killed, by the system for want of memory or by anybody, is recorded as failed in the
    run folder. `stop` is looked at every `patience` seconds.
    """
    folder = order.started_in
    if folder is not None and not folder.is_dir():
        if is_relative_folder(order.dataset):
            return Outcome(outcome="failed", reason=unseen_folder(order))
        folder = None
    with Worker(MODULE, {**order.environment, **environment}, folder, order.imports or None) as worker:
        outcome = pass_on(worker, order, tell, stop, patience)
        status = worker.wait()
        if outcome is not None:
            return outcome
        if stop.kill:
            return Outcome(outcome="stopped", reason="Ended at once; it continues at its last checkpoint.")
        if stop.asked and status == -signal.SIGTERM:
            return Outcome(outcome="stopped", reason="Stopped before it began.")
        reason = cause_of_death(status, worker.complaints())
    record_death(order, reason)
    return Outcome(outcome="failed", reason=reason)


def is_relative_folder(dataset: str) -> bool:
    """Whether a data set is a folder whose place depends on where one stands."""
    return dataset not in SETS and not Path(dataset).expanduser().is_absolute()


def unseen_folder(order: Order) -> str:
    """Why a data set that was given by a relative path cannot be found here."""
    return (
        f"{platform.node()} does not see the folder {order.started_in}, from which the data set "
        f"{order.dataset} is given. Give the data set by a path that every node sees."
    )


def pass_on(worker: Worker, order: Order, tell: Tell, stop: Stop, patience: float) -> Outcome | None:
    """Give the order, pass messages on, ask the worker to stop when wanted; None where it died silently."""
    worker.give(order)
    asked = False
    for line in worker.lines(patience):
        if stop.kill:
            worker.kill()
        elif stop.asked and not asked:
            worker.stop()
            asked = True
        if line is not None:
            message = MESSAGE.validate_json(line)
            if isinstance(message, Outcome):
                return message
            tell(message)
    return None


def cause_of_death(status: int, complaints: Sequence[str]) -> str:
    """Why a worker ended without a word, from its exit status and the last line it printed."""
    if status < 0:
        name = signal.Signals(-status).name
        memory = " The system does that when memory runs out." if name == "SIGKILL" else ""
        return f"The worker was killed by {name}.{memory}"
    said = complaints[-1] if complaints else "it printed nothing"
    return f"The worker ended with exit code {status}: {said}"


def record_death(order: Order, reason: str) -> None:
    """Set the run of a dead worker to failed, unless another process has taken it up already."""
    folder = RunFolder(order.cell().folder(order.runs))
    if not folder.run_json.exists():
        return
    with contextlib.suppress(FolderInUse, BenchError), folder.locked():
        if folder.read().status == "running":
            folder.update(status="failed", reason=reason, finished=now())


SECONDS_BETWEEN_MESSAGES = 0.5


class ToldProgress:
    """A ProgressReport that sends messages, at most two a second and one for every end."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self._told, self._pieces = channel, 0.0, Pieces()

    def start(self, task: str, total: int, done: int = 0) -> None:
        self._tell(self._pieces.start(task, total, done))

    def advance(self, units: int = 1, figures: str = "") -> None:
        piece = self._pieces.advance(units, figures)
        if piece is None:
            return
        if piece.is_done or time.monotonic() - self._told >= SECONDS_BETWEEN_MESSAGES:
            self._tell(piece)
        gone_on = self._pieces.close()
        if gone_on is not None:
            gone_on.first = gone_on.done  # whoever listens takes it for begun now
            self._tell(gone_on)

    def _tell(self, piece: Piece) -> None:
        self._told = time.monotonic()
        told = Progress(
            task=piece.task, total=piece.total, done=piece.done, first=piece.first, figures=piece.figures
        )
        self._channel.tell(told)


def work(progress: ToldProgress) -> Outcome:
    """Execute the ordered cell; every way in which it can end is an Outcome."""
    try:
        order = Order.model_validate_json(given_order())
        stop_with_giver()
        with stop_requests(insisting=False) as early:  # an exception in an import could be lost
            from bench.registry import load_plugins
            from bench.setup import resolve_device, use_threads
            from bench.studies.execute import Machine, execute

            load_plugins(order.plugins)
            threads = use_threads(order.threads)
            device = resolve_device(order.device)
            machine = Machine(device, threads, order.weights, order.skip_bad_images, order.execution)
        if early.first is not None:
            raise Stopped(early.first)
        execute(order.cell(), order.runs, machine, progress)
    except FolderInUse as error:
        return Outcome(outcome="held", reason=str(error))
    except KeyboardInterrupt as error:
        return Outcome(outcome="stopped", reason=str(error))
    except BenchError as error:
        return Outcome(outcome="failed", reason=str(error))
    except Exception as error:
        from bench.studies.execute import error_in_a_line

        return Outcome(outcome="failed", reason=error_in_a_line(error))
    return Outcome(outcome="done")


def main() -> None:
    """Take the order, execute it, say how it ended."""
    channel = Channel()
    wait_without_stalling()
    end_when_asked()
    outcome = work(ToldProgress(channel))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    channel.tell(outcome)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
