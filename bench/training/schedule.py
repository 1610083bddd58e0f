"""How long a training lasts, its learning rate and when it is validated: pure functions."""

import math
from dataclasses import dataclass

from bench.protocol import TrainSettings


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

    def is_logged(self, step: int) -> bool:
        """Whether the losses of `step` become a row of losses.csv."""
        return step % self.settings.log_every == 0 or step == self.steps

    def is_validated(self, step: int) -> bool:
        """Whether the weights are validated after `step`: evenly spread, the last step among them."""
        count = min(self.settings.validations, self.steps)
        return step in {round(self.steps * (k + 1) / count) for k in range(count)}
