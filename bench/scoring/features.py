"""Features of many images, with pixels held for one batch at a time, and those of real images kept on disk.

Torch-fidelity keeps such features under a name alone, and gives stale values when the name is used again.
Here the key is a hash of the images themselves, of the weights, of the resize and of the libraries that
compute: whatever changes, the features are computed again.
"""

import hashlib
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import islice
from pathlib import Path

import numpy as np

from bench.data.dataset import Images, Split
from bench.data.files import cache_root
from bench.errors import BenchError
from bench.progress import ProgressReport, Silent
from bench.protocol import content_hash
from bench.runs import atomic
from bench.scoring.networks.network import FeatureNetwork, Features

LIBRARIES = ("torch", "torchvision", "torch-fidelity")
VERSION = 1
"""Raised when the same images, weights and libraries give other features than before."""
DIGEST = 32
"""Bytes of the SHA-256 that a cache file begins with."""


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


def say_on_stderr(text: str) -> None:
    """One line on stderr."""
    print(text, file=sys.stderr, flush=True)


def reference_features(
    network: FeatureNetwork,
    images: np.ndarray,
    *,
    folder: Path | None = None,
    progress: ProgressReport | None = None,
    task: str = "features of real images",
    say: Callable[[str], None] = say_on_stderr,
) -> Features:
    """The features [n, dimension] of uint8 images [n, h, w, 3], computed once for equal images and network.

    `folder` is where they are kept (BENCH_CACHE/features by default). A damaged file is computed again and
    spoken of; a folder that cannot be written costs time, not the result.
    """

    def compute() -> Features:
        return extract_features(network, images, len(images), progress, task)

    return kept_features(network, images_hash(images), len(images), compute, folder=folder, say=say)


def kept_features(
    network: FeatureNetwork,
    content: str,
    count: int,
    compute: Callable[[], Features],
    *,
    folder: Path | None = None,
    say: Callable[[str], None] = say_on_stderr,
) -> Features:
    """As `reference_features`, of `count` images that `compute` reads and `content` names completely."""
    path = (folder or cache_root() / "features") / f"{feature_key(network, content)}.features"
    kept = _read(path, (count, network.dimension), say)
    if kept is not None:
        return kept
    features = compute()
    try:
        _write(path, features)
    except (BenchError, OSError) as error:
        say(f"Features of the real images are not kept for the next run. {error}")
    return features


def feature_key(network: FeatureNetwork, content: str) -> str:
    """16 hex digits over everything that decides the features; `content` names the images completely."""
    return content_hash(
        {
            "version": VERSION,
            "images": content,
            "network": network.name,
            "weights": network.weights_hash,
            "resize": network.resize,
            "device": network.device.type,
            **({"code": network.code} if network.code else {}),
            "libraries": {name: metadata.version(name) for name in LIBRARIES},
        }
    )


def images_hash(images: np.ndarray) -> str:
    """64 hex digits over the shape and every pixel of uint8 images [n, h, w, 3], read one by one."""
    digest = hashlib.sha256(repr(images.shape).encode())
    for image in images:
        digest.update(np.ascontiguousarray(image).tobytes())
    return digest.hexdigest()


def _write(path: Path, features: Features) -> None:
    buffer = io.BytesIO()
    np.save(buffer, features, allow_pickle=False)
    content = buffer.getvalue()
    atomic.write_bytes(path, hashlib.sha256(content).digest() + content)


def _read(path: Path, shape: tuple[int, int], say: Callable[[str], None]) -> Features | None:
    """The features in a cache file; None where there is none or it is damaged, which is said."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        say(f"The cached features {path} cannot be read ({error.strerror}); they are computed again.")
        return None
    if hashlib.sha256(content[DIGEST:]).digest() == content[:DIGEST]:
        features: Features = np.load(io.BytesIO(content[DIGEST:]), allow_pickle=False)
        if features.shape == shape:
            return features
    say(f"The cached features {path} were damaged and are computed again.")
    return None
