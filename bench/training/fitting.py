"""What takes the place of training for a baseline without trainable weights, such as `colour`."""

from collections.abc import Iterator

from torch import Tensor

from bench.data.dataset import Dataset, Split
from bench.data.tensors import to_tensor
from bench.training.session import Generators
from bench.training.translating import PIXELS_AT_ONCE


def fit_generators(generators: Generators, dataset: Dataset) -> None:
    """Let each direction take what it needs from the training images, those that others are trained on."""
    generators["A2B"].fit(batches(dataset.A.train), batches(dataset.B.train))
    generators["B2A"].fit(batches(dataset.B.train), batches(dataset.A.train))


def batches(split: Split) -> Iterator[Tensor]:
    """All images of a split once, in its order, [b, 3, h, w] in [-1, 1], whole and not mirrored."""
    _, height, width, _ = split.images.shape
    at_once = max(1, PIXELS_AT_ONCE // (height * width))
    for start in range(0, len(split), at_once):
        yield to_tensor(split.images[start : start + at_once])
