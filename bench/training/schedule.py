"""What a step is done with: learning rates, weights and random draws, as pure functions of its number."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.protocol import TrainSettings
from bench.streams import Streams
from bench.training.discriminators import DRAWS
from variants.contract import Noise


class Rates(NamedTuple):
    """What a step is done with; None where the rule is off."""

    learning_rate: float
    """Of the generators, and of all else that has no rate of its own."""
    learning_rate_discriminators: float | None = None
    identity_weight: float | None = None
    """Where it fades."""

    @property
    def of_later_rules(self) -> dict[str, float]:
        """Name -> value of what is on beside the learning rate: the table of losses and the trace have it."""
        rules = {name: value for name, value in self._asdict().items() if name != "learning_rate"}
        return {name: value for name, value in rules.items() if value is not None}


@dataclass(frozen=True)
class Schedule:
    """The course of one training. Steps are counted from 1, so that step n ends with n steps done."""

    images_to_see: int
    """Images of each domain fed in the whole training; the last batch may exceed it."""
    settings: TrainSettings

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return math.ceil(self.images_to_see / self.settings.batch)

    def images_seen(self, step: int) -> int:
        """Images of each domain fed when `step` is done."""
        return step * self.settings.batch

    def learning_rate(self, step: int) -> float:
        """The rate at `step`: constant for `constant_share` of the images, then linearly towards 0."""
        seen = self.images_seen(step - 1)
        constant = self.settings.constant_share * self.images_to_see
        if seen <= constant:
            return self.settings.learning_rate
        return self.settings.learning_rate * (self.images_to_see - seen) / (self.images_to_see - constant)

    def rates(self, step: int) -> Rates:
        """Every rate and weight at `step`."""
        rate, own, fade = (
            self.learning_rate(step),
            self.settings.discriminator_learning_rate,
            self.settings.identity_fade,
        )
        return Rates(
            rate,
            None if own is None else own * (rate / self.settings.learning_rate),
            None if fade is None else self.settings.identity_weight * self._left_of(fade, step),
        )

    def _left_of(self, share: float, step: int) -> float:
        """What is left at `step` of 1 that falls linearly to 0 over a share of the images."""
        return max(0.0, 1 - self.images_seen(step - 1) / (share * self.images_to_see))

    def is_logged(self, step: int) -> bool:
        """Whether the losses of `step` become a row of losses.csv."""
        return step % self.settings.log_every == 0 or step == self.steps

    def is_validated(self, step: int) -> bool:
        """Whether the weights are validated after `step`: evenly spread, the last step among them."""
        count = min(self.settings.validations, self.steps)
        return step in {round(self.steps * (k + 1) / count) for k in range(count)}


@dataclass(frozen=True)
class StepStreams:
    """The random streams at one step (counted from 1): two calls with equal arguments draw the same."""

    streams: Streams
    step: int

    def slot_noise(self, role: str) -> Noise:
        """The noise of one generator pass: `fake_A`, `identity_A`, `reconstruction_A`, ... by its output."""
        return self.streams.torch("slot-noise", self.step, role)

    def pool(self, domain: str) -> np.random.Generator:
        """Decides what the pool of a domain exchanges."""
        return self.streams.numpy("image-pool", self.step, domain)

    def patches(self, role: str, layer: int, available: int, wanted: int) -> Tensor:
        """Which places of a layer with `available` places are compared: [min(wanted, available)], int64."""
        order = torch.randperm(available, generator=self.streams.torch("patches", self.step, role, layer))
        return order[:wanted]

    def penalty_mix(self, domain: str, batch: int) -> Tensor:
        """Where between real (0) and translated (1) image the gradient is penalised: [b], on the CPU."""
        return torch.rand(batch, generator=self.streams.torch("gradient-penalty", self.step, domain))

    def diffaugment(self, role: str, batch: int) -> NDArray[np.float64]:
        """What augments a batch that a discriminator is shown: [b, 7] in [0, 1), see `diffaugment`.

        Roles are `real_A`, `judged_A` (translations that the discriminator learns from) and `fake_A`
        (translations whose generator learns from it), by domain.
        """
        return self.streams.numpy("diffaugment", self.step, role).random((batch, DRAWS))
