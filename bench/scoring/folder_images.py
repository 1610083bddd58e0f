"""A plain folder of images, by whatever program they were made, as a set to score."""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import PIL

from bench.data.dataset import Images
from bench.data.pictures import IMAGE_SUFFIXES, RESIZE, VERSION, BadImage, image_size, read_image
from bench.errors import BenchError
from bench.protocol import content_hash
from bench.scoring.image_set import ImageSet

READERS = 8
"""Threads that read files; results do not depend on it."""
READ_AHEAD = 32
"""Images decoded at once."""


@dataclass(frozen=True)
class FolderImages:
    """The image files of one folder, in the order of their names."""

    folder: Path
    paths: tuple[Path, ...]
    hashes: tuple[str, ...]
    """SHA-256 of each file."""
    shape: tuple[int, int] | None
    """(height, width) of all images; None where they differ."""

    def __len__(self) -> int:
        return len(self.paths)

    def chosen(self, places: Sequence[int]) -> "FolderImages":
        """Some of the files, in this order."""
        return FolderImages(
            self.folder,
            tuple(self.paths[place] for place in places),
            tuple(self.hashes[place] for place in places),
            self.shape,
        )

    def images(self, size: int | None) -> ImageSet:
        """The images resized to [size, size], or of their own size for None; a bad one is a BenchError."""
        content = content_hash(["files", VERSION, PIL.__version__, RESIZE, size, self.hashes])
        return ImageSet(tuple(path.name for path in self.paths), content, lambda: self._read(size))

    def _read(self, size: int | None) -> Iterator[Images]:
        with ThreadPoolExecutor(READERS) as pool:
            for start in range(0, len(self.paths), READ_AHEAD):
                yield from pool.map(lambda path: _image(path, size), self.paths[start : start + READ_AHEAD])


def read_folder_images(folder: Path) -> FolderImages:
    """List, hash and measure the images directly in `folder`; hidden files and other files are left aside.

    Raises BenchError for a folder that is missing, unreadable or without images, and for a file that is not
    a readable image.
    """
    try:
        found = [
            path
            for path in folder.iterdir()
            if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
        ]
    except OSError as error:
        raise BenchError(
            f"Cannot read the folder {folder}: {error.strerror}. Give a folder of images."
        ) from None
    if not found:
        inner = sorted(path.name for path in folder.iterdir() if path.is_dir())
        hint = f" It holds the folders {', '.join(inner[:5])}: is it one of those?" if inner else ""
        raise BenchError(f"{folder} holds no images ({', '.join(sorted(IMAGE_SUFFIXES))}).{hint}")
    paths = sorted(found, key=lambda path: path.name)
    with ThreadPoolExecutor(READERS) as pool:
        hashes = tuple(pool.map(lambda path: hashlib.sha256(path.read_bytes()).hexdigest(), paths))
        shapes = set(pool.map(_shape, paths))
    return FolderImages(folder, tuple(paths), hashes, shapes.pop() if len(shapes) == 1 else None)


def _shape(path: Path) -> tuple[int, int]:
    try:
        return image_size(path)
    except BadImage as error:
        raise _unreadable(error) from None


def _image(path: Path, size: int | None) -> Images:
    try:
        return read_image(path, size)
    except BadImage as error:
        raise _unreadable(error) from None


def _unreadable(error: BadImage) -> BenchError:
    return BenchError(
        f"{error.path} is not a readable image: {error.reason}. Make it again or remove it, then repeat the "
        "command."
    )
