"""The engine of many machines: every cell is a Ray task, which attends a worker process on its node.

Ray places the tasks by what a cell needs, and begins a task again elsewhere when its node is lost.
"""

import contextlib
import math
import os
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench.errors import BenchError
from bench.runs.folder import FolderInUse, RunFolder, pack_run, unpack_run
from bench.studies.engines.interface import Event, engine
from bench.studies.engines.ray_cluster import (
    GIB,
    MORE_THAN_THIS_MACHINE,
    Needs,
    carried_environment,
    cells_on,
    first_sentence,
    import_ray,
    join,
    nodes_of,
    refuse_silent,
    refuse_unreachable,
    refuse_what_no_node_holds,
)
from bench.studies.process import Message, Order, Outcome, Stop, supervise
from bench.studies.study import EngineSettings

SECONDS_BETWEEN_STOP_CHECKS = 1.0
SECONDS_OF_SILENCE = 10.0
"""After which a task that does not ask whether it is to stop is taken for one that is not at work."""
SECONDS_WITHOUT_A_NODE = 60.0
"""For which a node that can hold a cell may be missing before the cells are given up."""
SECONDS_BETWEEN_COUNTS = 2.0
"""Of the cluster's nodes."""
SECONDS_TO_ANSWER = 60.0
"""Of the mailbox, which lies beside the driver."""
ENDED_AT_ONCE = "Ended at once; it continues at its last checkpoint."
Finished = tuple[Outcome, bytes | None]


class Mailbox:
    """A Ray actor beside the driver: workers leave messages there and ask whether they are to stop."""

    def __init__(self) -> None:
        self._messages: list[Event] = []
        self._heard: dict[int, float] = {}
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

    def stopping(self, number: int) -> bool:
        """Whether workers are to stop. A cell that asks is at work."""
        self._heard[number] = time.monotonic()
        return self._stopping

    def at_work(self, seconds: float) -> set[int]:
        """The cells that have asked within the last `seconds`."""
        now = time.monotonic()
        return {number for number, heard in self._heard.items() if now - heard <= seconds}


def work_in_task(number: int, order: Order, packed: bytes | None, returned: bool, mailbox: Any) -> Finished:
    """What a Ray task does: supervise a worker on this node; with `returned`, in a folder that travels."""
    stop, ended = Stop(), threading.Event()
    listener = threading.Thread(target=_listen, args=(number, mailbox, stop, ended), daemon=True)
    listener.start()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            if returned:
                order = order.model_copy(update={"runs": Path(scratch)})
            folder = order.cell().folder(order.runs)
            if packed is not None:
                unpack_run(packed, folder)
            limits = {"OMP_NUM_THREADS": str(order.threads)}
            outcome = supervise(order, lambda message: mailbox.put.remote(number, message), stop, limits)
            return outcome, pack_run(folder) if returned and folder.is_dir() else None
    finally:
        ended.set()  # not before all is packed: a task that is not heard of is given up


def _listen(number: int, mailbox: Any, stop: Stop, ended: threading.Event) -> None:
    import ray

    while True:
        try:
            stop.asked = ray.get(mailbox.stopping.remote(number)) or stop.asked
        except ray.exceptions.RayError:  # the driver is gone
            stop.asked = True
        if ended.wait(SECONDS_BETWEEN_STOP_CHECKS):
            return


@dataclass(frozen=True)
class Submitted:
    """A task of which nothing final is known yet."""

    number: int
    order: Order
    holding: contextlib.ExitStack
    """The lock of its run folder, where that folder travels."""


