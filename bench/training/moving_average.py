"""The exponential moving average of the generators' weights: what is validated, scored and kept.

Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data" (arXiv 2006.06676): the decay
is given by a half-life in images, which ramps up with the images seen so far, so that it does not depend on
the batch and the initial weights are soon forgotten. An average over the last part of a training is steadier
than its last step (Yazici et al. 2019; Karras et al. 2024 study its length).
"""

import copy
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from bench.protocol import TrainSettings
from variants.contract import Generator


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
