"""The engine of one machine: every cell in a spawned process, some at a time."""

import os
import queue
import shutil
import subprocess
import threading
from types import TracebackType
from typing import Self

from bench.setup import usable_cores
from bench.studies.engines.interface import Event, engine
from bench.studies.process import Order, Outcome, Stop, supervise
from bench.studies.study import EngineSettings


@engine("local", summary="Processes on this machine.", is_here=lambda settings: True)
class LocalEngine:
    """Processes on this machine; they share its cores evenly, and each has one GPU where there are any."""

    def __init__(self, settings: EngineSettings, device: str = "auto") -> None:
        self._gpus = visible_gpus() if device in {"auto", "cuda"} else []
        self._workers = settings.workers or max(1, len(self._gpus))
        self.threads = settings.threads or max(1, usable_cores() // self._workers)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._stop = Stop()
        self._places = list(range(self._workers))
        self._supervisors: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(kill=True)
        for supervisor in self._supervisors:
            supervisor.join()

    def capacity(self) -> int:
        return self._workers

    def begin(self, number: int, order: Order) -> None:
        place = self._places.pop(0)
        order = order.model_copy(update={"threads": self.threads})
        supervisor = threading.Thread(target=self._supervise, args=(number, order, place))
        self._supervisors.append(supervisor)
        supervisor.start()

    def events(self, seconds: float) -> list[Event]:
        found = []
        try:
            found.append(self._events.get(timeout=seconds))
            while True:
                found.append(self._events.get_nowait())
        except queue.Empty:
            return found

    def stop(self, kill: bool = False) -> None:
        self._stop.asked = True
        self._stop.kill = self._stop.kill or kill

    def _supervise(self, number: int, order: Order, place: int) -> None:
        try:
            outcome = supervise(
                order,
                lambda message: self._events.put((number, message)),
                self._stop,
                self._environment(place),
            )
        except Exception as error:
            outcome = Outcome(outcome="failed", reason=f"No worker: {type(error).__name__}: {error}")
        self._places.append(place)
        self._events.put((number, outcome))

    def _environment(self, place: int) -> dict[str, str]:
        limits = {"OMP_NUM_THREADS": str(self.threads)}
        if self._gpus:
            limits["CUDA_VISIBLE_DEVICES"] = self._gpus[place % len(self._gpus)]
        return limits


def visible_gpus() -> list[str]:
    """Names, as CUDA_VISIBLE_DEVICES takes them, of the GPUs that this process may use; without torch."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is not None:
        return [name.strip() for name in listed.split(",") if name.strip() not in {"", "-1"}]
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        answer = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    gpus = [line for line in answer.stdout.splitlines() if line.startswith("GPU ")]
    return [str(number) for number in range(len(gpus))]
