"""Attending a worker: start the process of a cell, pass its messages on, understand its end."""

import contextlib
import platform
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.data.catalogue import SETS
from bench.errors import BenchError
from bench.runs.folder import FolderInUse, RunFolder
from bench.studies.moment import now
from bench.studies.orders import MESSAGE, Message, Order, Outcome
from bench.workers import Worker

MODULE = "bench.studies.worker"
SECONDS_BETWEEN_LOOKS = 0.2
Tell = Callable[[Message], None]


class Stop:
    """What the driver wants of a worker: go on, stop when everything is saved, or end at once."""

    def __init__(self) -> None:
        self.asked = False
        self.kill = False


def attend(
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
