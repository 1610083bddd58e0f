"""What is noted of a training: its time and memory, its losses, and the hash over all that it was fed."""

import hashlib
import math
import resource
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from bench.data.order import Draw
from bench.errors import BenchError
from bench.runs import atomic
from bench.runs.folder import RunFolder
from bench.training.schedule import Schedule

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


class LossLog:
    """Collects losses on their device; `flush` brings them over in one piece, so that a GPU need not wait."""

    def __init__(self, names: tuple[str, ...], schedule: Schedule) -> None:
        self.names = names
        self._schedule = schedule
        self._pending: list[tuple[int, Tensor]] = []
        self._rows: list[list[float]] = []

    def add(self, step: int, losses: Mapping[str, Tensor]) -> None:
        """Take the losses of a step, scalars on any device."""
        self._pending.append((step, torch.stack([losses[name].float() for name in self.names])))

    def flush(self, clock: Clock) -> None:
        """Check all losses taken since the last flush and make rows of those to be logged.

        Ends a lap of `clock`. Raises BenchError with step and loss where one is not finite.
        """
        if not self._pending:
            return
        steps = [step for step, _ in self._pending]
        values = torch.stack([losses for _, losses in self._pending]).tolist()
        clock.lap(len(steps))
        self._pending = []
        for step, losses in zip(steps, values, strict=True):
            self._refuse_divergence(step, losses)
            if self._schedule.is_logged(step):
                seen, rates = self._schedule.images_seen(step), self._schedule.rates(step)
                further = rates.of_later_rules.values()
                self._rows.append([step, seen, *losses, rates.learning_rate, *further, clock.seconds])

    def figures(self) -> str:
        """The latest losses in few words, for the progress bar."""
        if not self._rows:
            return ""
        latest = dict(zip(self.names, self._rows[-1][2:], strict=False))
        generator = sum(latest[name] for name in latest if not name.startswith(("discriminator", "gradient")))
        discriminator = sum(latest[name] for name in latest if name.startswith("discriminator"))
        return f"generators {generator:.2f} discriminators {discriminator:.2f}"

    def write(self, folder: RunFolder) -> None:
        """Replace losses.csv."""
        further = self._schedule.rates(1).of_later_rules
        header = ["step", "images_seen", *self.names, "learning_rate", *further, "seconds"]
        rows = [[int(row[0]), int(row[1]), *map(_number, row[2:-1]), f"{row[-1]:.3f}"] for row in self._rows]
        atomic.write_csv(folder.losses_csv, header, rows)

    def state_dict(self) -> dict[str, Any]:
        """The rows so far, for a checkpoint; flush first."""
        return {"rows": torch.tensor(self._rows, dtype=torch.float64)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the rows of a checkpoint."""
        self._rows = state["rows"].tolist()
        self._pending = []

    def _refuse_divergence(self, step: int, losses: list[float]) -> None:
        broken = [name for name, loss in zip(self.names, losses, strict=True) if not math.isfinite(loss)]
        if broken:
            raise BenchError(
                f"Training diverged at step {step}, loss {', '.join(broken)}: not a finite number. The run "
                "ends as failed; what was written before is kept. Repeat it with a smaller "
                "train.learning_rate or, if it ran in bf16, with --set train.precision=fp32"
            )


def _number(value: float) -> str:
    return f"{value:.9g}"


NOTHING: Mapping[str, ArrayLike] = {}
EMPTY_TRACE = hashlib.sha256(b"bench trace 1").hexdigest()
"""The rolling hash before the first step; two runs of equal trace hash had the same schedule."""


def extend_trace(
    trace: str,
    draw: Draw,
    swaps: Sequence[int],
    learning_rate: float,
    later: Mapping[str, ArrayLike] = NOTHING,
) -> str:
    """The trace hash after one more step: SHA-256 over the one before and what this step was fed.

    Fed are the images' indices, crops and flips (`draw`), what the image pools exchanged (`swaps`, in the
    order of the objective) and the learning rate. Rules that came later, such as augmentations and further
    rates, are in `later` by name where they are on. Nothing of the variant enters.
    """
    fed = [
        bytes.fromhex(trace),
        draw.record(),
        np.array([len(swaps), *swaps], dtype="<i8").tobytes(),
        np.array([learning_rate], dtype="<f8").tobytes(),
    ]
    for name, values in sorted(later.items()):
        fed += [name.encode(), np.asarray(values, dtype="<f8").tobytes()]
    return hashlib.sha256(b"".join(fed)).hexdigest()
