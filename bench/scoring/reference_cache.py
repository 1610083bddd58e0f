"""Features of real images kept on disk under a key that holds their content.

Torch-fidelity keeps such features under a name alone, and gives stale values when the name is used again.
Here the key is a hash of the images themselves, of the weights, of the resize and of the libraries that
compute: whatever changes, the features are computed again.
"""

import hashlib
import io
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np

from bench.data.files import cache_root
from bench.errors import BenchError
from bench.progress import ProgressReport
from bench.protocol import content_hash
from bench.runs import atomic
from bench.scoring.features import extract_features
from bench.scoring.networks.network import FeatureNetwork, Features

LIBRARIES = ("torch", "torchvision", "torch-fidelity")
VERSION = 1
"""Raised when the same images, weights and libraries give other features than before."""
DIGEST = 32
"""Bytes of the SHA-256 that a cache file begins with."""


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
