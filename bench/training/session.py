"""A training at one instant: all that its steps change, and so all that a checkpoint holds.

Where the protocol asks for it, moving averages of the generators' weights are validated, scored and kept.
Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data" (arXiv 2006.06676): the decay
is given by a half-life in images, which ramps up with the images seen so far, so that it does not depend on
the batch and the initial weights are soon forgotten. An average over the last part of a training is steadier
than its last step (Yazici et al. 2019; Karras et al. 2024 study its length).
"""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor

import variants
from bench.cell import Cell
from bench.data.order import Draw
from bench.protocol import TrainSettings
from bench.runs.folder import RunFolder
from bench.runs.records import DIRECTIONS
from bench.training.checkpoint import load_checkpoint, save_checkpoint
from bench.training.logs import EMPTY_TRACE, Clock, LossLog, extend_trace
from bench.training.objective import Pair, Step, build_objective, objective_name
from bench.training.schedule import Rates, Schedule, StepStreams
from bench.training.validate import ValidationLog
from variants.contract import Generator

Generators = dict[str, Generator]


class Session:
    """Generators, objective, logs, clock and trace hash of a run after `step` steps."""

    def __init__(self, cell: Cell, generators: Generators, schedule: Schedule) -> None:
        settings = cell.protocol.train
        self.step = 0
        self.trace = EMPTY_TRACE
        self.trace_without_pool: str | None = EMPTY_TRACE
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
        self.trace = extend_trace(self.trace, draw, done.swaps, rates.learning_rate, later)
        if self.trace_without_pool is not None:
            self.trace_without_pool = extend_trace(
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
        self._write_tables(folder)
        self.clock.start()

    def _write_tables(self, folder: RunFolder) -> None:
        self.losses.write(folder)
        self.validations.write(folder)

    def resume(self, folder: RunFolder, device: torch.device) -> None:
        """Go on from the newest whole checkpoint, with the tables up to it; without one nothing changes."""
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
            self._write_tables(folder)  # which may have failed after the checkpoint, of the last step too
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


class MovingAverage:
    """Averages of the generators `A2B` and `B2A`, beside those that are trained."""

    def __init__(self, trained: Mapping[str, Generator], half_life: float, settings: TrainSettings) -> None:
        self.generators = {direction: copy.deepcopy(each) for direction, each in trained.items()}
        self._trained = trained
        self._half_life = half_life
        self._settings = settings

    def update(self, images_seen: int) -> None:
        """Take in the trained weights after a step, the last of `images_seen` images of each domain."""
        share = 1 - decay(self._half_life, self._settings.ema_ramp_up, images_seen, self._settings.batch)
        with torch.no_grad():
            for direction, average in self.generators.items():
                pairs = [*zip(tensors(average), tensors(self._trained[direction]), strict=True)]
                numbers = [pair for pair in pairs if pair[0].is_floating_point()]
                torch._foreach_lerp_([mine for mine, _ in numbers], [theirs for _, theirs in numbers], share)
                for mine, theirs in pairs:
                    if not mine.is_floating_point():
                        mine.copy_(theirs)


def decay(half_life: float, ramp_up: float, images_seen: int, batch: int) -> float:
    """What is left of the average before a step of `batch` images; `ramp_up` as in the protocol."""
    return float(0.5 ** (batch / min(half_life, ramp_up * images_seen)))


def tensors(generator: Generator) -> Iterator[Tensor]:
    """Weights and buffers, such as running statistics."""
    yield from generator.parameters()
    yield from generator.buffers()


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