@engine(
    "ray",
    summary="A Ray cluster, of this machine alone or of many.",
    is_here=lambda settings: settings.address in {None, "local"},
)
class RayEngine:
    """A Ray cluster by its address, or one on this machine, reached by nobody else, for the study's time."""

    def __init__(self, settings: EngineSettings, device: str = "auto") -> None:
        """Raises UsageError where the package is missing or no cluster can be joined at the address."""
        self._address = None if settings.address == "local" else settings.address
        if self._address:
            refuse_silent(self._address)
        else:
            os.environ.setdefault(MORE_THAN_THIS_MACHINE, "0")
        self._ray = import_ray()
        if self._address:
            refuse_unreachable(self._address)
        self._settings, self._device = settings, device
        self.threads = settings.threads or 1
        self._tasks: dict[Any, Submitted] = {}
        self._environment = carried_environment(os.environ)
        self._stopping = False
        self._nodes: tuple[float, list[Mapping[str, float]]] = (-math.inf, [])
        self._last_fit = time.monotonic()

    def __enter__(self) -> Self:
        ray = self._ray
        join(ray, self._address)
        try:
            refuse_what_no_node_holds(ray, self._needs, patient=self._address is not None)
            here = ray.get_runtime_context().get_node_id()
            beside = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(here, soft=False)
            self._mailbox = ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=beside).remote()
        except BaseException:
            ray.shutdown()
            raise
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
        nodes = self._counted()
        needs = self._needs(nodes)
        return max(1, sum(cells_on(node, needs) for node in nodes))

    def begin(self, number: int, order: Order) -> None:
        changes = {"threads": self.threads, "runs": order.runs.resolve(), "environment": self._environment}
        order = order.model_copy(update=changes)
        returned, holding, packed = self._settings.folders == "returned", contextlib.ExitStack(), None
        if returned:
            folder = RunFolder(order.cell().folder(order.runs))
            try:
                holding.enter_context(folder.locked())
            except FolderInUse as error:
                self._mailbox.put.remote(number, Outcome(outcome="held", reason=str(error)))
                return
            packed = pack_run(folder.path) if folder.run_json.exists() else None
        needs = self._needs(self._counted())
        task = self._ray.remote(work_in_task).options(
            num_cpus=needs["CPU"],
            num_gpus=needs["GPU"],
            memory=needs["memory"] or None,
            max_retries=self._settings.node_losses,
        )
        reference = task.remote(number, order, packed, returned, self._mailbox)
        self._tasks[reference] = Submitted(number, order, holding)

    def events(self, seconds: float) -> list[Event]:
        try:
            ended: list[Any] = []
            if self._tasks:
                ended, _ = self._ray.wait(list(self._tasks), timeout=seconds)
            else:
                time.sleep(seconds)
            said = self._ray.get(self._mailbox.take.remote(), timeout=SECONDS_TO_ANSWER)
            self._give_up_what_cannot_begin()
        except self._ray.exceptions.RayError as error:
            raise BenchError(
                f"The Ray cluster is gone ({first_sentence(error)}). Nothing is lost: start it again and "
                "repeat the command."
            ) from None
        return [*said, *(self._finish(task) for task in ended)]

    def stop(self, kill: bool = False) -> None:
        self._stopping = True
        self._mailbox.stop.remote()
        if kill:
            for task in self._tasks:
                self._ray.cancel(task, force=True)

    def _give_up_what_cannot_begin(self) -> None:
        """Cancel the tasks that are not at work, once they are to stop or no node has been there for them.

        One that is just beginning loses nothing: its worker saves what there is, and ends, when it is gone.
        """
        now, nodes = time.monotonic(), self._counted()
        if any(cells_on(node, self._needs(nodes)) for node in nodes):
            self._last_fit = now
        if not self._tasks or not (self._stopping or now - self._last_fit > SECONDS_WITHOUT_A_NODE):
            return
        at_work = self._ray.get(self._mailbox.at_work.remote(SECONDS_OF_SILENCE), timeout=SECONDS_TO_ANSWER)
        for task, submitted in self._tasks.items():
            if submitted.number not in at_work:
                self._ray.cancel(task, force=True)

    def _counted(self) -> list[Mapping[str, float]]:
        """What each living node has, counted anew now and then."""
        if time.monotonic() - self._nodes[0] > SECONDS_BETWEEN_COUNTS:
            self._nodes = time.monotonic(), nodes_of(self._ray)
        return self._nodes[1]

    def _finish(self, task: Any) -> Event:
        submitted, errors = self._tasks.pop(task), self._ray.exceptions
        with submitted.holding:
            try:
                outcome, packed = self._ray.get(task)
                if packed is not None:
                    order = submitted.order
                    unpack_run(packed, order.cell().folder(order.runs))
            except errors.TaskCancelledError:
                outcome = self._given_up()
            except errors.RayError as error:
                outcome = Outcome(outcome="failed", reason=f"Ray gave the cell up: {first_sentence(error)}.")
        return submitted.number, outcome

    def _given_up(self) -> Outcome:
        if not self._stopping:
            return Outcome(
                outcome="failed", reason="No node that could hold the cell was left in the cluster."
            )
        return Outcome(outcome="stopped", reason=ENDED_AT_ONCE)

    def _needs(self, nodes: Sequence[Mapping[str, float]]) -> Needs:
        """What Ray sets aside for a cell, given what the nodes have."""
        gpus = self._settings.gpus
        if gpus is None:
            there = any(node.get("GPU") for node in nodes)
            gpus = 1.0 if self._device.startswith("cuda") or (there and self._device != "cpu") else 0.0
        memory = (self._settings.memory_gib or 0.0) * GIB
        return {"CPU": float(self.threads), "GPU": gpus, "memory": memory}
