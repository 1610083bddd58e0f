"""The image pool: discriminators also see translations of earlier steps (Shrivastava et al. 2017, 2.3)."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

KEPT = -1
"""In a list of swaps: this image was shown as it came."""


class Shown(NamedTuple):
    """What the discriminator is shown in place of the new translations."""

    images: Tensor
    """[b, 3, h, w]"""
    swaps: tuple[int, ...]
    """For every image the place in the pool it was exchanged with, or KEPT."""


class ImagePool:
    """Up to `capacity` translations of one domain, float32, without gradients.

    Until the pool is full every translation is shown and stored. Then half of them are exchanged for one
    stored earlier, at a random place. With capacity 0 every translation is shown.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._images: list[Tensor] = []

    def exchange(self, images: Tensor, chance: np.random.Generator) -> Shown:
        """What to show for new translations [b, 3, h, w]; `chance` alone decides, never the images."""
        shown, swaps = zip(*(self._exchange_one(image, chance) for image in images), strict=True)
        return Shown(torch.stack(shown), swaps)

    def _exchange_one(self, image: Tensor, chance: np.random.Generator) -> tuple[Tensor, int]:
        if len(self._images) < self.capacity:
            self._images.append(image.clone())
            return image, KEPT
        if self.capacity == 0 or chance.random() < 0.5:
            return image, KEPT
        place = int(chance.integers(self.capacity))
        earlier, self._images[place] = self._images[place], image.clone()
        return earlier, place

    def state_dict(self) -> dict[str, Any]:
        """The stored images, for a checkpoint."""
        return {"images": torch.stack(self._images) if self._images else None}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the stored images of a checkpoint."""
        self._images = [] if state["images"] is None else list(state["images"].unbind())
