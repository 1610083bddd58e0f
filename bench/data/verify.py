"""A real set on disk, looked through: is it the genuine one, and what should its user know of it?"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.data.catalogue import SETS, SPLITS
from bench.data.files import printable
from bench.data.folder import READERS, ImageFile, content_of, identical_files, place_of, read_folder
from bench.data.masks import problems_of_masks
from bench.data.pictures import BadImage, is_greyscale, read_image
from bench.progress import ProgressReport

PROBE_SIZE = 16
"""Side to which images are reduced when all that matters is that they decode."""


@dataclass(frozen=True)
class FolderVerdict:
    """What is known of a folder of images."""

    name: str
    folder: str
    counts: dict[str, int]
    expected: dict[str, int] | None
    """Counts of the catalogue; None for a set that it has not counted."""
    content: str
    """Hash of all names and bytes."""
    genuine: bool | None
    """Whether the content is the one pinned in the catalogue; None where none is pinned."""
    unreadable: list[str]
    greyscale: list[str]
    identical: dict[str, Any]
    left_out: list[str]
    """What else lies in the folders, one sentence each."""
    masks: Mapping[str, str] = field(default_factory=dict)
    """Split with a folder of masks beside it -> what keeps it from being used; nothing where nothing does."""

    @property
    def bad_masks(self) -> list[str]:
        """What keeps masks from being used, one sentence each."""
        return [problem for problem in self.masks.values() if problem]

    @property
    def usable(self) -> bool:
        """All images and masks readable, and counts and content as the catalogue has them, where it does."""
        whole = not self.unreadable and not self.bad_masks
        return whole and self.expected in (None, self.counts) and self.genuine is not False

    @property
    def flaws(self) -> list[str]:
        """What a reader of results on these images has to know, although all of them can be used."""
        repeated, bare = self.identical["files"], [split for split in SPLITS if split not in self.masks]
        return [
            *([f"{len(self.greyscale)} greyscale"] if self.greyscale else []),
            *([f"no masks for {', '.join(bare)}"] if self.masks and bare else []),
            *([f"{repeated} identical files in {self.identical['groups']} groups"] if repeated else []),
            *(f"{count} of {pair}" for pair, count in self.identical["leaks"].items()),
        ]

    @property
    def sound(self) -> bool:
        """Usable and without a flaw."""
        return self.usable and not self.flaws

    @property
    def in_words(self) -> str:
        """The verdict without a full stop."""
        if self.unreadable:
            return "NOT sound: unreadable images"
        if self.bad_masks:
            return "NOT sound: masks that cannot be used"
        if not self.usable:
            return "NOT sound: other images than expected"
        origin = "genuine" if self.genuine else "usable"
        if self.sound:
            return f"{origin} and sound"
        known = "with flaws that the published files have" if self.genuine else "not sound"
        return f"{origin}, {known}: {'; '.join(self.flaws)}"

    def as_json(self) -> dict[str, Any]:
        verdict = {"usable": self.usable, "flaws": self.flaws, "verdict": self.in_words}
        return asdict(self) | {"sound": self.sound} | verdict


def verify_folder(name: str, folder: Path, progress: ProgressReport) -> FolderVerdict:
    """Decode every image and mask of a folder and count what is odd.

    Raises BenchError where there are no splits.
    """
    files = read_folder(folder)
    every = files.every
    unreadable, greyscale = _look_through(every, progress)
    unreadable += [place_of(error.path) for error in files.bad]
    entry = SETS.get(name)
    expected = content = None
    if entry is not None:
        expected = dict(zip(SPLITS, entry.counts, strict=True)) if entry.counts else None
        content = entry.content
    found = content_of(every)
    return FolderVerdict(
        name=name,
        folder=printable(folder),
        counts={split: len(files.splits[split]) for split in SPLITS},
        expected=expected,
        content=found,
        genuine=None if content is None else found == content,
        unreadable=unreadable,
        greyscale=greyscale,
        identical=identical_files(every),
        left_out=files.notes,
        masks=problems_of_masks(files.splits),
    )


def _look_through(files: Iterable[ImageFile], progress: ProgressReport) -> tuple[list[str], list[str]]:
    """Places of unreadable files and of greyscale ones."""
    files = list(files)
    unreadable, greyscale = [], []
    progress.start("Decoding", len(files))
    with ThreadPoolExecutor(READERS) as pool:
        for file, remark in zip(files, pool.map(_remark, files), strict=True):
            if remark == "unreadable":
                unreadable.append(file.place)
            elif remark == "greyscale":
                greyscale.append(file.place)
            progress.advance()
    return unreadable, greyscale


def _remark(file: ImageFile) -> str:
    try:
        read_image(file.path, PROBE_SIZE)
        return "greyscale" if is_greyscale(file.path) else ""
    except BadImage:
        return "unreadable"
