"""Which images a training step is fed, how they are cropped and flipped: a pure function of the step.

Sample t (t = step * batch + position in the batch) is drawn from random streams keyed by t, so nothing has
to be saved to resume, and the batch size changes only how the samples are grouped.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.data.dataset import Dataset, Images, Masks
from bench.protocol import ImageSettings
from bench.streams import Streams

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Views:
    """The part of a draw that concerns one domain; every array is [b]."""

    indices: Integers
    tops: Integers
    """First row of the crop."""
    lefts: Integers
    """First column of the crop."""
    flips: NDArray[np.bool_]
    """True: mirrored left to right, after cropping."""

    def apply(self, images: Images, size: int) -> Images:
        """The cropped and flipped images, uint8 [b, size, size, 3], a copy."""
        views: Images = self._cropped(images, size)
        return views

    def apply_to_masks(self, masks: Masks, size: int) -> Masks:
        """The masks [b, size, size] of the same images, cropped and flipped with them."""
        views: Masks = self._cropped(masks, size)
        return views

    def _cropped(self, images: NDArray[Any], size: int) -> NDArray[Any]:
        views = np.empty((len(self.indices), size, size, *images.shape[3:]), dtype=images.dtype)
        for place, (index, top, left, flip) in enumerate(
            zip(self.indices, self.tops, self.lefts, self.flips, strict=True)
        ):
            view = images[index, top : top + size, left : left + size]
            views[place] = view[:, ::-1] if flip else view
        return views


@dataclass(frozen=True, eq=False)
class Draw:
    """Everything that decides the images of one step."""

    step: int
    size: int
    A: Views
    B: Views

    def record(self) -> bytes:
        """The draw as bytes, for the rolling hash over what a run was fed: little-endian int64."""
        columns = [
            column.astype("<i8")
            for views in (self.A, self.B)
            for column in (views.indices, views.tops, views.lefts, views.flips)
        ]
        return np.concatenate([np.array([self.step, self.size], dtype="<i8"), *columns]).tobytes()


class BatchOrder:
    """The order of the training images under a protocol and a seed.

    `sizes` are the numbers of training images of A and B. With pairing `random` an epoch has max(nA, nB)
    samples: A is a fresh permutation of them each epoch (modulo nA, so that every image of A is seen equally
    often, give or take one), B is drawn uniformly. With pairing `fixed` an epoch is the min(nA, nB) pairs
    (i-th of A, i-th of B) in the order of the files.
    """

    def __init__(self, sizes: tuple[int, int], images: ImageSettings, batch: int, streams: Streams) -> None:
        if min(sizes) < 1 or batch < 1:
            raise ValueError(f"sizes {sizes} and batch {batch} must be at least 1")
        self.sizes = sizes
        self.batch = batch
        self._images = images
        self._streams = streams
        self._permutation = lru_cache(maxsize=2)(self._draw_permutation)

    @property
    def epoch_length(self) -> int:
        """Samples of each domain in an epoch."""
        return max(self.sizes) if self._images.pairing == "random" else min(self.sizes)

    def draw(self, step: int) -> Draw:
        """The draw of a step, counted from 0; equal arguments give equal draws, in any order of calls."""
        samples = [step * self.batch + position for position in range(self.batch)]
        pairs = np.array([self._pair(sample) for sample in samples], dtype=np.int64)
        crops = np.array([self._augmentation(sample) for sample in samples], dtype=np.int64)
        A = Views(pairs[:, 0], crops[:, 0], crops[:, 1], crops[:, 2].astype(bool))
        B = Views(pairs[:, 1], crops[:, 3], crops[:, 4], crops[:, 5].astype(bool))
        return Draw(step, self._images.size, A, B)

    def _pair(self, sample: int) -> tuple[int, int]:
        """Indices of the images of A and B that make a sample."""
        epoch, place = divmod(sample, self.epoch_length)
        if self._images.pairing == "fixed":
            return place, place
        index_A = int(self._permutation(epoch)[place]) % self.sizes[0]
        index_B = int(self._streams.numpy("data-order", "B", sample).integers(self.sizes[1]))
        return index_A, index_B

    def _draw_permutation(self, epoch: int) -> Integers:
        return self._streams.numpy("data-order", "A", epoch).permutation(self.epoch_length)

    def _augmentation(self, sample: int) -> Integers:
        """Top, left, flip of A, then of B: [6]."""
        room = self._images.load_size - self._images.size
        bounds = np.array([room, room, int(self._images.flip)] * 2)
        return self._streams.numpy("augmentation", sample).integers(0, bounds, endpoint=True)


def fetch(dataset: Dataset, draw: Draw) -> tuple[Images, Images]:
    """The training images of a draw, A and B, each uint8 [b, size, size, 3]."""
    return draw.A.apply(dataset.A.train.images, draw.size), draw.B.apply(dataset.B.train.images, draw.size)


def fetch_masks(dataset: Dataset, draw: Draw) -> tuple[Masks, Masks]:
    """The masks of the images of a draw, A and B, each [b, size, size]; the data set has masks."""
    a, b = dataset.A.train.masks, dataset.B.train.masks
    if a is None or b is None:
        raise ValueError(f"{dataset.name} has no masks")
    return draw.A.apply_to_masks(a(), draw.size), draw.B.apply_to_masks(b(), draw.size)
