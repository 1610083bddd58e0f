"""What training and scoring are given: two domains of uint8 images, with ground truth where there is one.

Arrays of decoded images kept on disk and mapped into memory, under a key that holds their content.

A file is `<key>-<checksum>.npy`: one rename makes it appear whole, and a damaged one is noticed, computed
again and spoken of. Where the disk is full or cannot be written the array stays in memory.
"""

import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bench.protocol import content_hash

Images = NDArray[np.uint8]
"""RGB images, [n, h, w, 3], 0 to 255; possibly a read-only memory map."""
Masks = NDArray[np.bool_]
"""Masks of the foreground, [n, h, w], True inside."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images of one split of one domain, in the order of their names."""

    images: Images
    names: tuple[str, ...]
    """File name of each image, without folder; unique within the split."""
    masks: Callable[[], Masks] | None = None
    """Gives the images' foreground masks, at their size; None where there are none."""

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class Truth:
    """The right answer for every test image: what rendered scenes know, or as much as masks tell."""

    counterfactual: Images | None
    """The same scene in the other domain, [n, h, w, 3]; None of photographs."""
    foreground: NDArray[np.bool_]
    """[n, h, w], True where the right translation changes the image: the objects in toy-stripes, the
    fruit of either domain in toy-shape, every pixel in toy-season; elsewhere by 12 of 255 at most."""
    objects: NDArray[np.uint8] | None
    """None of photographs, else [n, h, w], 0 for background, 1, 2, ... for the objects of the source image;
    nearer ones cover."""


@dataclass(frozen=True, eq=False)
class Domain:
    """One side of a data set. Training images are at load_size, to be cropped; the others at size."""

    train: Split
    validation: Split
    test: Split
    truth: Truth | None = None
    """Ground truth of the test split, in its order."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Two domains, and what a reader of the results has to know of them."""

    name: str
    A: Domain
    B: Domain
    fingerprint: str
    """64 hex digits that change when any image used, its name or its split changes."""
    facts: dict[str, Any]
    """JSON values: images of each split, duplicates, leaks between splits and domains, skipped files."""
    warnings: tuple[str, ...] = ()
    """Remarks that belong beside the results, each one sentence."""
    no_masks: str = ""
    """Why it can have no masks, as a clause; nothing where it has or could have them."""


CHUNK = 1 << 24


@dataclass(frozen=True, eq=False)
class Cached:
    """An array, whether it had to be computed, and what went wrong with the cache, if anything."""

    images: Images
    computed: bool
    warning: str | None = None


def cached_images(
    folder: Path, content: object, shape: tuple[int, ...], compute: Callable[[], Iterable[Images]]
) -> Cached:
    """uint8 images of `shape` [n, h, w, 3], from `folder` or from `compute`.

    `content` is a JSON value that names the pixels completely (hashes of files, size, resize, versions);
    `compute` gives the images in order, in blocks [m, h, w, 3]; its errors pass through, and nothing is kept.
    """
    if shape[0] == 0:
        return Cached(np.zeros(shape, dtype=np.uint8), computed=False)
    key = content_hash(content)
    warning = None
    for path in sorted(folder.glob(f"{key}-*.npy")):
        images = _open_intact(path, shape)
        if images is not None:
            return Cached(images, computed=False)
        warning = f"The cached images {path} were damaged and have been computed again."
        path.unlink(missing_ok=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = _write(folder, key, shape, compute())
    except OSError as error:
        images = np.concatenate(list(compute()))
        warning = f"Images could not be cached in {folder} ({error.strerror}); they are kept in memory."
        return Cached(images, computed=True, warning=warning)
    return Cached(np.load(path, mmap_mode="r", allow_pickle=False), computed=True, warning=warning)


def _write(folder: Path, key: str, shape: tuple[int, ...], blocks: Iterable[Images]) -> Path:
    temporary = folder / f".{key}.{uuid.uuid4().hex[:8]}.tmp"
    try:
        with temporary.open("wb") as file:
            checksum = _write_blocks(file, shape, blocks)
        path = folder / f"{key}-{checksum:08x}.npy"
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _write_blocks(file: BinaryIO, shape: tuple[int, ...], blocks: Iterable[Images]) -> int:
    """Write an .npy file block by block; returns the checksum of the pixels."""
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    checksum = written = 0
    for block in blocks:
        content = np.ascontiguousarray(block).tobytes()
        file.write(content)
        checksum = zlib.crc32(content, checksum)
        written += len(block)
    if written != shape[0]:
        raise ValueError(f"{written} images were computed where {shape[0]} were announced")
    return checksum


def _open_intact(path: Path, shape: tuple[int, ...]) -> Images | None:
    """The array of a cache file, or None where its shape or checksum is wrong."""
    try:
        images: Images = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if images.shape != shape or images.dtype != np.uint8:
        return None
    checksum = 0
    for part in _chunks(images):
        checksum = zlib.crc32(part, checksum)
    return images if path.stem.endswith(f"-{checksum:08x}") else None


def _chunks(images: Images) -> Iterator[bytes]:
    flat = images.reshape(-1)
    for start in range(0, len(flat), CHUNK):
        yield flat[start : start + CHUNK].tobytes()
