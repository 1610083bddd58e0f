"""A plain folder of images, by whatever program they were made, as a set to score."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import PIL

from bench.data.dataset import Images
from bench.data.files import Listing, list_images, printable
from bench.data.folder import hash_or_error
from bench.data.pictures import RESIZE, VERSION, BadImage, image_size, read_image
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
    note: str | None = None
    """What else lies in the folder and is left out."""
    below: int = 0
    """Images in its folders, which are left out."""

    @property
    def label(self) -> str:
        """The folder as text whatever its bytes."""
        return printable(self.folder)

    @property
    def names(self) -> tuple[str, ...]:
        """Place of each file below the folder, as text whatever its bytes."""
        return tuple(printable(path.relative_to(self.folder).as_posix()) for path in self.paths)

    def __len__(self) -> int:
        return len(self.paths)

    def chosen(self, places: Sequence[int]) -> "FolderImages":
        """Some of the files, in this order."""
        return FolderImages(
            self.folder,
            tuple(self.paths[place] for place in places),
            tuple(self.hashes[place] for place in places),
            self.shape,
            self.note,
            self.below,
        )

    def images(self, size: int | None) -> ImageSet:
        """The images resized to [size, size], or of their own size for None; a bad one is a BenchError."""
        content = content_hash(["files", VERSION, PIL.__version__, RESIZE, size, self.hashes])
        return ImageSet(
            self.names,
            content,
            lambda: self._read(size),
            lambda places: self.chosen(places)._read(size),
        )

    def _read(self, size: int | None) -> Iterator[Images]:
        with ThreadPoolExecutor(READERS) as pool:
            for start in range(0, len(self.paths), READ_AHEAD):
                yield from pool.map(lambda path: _image(path, size), self.paths[start : start + READ_AHEAD])


@dataclass(frozen=True)
class Asked:
    """Which images of a folder are meant: those whose names match, with those in the folders below or not."""

    folder: Path
    pattern: str = "*"
    recursive: bool = False

    def list(self) -> Listing:
        """The images. Raises UsageError or BenchError, with what to do, where there is no folder or none."""
        listing = list_images(self.folder, self.pattern, self.recursive)
        if listing.paths:
            return listing
        if listing.left_out.get("unmatched"):
            raise BenchError(
                f"{printable(self.folder)} holds no image whose name matches {self.pattern!r}. {listing.note}"
                " The pattern is one of a whole name, such as '*_fake.png'."
            )
        if self.below(listing):
            try:
                listing.require_images()
            except BenchError as error:
                raise BenchError(f"{error} Or take the images of all of them: --recursive") from None
        return listing.require_images()

    def below(self, listing: Listing) -> int:
        """How many more images there would be with those in the folders below."""
        if self.recursive or not listing.folders:
            return 0
        return len(list_images(self.folder, self.pattern, recursive=True).paths) - len(listing.paths)


def read_folder_images(asked: Asked) -> FolderImages:
    """List, hash and measure images; what is left out is noted.

    Raises UsageError for a folder that is not there, BenchError for one that is unreadable or without
    images, and for a file that is not a readable image.
    """
    return measured(asked, asked.list())


def measured(asked: Asked, listing: Listing) -> FolderImages:
    """The images of a listing with their content and size."""
    with ThreadPoolExecutor(READERS) as pool:
        hashes = tuple(pool.map(_hash, listing.paths))
        shapes = set(pool.map(_shape, listing.paths))
    shape = shapes.pop() if len(shapes) == 1 else None
    return FolderImages(asked.folder, listing.paths, hashes, shape, listing.note, asked.below(listing))


def _hash(path: Path) -> str:
    found = hash_or_error(path)
    if isinstance(found, BadImage):
        raise _unreadable(found)
    return found


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
        f"{printable(error.path)} is not a readable image: {error.reason}. Make it again or remove it, then "
        "repeat the command."
    )
