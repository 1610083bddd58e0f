"""The random draws of one training step, by what they are for: the order of the calls does not matter."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.streams import Streams
from bench.training.diffaugment import DRAWS
from variants.contract import Noise


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
