"""The generator's own grid: how many pixels of the output come from one place of its smallest decoded map."""

from typing import Any

import torch
from torch import Tensor, nn

from variants.contract import Generator, some_mask

ENLARGING = (nn.ConvTranspose2d, nn.PixelShuffle, nn.Upsample)
"""Layers whose stride can show as a grid."""


def decoder_period(generator: Generator, image: Tensor, noise: Tensor | None) -> int | None:
    """Height of an image [1, 3, h, w] over the smallest height that enters an enlarging layer, in pixels.

    16 for a slot decoder, 4 for the ResNet trunk. Found by watching one forward pass, so it holds for
    anybody's generator; None where no layer enlarges.
    """
    heights: list[int] = []

    def note(layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        heights.append(int(inputs[0].shape[-2]))

    layers = [layer for layer in generator.modules() if isinstance(layer, ENLARGING)]
    hooks = [layer.register_forward_pre_hook(note) for layer in layers]
    try:
        with torch.no_grad():
            generator(image, noise, some_mask(generator, image))
    finally:
        for hook in hooks:
            hook.remove()
    period = image.shape[-2] // min(heights, default=image.shape[-2])
    return period if period > 1 else None
