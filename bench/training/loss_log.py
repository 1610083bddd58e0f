"""The losses of a run: every step's are checked, every `log_every`-th step's become a row of losses.csv."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from bench.errors import BenchError
from bench.runs import atomic
from bench.runs.folder import RunFolder
from bench.training.clock import Clock
from bench.training.schedule import Schedule


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
        judges = sum(latest[name] for name in latest if name.startswith("discriminator"))
        return f"generators {generator:.2f} discriminators {judges:.2f}"

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
