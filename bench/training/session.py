"""A training at one instant: all that its steps change, and so all that a checkpoint holds."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

import variants
from bench.cell import Cell
from bench.data.order import Draw
from bench.runs.folder import RunFolder
from bench.runs.records import DIRECTIONS
from bench.training import trace
from bench.training.checkpoints import load_checkpoint, save_checkpoint
from bench.training.clock import Clock
from bench.training.loss_log import LossLog
from bench.training.moving_average import MovingAverage
from bench.training.objective import Pair, Step
from bench.training.objectives import build_objective, objective_name
from bench.training.schedule import Rates, Schedule
from bench.training.step_streams import StepStreams
from bench.training.validate import ValidationLog
from variants.contract import Generator

Generators = dict[str, Generator]


class Session:
    """Generators, objective, logs, clock and trace hash of a run after `step` steps."""

    def __init__(self, cell: Cell, generators: Generators, schedule: Schedule) -> None:
        settings = cell.protocol.train
        self.step = 0
        self.trace = trace.EMPTY
        self.trace_without_pool: str | None = trace.EMPTY
        self.warnings: tuple[str, ...] = ()
        self.generators = generators
        self.average = (
            None
            if settings.ema_half_life is None
            else MovingAverage(generators, settings.ema_half_life, settings)
        )
        self.objective = build_objective(objective_name(cell), generators, settings, cell.streams())
        self.losses = LossLog(self.objective.loss_names, schedule)
        self.validations = ValidationLog()
        self.clock = Clock()

    @property
    def kept(self) -> Generators:
        """The generators that are validated, scored and kept: the averages where the protocol has them."""
        return self.generators if self.average is None else self.average.generators

    def learn(self, images: Pair, streams: StepStreams, images_seen: int) -> Step:
        """Update all weights once, and the averages after them; `images_seen` with this step's."""
        done = self.objective.step(images, streams)
        if self.average is not None:
            self.average.update(images_seen)
        return done

    def record(self, step: int, draw: Draw, done: Step, rates: Rates) -> None:
        """Note that a step was done, on what and with which losses."""
        self.step = step
        later = rates.of_later_rules | {f"augment_{role}": each for role, each in done.augmentations.items()}
        self.trace = trace.extend(self.trace, draw, done.swaps, rates.learning_rate, later)
        if self.trace_without_pool is not None:
            self.trace_without_pool = trace.extend(
                self.trace_without_pool, draw, (), rates.learning_rate, later
            )
        self.losses.add(step, done.losses)

    def settle(self) -> None:
        """Wait for the device, end a lap of the clock and check the losses since the last time.

        Raises BenchError where a loss is not finite, before anything is saved.
        """
        self.losses.flush(self.clock)

    def save(self, folder: RunFolder) -> None:
        """Write a checkpoint, then losses.csv and validation.csv up to it."""
        self.settle()
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        plain = {
            "step": self.step,
            "trace": self.trace,
            "trace_without_pool": self.trace_without_pool,
            "warnings": list(self.warnings),
        }
        save_checkpoint(folder.checkpoints, plain | parts)
        self.losses.write(folder)
        self.validations.write(folder)
        self.clock.start()

    def resume(self, folder: RunFolder, device: torch.device) -> None:
        """Go on from the newest whole checkpoint; without one nothing changes."""
        loaded = load_checkpoint(folder.checkpoints, device)
        if loaded is None:
            return
        if loaded.state:
            for name, part in self._parts().items():
                part.load_state_dict(loaded.state[name])
            self.step, self.trace = loaded.state["step"], loaded.state["trace"]
            # Checkpoints of before this hash was kept cannot tell what it was.
            self.trace_without_pool = loaded.state.get("trace_without_pool")
            self.warnings = tuple(loaded.state["warnings"])
        self.warnings += tuple(f"{each} Continued at step {self.step}." for each in loaded.warnings)

    def _parts(self) -> Mapping[str, Any]:
        """What has a state, by its name in the checkpoint."""
        averages = {} if self.average is None else self.average.generators
        return {
            **{f"generator_{direction}": self.generators[direction] for direction in DIRECTIONS},
            **{f"average_{direction}": each for direction, each in averages.items()},
            "objective": self.objective,
            "losses": self.losses,
            "validations": self.validations,
            "clock": self.clock,
        }


def fresh_generators(cell: Cell, device: torch.device) -> Generators:
    """Both generators of a cell with their initial weights, which depend on seed and parameter name alone."""
    generators: Generators = {}
    for direction in DIRECTIONS:
        generator = variants.build(cell.variant, cell.protocol.model)
        variants.initialise(generator, partial(cell.streams().torch, "initial-weights", direction))
        generators[direction] = generator.to(device)
    return generators


@contextmanager
def evaluating(generators: Mapping[str, Generator]) -> Iterator[None]:
    """Within, generators are in eval mode: batch normalisation uses its running statistics."""
    for generator in generators.values():
        generator.eval()
    try:
        yield
    finally:
        for generator in generators.values():
            generator.train()
