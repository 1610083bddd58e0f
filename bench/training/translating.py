"""Generators applied to whole splits, with noise that belongs to the image and not to its batch."""

from collections.abc import Iterator

import torch

from bench.data.dataset import Split
from bench.data.tensors import masks_of, to_tensor
from bench.streams import Streams
from variants.contract import Generator, Translation

PIXELS_AT_ONCE = 2**15
"""Images are translated in batches of at most so many pixels: eight of 64 px, one of 256 px."""


@torch.inference_mode()
def translations(
    generator: Generator, split: Split, streams: Streams, direction: str
) -> Iterator[Translation]:
    """The translations of a split in its order, in batches; `generator` should be in eval mode."""
    device = next(generator.parameters(), torch.empty(0)).device
    _, height, width, _ = split.images.shape
    at_once = max(1, PIXELS_AT_ONCE // (height * width))
    for start in range(0, len(split), at_once):
        names = split.names[start : start + at_once]
        shape = generator.noise_shape
        noise = None if shape is None else streams.image_noise(shape, direction, names)
        mask = masks_of(split, slice(start, start + at_once), generator.wants_masks)
        image = to_tensor(split.images[start : start + at_once]).to(device)
        yield generator(image, noise, None if mask is None else mask.to(device))
