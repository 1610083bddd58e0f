"""The engine of many machines: every cell is a Ray task, which attends a worker process on its node.

Ray places the tasks by what a cell needs, and begins a task again elsewhere when its node is lost.
"""

import contextlib
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.errors import UsageError
from bench.runs.folder import FolderInUse, RunFolder
from bench.studies.attend import Stop, attend
from bench.studies.engine import Event
from bench.studies.orders import Message, Order, Outcome
from bench.studies.packing import pack, unpack
from bench.studies.study import EngineSettings

SECONDS_BETWEEN_STOP_CHECKS = 1.0
# Ray reads this when it is imported; with "0" its processes listen at 127.0.0.1 on every system, as they
# always do on Windows and macOS.
MORE_THAN_THIS_MACHINE = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
GIB = 1 << 30
Finished = tuple[Outcome, bytes | None]


class Mailbox:
    """A Ray actor beside the driver: workers leave messages there and ask whether they are to stop."""

    def __init__(self) -> None:
        self._messages: list[Event] = []
        self._stopping = False

    def put(self, number: int, message: Message) -> None:
        """A message for the driver."""
        self._messages.append((number, message))

    def take(self) -> list[Event]:
        """All messages since the last call."""
        taken, self._messages = self._messages, []
        return taken

    def stop(self) -> None:
        """From now on every worker is to stop."""
        self._stopping = True

    def stopping(self) -> bool:
        """Whether workers are to stop."""
        return self._stopping


def attend_in_task(number: int, order: Order, packed: bytes | None, returned: bool, mailbox: Any) -> Finished:
    """What a Ray task does: attend a worker on this node; with `returned`, in a folder that travels."""
    stop, ended = Stop(), threading.Event()
    listener = threading.Thread(target=_listen, args=(mailbox, stop, ended), daemon=True)
    listener.start()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        if returned:
            order = order.model_copy(update={"runs": Path(scratch)})
        folder = order.cell().folder(order.runs)
        if packed is not None:
            unpack(packed, folder)
        limits = {"OMP_NUM_THREADS": str(order.threads)}
        outcome = attend(order, lambda message: mailbox.put.remote(number, message), stop, limits)
        ended.set()
        return outcome, pack(folder) if returned and folder.is_dir() else None


def _listen(mailbox: Any, stop: Stop, ended: threading.Event) -> None:
    import ray

    while not ended.wait(SECONDS_BETWEEN_STOP_CHECKS):
        try:
            stop.asked = stop.asked or ray.get(mailbox.stopping.remote())
        except ray.exceptions.RayError:  # the driver is gone
            stop.asked = True


@dataclass(frozen=True)
class Submitted:
    """A task of which nothing final is known yet."""

    number: int
    order: Order
    holding: contextlib.ExitStack
    """The lock of its run folder, where that folder travels."""


class RayEngine:
    """A Ray cluster by its address, or one on this machine, reached by nobody else, for the study's time."""

    def __init__(self, settings: EngineSettings, device: str = "auto") -> None:
        if not settings.address:
            os.environ.setdefault(MORE_THAN_THIS_MACHINE, "0")
        ray = import_ray()
        self._settings, self._device, self._ray = settings, device, ray
        self.threads = settings.threads or 1
        self._tasks: dict[Any, Submitted] = {}

    def __enter__(self) -> Self:
        ray = self._ray
        ray.init(address=self._settings.address or "local", log_to_driver=False, configure_logging=False)
        here = ray.get_runtime_context().get_node_id()
        beside = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(here, soft=False)
        self._mailbox = ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=beside).remote()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for submitted in self._tasks.values():
            submitted.holding.close()
        self._ray.shutdown()

    def capacity(self) -> int:
        if self._settings.workers is not None:
            return self._settings.workers
        total = self._ray.cluster_resources()
        needs = self._needs(total)
        room = [total.get(name, 0) / amount for name, amount in needs.items() if amount]
        return max(1, int(min(room)))

    def begin(self, number: int, order: Order) -> None:
        order = order.model_copy(update={"threads": self.threads, "runs": order.runs.resolve()})
        returned, holding, packed = self._settings.folders == "returned", contextlib.ExitStack(), None
        if returned:
            folder = RunFolder(order.cell().folder(order.runs))
            try:
                holding.enter_context(folder.locked())
            except FolderInUse as error:
                self._mailbox.put.remote(number, Outcome(outcome="held", reason=str(error)))
                return
            packed = pack(folder.path) if folder.run_json.exists() else None
        needs = self._needs(self._ray.cluster_resources())
        task = self._ray.remote(attend_in_task).options(
            num_cpus=needs["CPU"],
            num_gpus=needs["GPU"],
            memory=needs["memory"] or None,
            max_retries=self._settings.node_losses,
        )
        reference = task.remote(number, order, packed, returned, self._mailbox)
        self._tasks[reference] = Submitted(number, order, holding)

    def events(self, seconds: float) -> list[Event]:
        ended: list[Any] = []
        if self._tasks:
            ended, _ = self._ray.wait(list(self._tasks), timeout=seconds)
        else:
            time.sleep(seconds)
        said = self._ray.get(self._mailbox.take.remote())
        return [*said, *(self._finish(task) for task in ended)]

    def stop(self, kill: bool = False) -> None:
        self._mailbox.stop.remote()
        if kill:
            for task in self._tasks:
                self._ray.cancel(task, force=True)

    def _finish(self, task: Any) -> Event:
        submitted, errors = self._tasks.pop(task), self._ray.exceptions
        with submitted.holding:
            try:
                outcome, packed = self._ray.get(task)
                if packed is not None:
                    order = submitted.order
                    unpack(packed, order.cell().folder(order.runs))
            except errors.TaskCancelledError:
                outcome = Outcome(
                    outcome="stopped", reason="Ended at once; it continues at its last checkpoint."
                )
            except errors.RayError as error:
                lines = str(error).strip().splitlines() or [type(error).__name__]
                outcome = Outcome(outcome="failed", reason=f"Ray gave the cell up: {lines[0]}")
        return submitted.number, outcome

    def _needs(self, total: dict[str, float]) -> dict[str, float]:
        """What Ray sets aside for a cell, given what the cluster has."""
        gpus = self._settings.gpus
        if gpus is None:
            gpus = 1.0 if total.get("GPU") and self._device != "cpu" else 0.0
        memory = (self._settings.memory_gib or 0.0) * GIB
        return {"CPU": float(self.threads), "GPU": gpus, "memory": memory}


def import_ray() -> Any:
    """The ray package. Raises UsageError with the command that installs it."""
    try:
        import ray
        import ray.util.scheduling_strategies
    except ImportError:
        raise UsageError(
            "The engine ray needs the package ray. Install it: pip install 'bench-unpaired[ray]', "
            "or use --engine local"
        ) from None
    return ray
