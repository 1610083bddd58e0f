"""What the slot variants share: how their slots start, and how masks weigh contents and the input."""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from variants.contract import Generator, Noise, Translation, compose
from variants.parts.masks import Place, background_index, with_background
from variants.parts.slot_head import Attended
from variants.slot_parameters import SlotParameters


class SharedNoise(nn.Module):
    """One draw [1, s, d] of the slot noise, kept with the weights and used for every image."""

    values: Tensor

    def __init__(self, slots: int, features: int) -> None:
        super().__init__()
        self.register_buffer("values", torch.randn(1, slots, features))

    def forward(self, batch: int) -> Tensor:
        """The noise [b, s, d] of a batch."""
        return self.values.expand(batch, -1, -1)

    def draw_weights(self, draw: Callable[[str], torch.Generator]) -> None:
        """Draw anew, standard normal as fresh noise is."""
        self.values.normal_(generator=draw("values"))


class SlotGenerator(Generator):
    """Base of the slot variants; a subclass adds trunk and head and says where the input comes."""

    place: ClassVar[Place] = "last"

    def __init__(self, parameters: SlotParameters) -> None:
        super().__init__()
        shape = (parameters.slots, parameters.slot_size)
        self.mode = parameters.background
        self.background = background_index(parameters.slots, self.mode, self.place)
        self.convex = self.mode != "reuse"
        self.noise_shape = shape if parameters.noise == "fresh" else None
        self.shared_noise = SharedNoise(*shape) if parameters.noise == "shared" else None
        self.head_initialisation = parameters.init

    def starting_noise(self, batch: int, noise: Noise) -> Tensor:
        """The noise [b, s, d] that slots start from: the kept one, whatever is given, or else a draw."""
        return self.draw_noise(batch, noise) if self.shared_noise is None else self.shared_noise(batch)

    def weigh(self, contents: Tensor, attended: Attended, image: Tensor) -> Translation:
        """The translation of images [b, 3, h, w] by contents [b, k, 3, h, w] and the masks of the slots."""
        contents, masks = with_background(
            contents, attended.masks, image, self.mode, self.place, attended.foreground
        )
        return Translation(compose(contents, masks), contents, masks)
