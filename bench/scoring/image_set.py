"""A set of images of any origin that is read one image after another, never held."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.data.dataset import Images, Split
from bench.progress import ProgressReport
from bench.protocol import content_hash
from bench.scoring.features import extract_features
from bench.scoring.networks.network import FeatureNetwork, Features
from bench.scoring.reference_cache import images_hash, kept_features


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images by their names; every call of `read` goes through them once more."""

    names: tuple[str, ...]
    content: str
    """Names the pixels completely: equal contents have equal features."""
    read: Callable[[], Iterator[Images]]
    """Gives uint8 [h, w, 3], one after another, in the order of `names`."""
    pick: Callable[[Sequence[int]], Iterable[Images]]
    """Gives those at some places, in the order of the places, without reading the others."""

    def __len__(self) -> int:
        return len(self.names)

    def features(
        self, network: FeatureNetwork, progress: ProgressReport | None = None, task: str = "features"
    ) -> Features:
        """The features [n, dimension], from the cache where it has them."""

        def compute() -> Features:
            return extract_features(network, self.read(), len(self), progress, task)

        return kept_features(network, self.content, len(self), compute)


def of_split(split: Split) -> ImageSet:
    """The images of a split of a data set."""
    return ImageSet(
        split.names,
        images_hash(split.images),
        lambda: iter(split.images),
        lambda places: [split.images[place] for place in places],
    )


def fingerprint(images: Iterable[Images]) -> str:
    """16 hex digits over the sizes and pixels of a set of uint8 images [h, w, 3].

    Equal for the same images under other names or in another order. Scores are comparable where the real
    images that they were held against have the same.
    """
    each = sorted(images_hash(image) for image in images)
    return content_hash(["images", each])


def evenly_spaced(available: int, count: int) -> list[int]:
    """Indices of at most `count` of `available` things, evenly spaced from the first one on."""
    count = min(count, available)
    return [int(place) for place in (np.arange(count) * available) // max(count, 1)]
