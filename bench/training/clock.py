"""What a training costs: its time, the part of it spent waiting for images, and its memory."""

import resource
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

STEPS_BEFORE_TIMING = 10
"""The first steps warm caches and allocators and are left out of the seconds a step."""
STATUS_OF_THIS_PROCESS = Path("/proc/self/status")


class Clock:
    """Adds up the time of training steps over all sessions; validation and checkpoints are not in it.

    Time is taken in laps of one or more steps, so that a GPU has to be waited for only now and then.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.data_seconds = 0.0
        self._steps = 0
        self._laps: list[tuple[int, float]] = []
        self._began = time.perf_counter()

    def start(self) -> float:
        """Begin a lap, so that the time since the last one does not count; gives the time of now."""
        self._began = time.perf_counter()
        return self._began

    def lap(self, steps: int) -> None:
        """End a lap of `steps` steps and begin the next."""
        now = time.perf_counter()
        lap, self._began = now - self._began, now
        self.seconds += lap
        if self._steps >= STEPS_BEFORE_TIMING and steps:
            self._laps.append((steps, lap))
        self._steps += steps

    @contextmanager
    def waiting_for_data(self) -> Iterator[None]:
        """The time within counts as data seconds, besides being training time."""
        began = time.perf_counter()
        yield
        self.data_seconds += time.perf_counter() - began

    @property
    def seconds_per_step(self) -> float | None:
        """Median over the laps after the first ten steps; None before."""
        if not self._laps:
            return None
        return statistics.median(seconds / steps for steps, seconds in self._laps)

    def state_dict(self) -> dict[str, Any]:
        """The times so far, for a checkpoint."""
        return {
            "seconds": self.seconds,
            "data_seconds": self.data_seconds,
            "steps": self._steps,
            "laps": self._laps,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from the times of a checkpoint."""
        self.seconds = state["seconds"]
        self.data_seconds = state["data_seconds"]
        self._steps = state["steps"]
        self._laps = state["laps"]


def peak_memory(device: torch.device) -> int:
    """Peak bytes held so far: by torch on a GPU, by the whole process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if STATUS_OF_THIS_PROCESS.exists():
        # ru_maxrss would begin with what the parent process held when it started this one.
        for line in STATUS_OF_THIS_PROCESS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
