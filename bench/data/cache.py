"""Arrays of decoded images kept on disk and mapped into memory, under a key that holds their content.

A file is `<key>-<checksum>.npy`: one rename makes it appear whole, and a damaged one is noticed, computed
again and spoken of. Where the disk is full or cannot be written the array stays in memory.
"""

import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from bench.data.dataset import Images
from bench.protocol import content_hash

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
