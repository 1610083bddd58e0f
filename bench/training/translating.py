"""Generators applied to whole splits, with noise that belongs to the image and not to its batch."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from bench.data.dataset import Split
from bench.data.tensors import to_tensor
from bench.streams import Streams
from variants.contract import Generator, Translation

PIXELS_AT_ONCE = 2**15
"""Images are translated in batches of at most so many pixels: eight of 64 px, one of 256 px."""


def image_noise(
    generator: Generator, streams: Streams, direction: str, names: Sequence[str], draw: int = 0
) -> Tensor | None:
    """The slot noise [n, s, d] of images by their file names; None for a generator that draws none.

    The noise of an image depends on seed, direction, name and number of the draw alone, so that no result
    depends on which images are translated together, or in which order.
    """
    shape = generator.noise_shape
    if shape is None:
        return None
    draws = [torch.randn(shape, generator=streams.torch("scoring", direction, name, draw)) for name in names]
    return torch.stack(draws)


@torch.inference_mode()
def translations(
    generator: Generator, split: Split, streams: Streams, direction: str, draw: int = 0
) -> Iterator[Translation]:
    """The translations of a split in its order, in batches; `generator` should be in eval mode."""
    device = next(generator.parameters(), torch.empty(0)).device
    _, height, width, _ = split.images.shape
    at_once = max(1, PIXELS_AT_ONCE // (height * width))
    for start in range(0, len(split), at_once):
        names = split.names[start : start + at_once]
        noise = image_noise(generator, streams, direction, names, draw)
        yield generator(to_tensor(split.images[start : start + at_once]).to(device), noise)
