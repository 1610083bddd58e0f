"""Translating a test split for measurement: in batches, in fp32, each image with its own noise.

The noise of an image follows from seed, direction, file name and number of the draw alone, so no result
depends on the size or the order of batches; nothing but the current batch is held.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.data.dataset import Split
from bench.data.tensors import masks_of, to_tensor
from bench.errors import BenchError
from bench.runs.records import Direction
from bench.streams import Streams
from variants.contract import Generator, Translation

PIXELS_AT_ONCE = 2**15
"""Images are translated in batches of at most so many pixels: eight of 64 px, one of 256 px."""


@dataclass(frozen=True, eq=False)
class Translated:
    """A batch of a split and what the generator made of it."""

    rows: slice
    """Its place in the split."""
    names: tuple[str, ...]
    source: Tensor
    """[b, 3, h, w] in [-1, 1], on the generator's device."""
    translation: Translation
    mask: Tensor | None = None
    """Masks of the foreground [b, 1, h, w], where the generator wants them."""


def translate_split(
    generator: Generator,
    split: Split,
    streams: Streams,
    direction: Direction,
    *,
    images_at_once: int | None = None,
) -> Iterator[Translated]:
    """The translations of a split in its order, with the first draw of noise.

    Raises BenchError for a translation that is not finite, naming the first such file.
    """
    device = device_of(generator)
    size = images_at_once or max(1, PIXELS_AT_ONCE // (split.images.shape[1] * split.images.shape[2]))
    for start in range(0, len(split), size):
        rows = slice(start, min(start + size, len(split)))
        names = split.names[rows]
        source = to_tensor(split.images[rows]).to(device)
        mask = masks_of(split, rows, generator.wants_masks)
        translation = translate(generator, source, names, streams, direction, mask=mask)
        yield Translated(rows, names, source, translation, mask)


def translate(
    generator: Generator,
    source: Tensor,
    names: Sequence[str],
    streams: Streams,
    direction: Direction,
    draw: int = 0,
    mask: Tensor | None = None,
) -> Translation:
    """The translation of images [b, 3, h, w] in [-1, 1] by their file names, with one draw of their noise.

    The generator is in eval mode afterwards. Raises BenchError where an output is not finite.
    """
    generator.eval()
    noise = noise_of(generator, names, streams, direction, draw)
    with torch.no_grad(), _exactly(source.device):
        translation = generator(source, noise, None if mask is None else mask.to(source.device))
    _require_finite(translation.image, names, direction)
    return translation


def noise_of(
    generator: Generator, names: Sequence[str], streams: Streams, direction: Direction, draw: int = 0
) -> Tensor | None:
    """The noise of images by their file names; None for a generator that draws none."""
    shape = generator.noise_shape
    return None if shape is None else streams.image_noise(shape, direction, names, draw)


def device_of(generator: Generator) -> torch.device:
    """Where the generator's weights are; the CPU for a generator without weights."""
    return next(generator.parameters(), torch.empty(0)).device


@contextlib.contextmanager
def _exactly(device: torch.device) -> Iterator[None]:
    """Measure in fp32 whatever precision trained: no autocast, no TensorFloat-32."""
    exact = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    with torch.autocast(device.type, enabled=False), exact:
        yield


def _require_finite(image: Tensor, names: Sequence[str], direction: Direction) -> None:
    broken = (~torch.isfinite(image)).flatten(1).sum(dim=1)
    if not broken.any():
        return
    first = int(torch.nonzero(broken)[0])
    raise BenchError(
        f"The translation {direction} of {names[first]} has {int(broken[first])} values of "
        f"{image[0].numel()} that are not finite (NaN or infinity), so nothing can be scored. Its "
        "generator's weights are broken: train again with a smaller learning rate "
        "(--set train.learning_rate=1e-4) or in fp32 (--set train.precision=fp32)."
    )
