"""A folder of photographs as a data set: chosen by the protocol, decoded once, cached by content."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import PIL

from bench.data.dataset import Dataset, Domain, Images, Split, cached_images
from bench.data.files import printable
from bench.data.folder import (
    READERS,
    ChosenFiles,
    ImageFile,
    content_of,
    identical_files,
    place_of,
    read_folder,
    select,
)
from bench.data.masks import MaskFolders
from bench.data.pictures import RESIZE, VERSION, BadImage, is_greyscale, is_transparent, read_image
from bench.errors import BenchError
from bench.progress import ProgressReport
from bench.protocol import ImageSettings

BLOCK = 64
"""Images decoded between two writes to the cache."""


def load_folder(
    name: str,
    folder: Path,
    images: ImageSettings,
    cache: Path,
    skip_bad_images: bool,
    progress: ProgressReport,
) -> Dataset:
    """The images of a folder that the protocol uses, decoded and resized; `cache` holds them afterwards.

    Raises BenchError for a bad folder, too few images, or an unreadable image unless it may be skipped; a
    skipped one counts as absent, and is listed in facts and warnings.
    """
    found = read_folder(folder)
    files, bad, reader = found.splits, found.bad, _Reader(cache, progress)
    while True:
        if bad and not skip_bad_images:
            raise bad[0]
        reader.skipped += [place_of(error.path) for error in bad]
        files = _without(files, bad, folder)
        chosen = {
            letter: select(files[f"train{letter}"], files[f"test{letter}"], images) for letter in ("A", "B")
        }
        domains = {letter: reader.domain(selection, images) for letter, selection in chosen.items()}
        bad = reader.take_bad()
        if not bad:
            break
    masks = MaskFolders(cache)
    domains = {letter: masks.of_domain(domain, chosen[letter], images) for letter, domain in domains.items()}
    used = [file for selection in chosen.values() for file in selection.all()]
    facts = _facts(chosen, used, reader.skipped)
    warnings = (*reader.warnings, *_remarks(facts), *found.notes, *masks.remarks())
    return Dataset(name, domains["A"], domains["B"], content_of(used), facts, warnings)


def _without(
    files: dict[str, list[ImageFile]], bad: list[BadImage], folder: Path
) -> dict[str, list[ImageFile]]:
    paths = {error.path for error in bad}
    kept = {split: [file for file in found if file.path not in paths] for split, found in files.items()}
    for split, found in kept.items():
        if not found:
            raise BenchError(
                f"No image of {printable(folder / split)} is readable; nothing is left to go on with."
            )
    return kept


@dataclass
class _Reader:
    """Decodes the files of a selection, or takes them from the cache; remembers what went wrong."""

    cache: Path
    progress: ProgressReport
    warnings: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    _bad: list[BadImage] = field(default_factory=list)

    def take_bad(self) -> list[BadImage]:
        """The unreadable files met since the last call, in the order of their places."""
        bad, self._bad = sorted(self._bad, key=lambda error: str(error.path)), []
        return bad

    def domain(self, selection: ChosenFiles, images: ImageSettings) -> Domain:
        """The three splits of a domain; meaningless as long as `take_bad` gives files."""
        return Domain(
            train=self._split(selection.train, images.load_size),
            validation=self._split(selection.validation, images.size),
            test=self._split(selection.test, images.size),
        )

    def _split(self, files: list[ImageFile], size: int) -> Split:
        names = tuple(file.name for file in files)
        content = ["files", VERSION, PIL.__version__, RESIZE, size, [file.sha256 for file in files]]
        shape = (len(files), size, size, 3)
        try:
            cached = cached_images(self.cache, content, shape, partial(self._decoded, files, size))
        except _SomeAreBad:
            return Split(np.zeros((0, size, size, 3), dtype=np.uint8), ())
        if cached.warning:
            self.warnings.append(cached.warning)
        return Split(cached.images, names)

    def _decoded(self, files: list[ImageFile], size: int) -> Iterator[Images]:
        """The images in order, in blocks; raises at the end when some were unreadable."""
        self.progress.start(f"Decoding {files[0].split}", len(files))
        before = len(self._bad)
        with ThreadPoolExecutor(READERS) as pool:
            for start in range(0, len(files), BLOCK):
                block = list(pool.map(partial(_read_or_error, size=size), files[start : start + BLOCK]))
                self._bad += [entry for entry in block if isinstance(entry, BadImage)]
                self.progress.advance(len(block))
                if len(self._bad) == before:
                    yield np.stack([entry for entry in block if not isinstance(entry, BadImage)])
        if len(self._bad) > before:
            raise _SomeAreBad


class _SomeAreBad(Exception):
    """Some files of a split are unreadable: all of it was looked at, nothing may be cached."""


def _read_or_error(file: ImageFile, size: int) -> Images | BadImage:
    try:
        return read_image(file.path, size)
    except BadImage as error:
        return error


def _facts(chosen: dict[str, ChosenFiles], used: list[ImageFile], skipped: list[str]) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for letter, selection in chosen.items():
        counts[f"train{letter}"] = len(selection.train)
        counts[f"validation{letter}"] = len(selection.validation)
        counts[f"test{letter}"] = len(selection.test)
    return {
        "counts": counts,
        "identical": identical_files(used),
        "copies_of_validation_left_out": {
            letter: selection.copies_left_out for letter, selection in chosen.items()
        },
        "greyscale": [file.place for file in used if is_greyscale(file.path)],
        "transparent_laid_over_white": [file.place for file in used if is_transparent(file.path)],
        "skipped": skipped,
    }


def _remarks(facts: dict[str, Any]) -> list[str]:
    """What a reader of the results has to know, one sentence each."""
    remarks = [
        f"Identical files: {count} of {pair.replace(' in ', ' are also in ')}."
        for pair, count in facts["identical"]["leaks"].items()
    ]
    if facts["skipped"]:
        names = ", ".join(facts["skipped"])
        remarks.append(f"{len(facts['skipped'])} unreadable images were skipped: {names}.")
    if facts["transparent_laid_over_white"]:
        count = len(facts["transparent_laid_over_white"])
        remarks.append(f"{count} images with transparency were laid over white.")
    return remarks
