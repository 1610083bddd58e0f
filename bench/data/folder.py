"""A folder with trainA, trainB, testA and testB: its image files and what is identical among them.

Of these a protocol uses some: validation is held out, then the first ones are taken by name.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from bench.data.catalogue import SPLITS
from bench.data.files import (
    Listing,
    cannot_read,
    kind_of_path,
    list_images,
    printable,
    require_folder,
    why_unreadable,
)
from bench.data.pictures import BadImage
from bench.errors import BenchError
from bench.protocol import ImageSettings

READERS = 8
"""Threads that read files; results do not depend on it."""


@dataclass(frozen=True)
class ImageFile:
    """One file of a split, known by its bytes."""

    split: str
    path: Path
    sha256: str

    @property
    def name(self) -> str:
        """Name of the file, as text whatever its bytes."""
        return printable(self.path.name)

    @property
    def place(self) -> str:
        """Split and name, as in `trainA/1.jpg`."""
        return f"{self.split}/{self.name}"


def place_of(path: Path) -> str:
    """Split and name of a file in the folder of its split."""
    return f"{path.parent.name}/{printable(path.name)}"


@dataclass(frozen=True)
class FolderFiles:
    """The image files of a data set's folder."""

    splits: dict[str, list[ImageFile]]
    """Each split in the order of names, by code point."""
    bad: list[BadImage]
    """Images of which not even the bytes can be read."""
    notes: list[str]
    """What else lies in the folders of the splits and is left out, one sentence each."""

    @property
    def every(self) -> list[ImageFile]:
        """The files of all splits."""
        return [file for files in self.splits.values() for file in files]


def read_folder(folder: Path) -> FolderFiles:
    """The image files of each split. Raises BenchError for a folder that is missing, unreadable, has no such
    splits, or an empty one.
    """
    listings = {split: _list_split(folder, split) for split in SPLITS}
    splits: dict[str, list[ImageFile]] = {}
    bad: list[BadImage] = []
    with ThreadPoolExecutor(READERS) as pool:
        for split, listing in listings.items():
            hashes = list(pool.map(hash_or_error, listing.paths))
            bad += [found for found in hashes if isinstance(found, BadImage)]
            splits[split] = [
                ImageFile(split, path, found)
                for path, found in zip(listing.paths, hashes, strict=True)
                if isinstance(found, str)
            ]
    return FolderFiles(splits, bad, [listing.note for listing in listings.values() if listing.note])


def _list_split(folder: Path, split: str) -> Listing:
    require_folder(folder, f"a folder that holds {', '.join(SPLITS)}")
    inside = folder / split
    if kind_of_path(inside) != "folder":
        raise BenchError(f"{printable(folder)} has no folder {split}. {_layout_hint(folder)}")
    return list_images(inside).require_images()


def _layout_hint(folder: Path) -> str:
    try:
        inner = sorted(entry for entry in folder.iterdir() if (entry / SPLITS[0]).is_dir())
    except OSError as error:
        raise cannot_read(folder, error) from None
    if inner:
        return f"Did you mean {printable(inner[0])}?"
    return f"A data set is a folder that holds {', '.join(SPLITS)}."


def hash_or_error(path: Path) -> str | BadImage:
    """SHA-256 of a file's bytes in hexadecimal; where they cannot be read, the error that says why."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return BadImage(path, why_unreadable(path, error))


def content_of(files: Iterable[ImageFile]) -> str:
    """64 hex digits over splits, names and bytes, whatever the order of the files."""
    lines = sorted(f"{file.place} {file.sha256}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def identical_files(files: Iterable[ImageFile]) -> dict[str, Any]:
    """Byte-identical files, as JSON values.

    `groups`: how many contents occur more than once, `files`: in how many files; `leaks`: for every two
    splits, how many files of the first are also in the second, the test split named first, where there are
    any; `crossing`: the groups that span splits, each a list of places.
    """
    by_content: dict[str, list[ImageFile]] = defaultdict(list)
    for file in files:
        by_content[file.sha256].append(file)
    groups = [sorted(group, key=lambda file: file.place) for group in by_content.values() if len(group) > 1]
    return {
        "groups": len(groups),
        "files": sum(len(group) for group in groups),
        "leaks": _leaks(groups),
        "crossing": sorted(
            [file.place for file in group] for group in groups if len({file.split for file in group}) > 1
        ),
    }


def _leaks(groups: list[list[ImageFile]]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for group in groups:
        for first, second in combinations(sorted({file.split for file in group}, key=_split_order), 2):
            counts[f"{first} in {second}"] += sum(file.split == first for file in group)
    return dict(sorted(counts.items()))


def _split_order(split: str) -> tuple[int, str]:
    return ("test", "validation", "train").index(split[:-1]), split


@dataclass(frozen=True)
class ChosenFiles:
    """The files of one domain that a run uses, each split in the order of names."""

    train: list[ImageFile]
    validation: list[ImageFile]
    test: list[ImageFile]
    copies_left_out: int
    """Training files left out because a validation image is byte-identical to them."""

    def all(self) -> list[ImageFile]:
        """Every file used, those of validation under the split of that name."""
        held_out = [
            ImageFile(file.split.replace("train", "validation"), file.path, file.sha256)
            for file in self.validation
        ]
        return [*self.train, *held_out, *self.test]


def select(train: list[ImageFile], test: list[ImageFile], images: ImageSettings) -> ChosenFiles:
    """Split the files of a domain as the protocol asks.

    Validation: the `validation` training images whose SHA-256 comes first, so that the choice depends on
    nothing but the images, spreads over the whole set and is the same for every seed. Byte-identical copies
    of a validation image leave training too. Of the rest the first `per_domain` by name are trained on;
    where that leaves fewer than `per_domain`, training has what is left. Raises BenchError when a split has
    fewer images than asked, or nothing would be left to train on.
    """
    _require(train, images.per_domain, "images.per_domain")
    _require(test, images.test, "images.test")
    if images.validation >= len(train):
        raise BenchError(
            f"{train[0].path.parent} holds {len(train)} images, of which images.validation = "
            f"{images.validation} are to be held out: none would be left to train on. Ask for fewer: "
            f"--set images.validation={len(train) // 5}"
        )
    held_out = sorted(train, key=lambda file: (file.sha256, file.name))[: images.validation]
    contents = {file.sha256 for file in held_out}
    left = [file for file in train if file.sha256 not in contents]
    if not left:
        raise BenchError(
            f"All images of {train[0].path.parent} are copies of the {len(held_out)} held out for validation."
        )
    return ChosenFiles(
        train=left[: images.per_domain],
        validation=sorted(held_out, key=lambda file: file.name),
        test=test[: images.test],
        copies_left_out=len(train) - len(left) - len(held_out),
    )


def _require(files: list[ImageFile], asked: int | None, rule: str) -> None:
    if asked is not None and len(files) < asked:
        raise BenchError(
            f"{files[0].path.parent} holds {len(files)} images, and {rule} = {asked} asks for more. "
            f"Ask for fewer (--set {rule}={len(files)}) or add images."
        )
