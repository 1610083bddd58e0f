"""Features of many images, with pixels held for one batch at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from bench.errors import BenchError
from bench.progress import ProgressReport, Silent
from bench.scoring.networks.network import FeatureNetwork, Features


def extract_features(
    network: FeatureNetwork,
    images: Iterable[np.ndarray],
    total: int,
    progress: ProgressReport | None = None,
    task: str = "features",
) -> Features:
    """The features [total, dimension] of images given one by one, each uint8 [h, w, 3], in their order.

    `images` may be an array [n, h, w, 3], a memory map, or an iterator that decodes as it goes: only
    `network.batch` images are held. Batches are cut in the same places whatever gives the images.
    Raises BenchError when images differ in size or are not uint8 RGB, naming the place of the first.
    """
    report = progress if progress is not None else Silent()
    report.start(task, total)
    features = np.empty((total, network.dimension), np.float32)
    done = 0
    for batch in _batches(images, network.batch):
        features[done : done + len(batch)] = network(batch)
        done += len(batch)
        report.advance(len(batch))
    if done != total:
        raise ValueError(f"{total} images were announced, {done} came")
    return features


def _batches(images: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """Stacks of `size` images, the last one shorter; raises BenchError where their shapes differ."""
    source = iter(images)
    place = 0
    first: tuple[int, ...] | None = None
    while group := list(islice(source, size)):
        first = first or group[0].shape
        for offset, image in enumerate(group):
            if image.shape != first:
                raise BenchError(
                    f"Image {place + offset} has shape {list(image.shape)}, the first one {list(first)}. "
                    "Make all of one size, or have them resized with --size N."
                )
        place += len(group)
        yield np.stack(group)
