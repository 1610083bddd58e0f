"""A folder with trainA, trainB, testA and testB: its image files and what is identical among them."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from bench.data.catalogue import SPLITS
from bench.data.pictures import IMAGE_SUFFIXES, read_image
from bench.errors import BenchError

__all__ = ["IMAGE_SUFFIXES", "ImageFile", "content_of", "identical_files", "read_folder", "read_image"]

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
        return self.path.name

    @property
    def place(self) -> str:
        """Split and name, as in `trainA/1.jpg`."""
        return f"{self.split}/{self.name}"


def read_folder(folder: Path) -> dict[str, list[ImageFile]]:
    """The image files of each split in the order of their names (by code point).

    Hidden files and files that do not end like an image are left aside. Raises BenchError for a folder that
    is missing, empty, unreadable or has no such splits.
    """
    paths = {split: _image_paths(folder, split) for split in SPLITS}
    with ThreadPoolExecutor(READERS) as pool:
        return {
            split: [
                ImageFile(split, path, sha256)
                for path, sha256 in zip(found, pool.map(_sha256_of, found), strict=True)
            ]
            for split, found in paths.items()
        }


def _image_paths(folder: Path, split: str) -> list[Path]:
    inside = folder / split
    try:
        if not folder.is_dir():
            raise BenchError(f"There is no folder {folder}. Give a folder that holds {', '.join(SPLITS)}.")
        if not inside.is_dir():
            raise BenchError(f"{folder} has no folder {split}. {_layout_hint(folder)}")
        found = [
            path
            for path in inside.iterdir()
            if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
        ]
    except PermissionError:
        raise BenchError(
            f"Cannot read {inside}: permission denied. Let it be read: chmod u+rx {inside}"
        ) from None
    if not found:
        raise BenchError(
            f"{inside} holds no images. It must hold files ending in {', '.join(sorted(IMAGE_SUFFIXES))}."
        )
    return sorted(found, key=lambda path: path.name)


def _layout_hint(folder: Path) -> str:
    inner = sorted(entry for entry in folder.iterdir() if (entry / SPLITS[0]).is_dir())
    if inner:
        return f"Did you mean {inner[0]}?"
    return f"A data set is a folder that holds {', '.join(SPLITS)}."


def _sha256_of(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BenchError(f"Cannot read {path}: {error.strerror}.") from None


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
