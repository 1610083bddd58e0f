"""Between which values a distance can be expected: real against real, and the input left as it is.

Distances between small sets are far from 0 even for a perfect translator, so no distance is shown without

- its **floor**: real images of the target domain that were trained on, as many as there are translations,
  against the target's test images. Equal numbers matter: the Frechet distance grows as sets shrink. The
  training images are taken at even spacing in the order of their names (no draw, the same for every variant
  and seed) and resized to the size of the test images. Where the target has fewer training images than there
  are translations, all are taken; the floor of the Frechet distance is then somewhat too high.
- its **ceiling**: the source test images themselves against the target's test images, the score of copying.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from bench.data.dataset import Dataset, Images
from bench.progress import ProgressReport
from bench.runs.records import Direction
from bench.scoring.features import reference_features
from bench.scoring.networks.network import FeatureNetwork, Features


@dataclass(frozen=True, eq=False)
class ReferenceFeatures:
    """What the translations of one direction are held against."""

    real: Features
    """[m, d]: test images of the target domain."""
    floor: Features | None
    """[n, d]: training images of the target domain, as many as translations; None: fewer than 2."""
    ceiling: Features | None
    """[n, d]: test images of the source domain; None where the sources are not known."""


def dataset_reference(
    network: FeatureNetwork,
    dataset: Dataset,
    direction: Direction,
    *,
    cache: Path | None = None,
    progress: ProgressReport | None = None,
) -> ReferenceFeatures:
    """The reference features of one direction of a data set, from the cache where it has them."""
    source, target = (dataset.A, dataset.B) if direction == "A2B" else (dataset.B, dataset.A)

    def features(images: Images, task: str) -> Features:
        return reference_features(network, images, folder=cache, progress=progress, task=task)

    others = floor_images(target.train.images, len(source.test), target.test.images.shape[1])
    return ReferenceFeatures(
        real=features(target.test.images, f"{direction} real images"),
        floor=features(others, f"{direction} floor") if len(others) >= 2 else None,
        ceiling=features(source.test.images, f"{direction} ceiling"),
    )


def floor_images(train: Images, count: int, size: int) -> Images:
    """At most `count` of the training images [n, h, w, 3] at even spacing, resized to [count, size, size, 3].

    Bicubic and antialiased, as the data's own resize.
    """
    chosen = evenly_spaced(len(train), count)
    pictures = (Image.fromarray(np.asarray(train[index])) for index in chosen)
    resized = [np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC)) for picture in pictures]
    return np.stack(resized) if resized else np.empty((0, size, size, 3), np.uint8)


def evenly_spaced(available: int, count: int) -> list[int]:
    """Indices of at most `count` of `available` things, evenly spaced from the first one on."""
    count = min(count, available)
    return [int(place) for place in (np.arange(count) * available) // max(count, 1)]
