"""The data sets that go by a name: embedded scenes, and the sets published with CycleGAN.

Counts are trainA, trainB, testA, testB, counted in the real files; None where nobody here has counted yet.
Nothing is read or rendered to list them.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.data.files import data_root, kind_of_path, list_images, printable, shell_quoted, what_it_is_instead
from bench.data.scenes import SCENES, EmbeddedSet
from bench.errors import BenchError, UsageError
from bench.names import command, unknown_name

SERVER = "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets"
SPLITS = ("trainA", "trainB", "testA", "testB")


@dataclass(frozen=True)
class RealSet:
    """Photographs, to be fetched by `bench data get`. For research; each set has its own licence."""

    name: str
    summary: str
    counts: tuple[int, int, int, int] | None
    """Images in trainA, trainB, testA, testB."""
    addresses: tuple[str, ...]
    """Where the archive can be downloaded, tried in this order; empty: only from an archive at hand."""
    content: str | None = None
    """What `bench.data.folder.content_of` gives for the genuine files, where that is known."""
    notes: tuple[str, ...] = ()
    """Traps in the real files."""


def _berkeley(
    name: str,
    summary: str,
    counts: tuple[int, int, int, int] | None,
    *,
    content: str | None = None,
    notes: tuple[str, ...] = (),
) -> RealSet:
    return RealSet(name, summary, counts, (f"{SERVER}/{name}.zip",), content, notes)


SETS: dict[str, RealSet] = {
    entry.name: entry
    for entry in (
        _berkeley(
            "horse2zebra",
            "Wild horses and zebras (ImageNet).",
            (1067, 1334, 120, 140),
            content="2f61370a8f7893a0f50682dab405c530b925b2abec6bc4cfe6154981e7215f95",
            notes=(
                "7 greyscale JPEGs in trainB",
                "25 groups of identical files, one of which crosses testA and trainA",
            ),
        ),
        _berkeley(
            "summer2winter_yosemite",
            "Yosemite in summer and in winter (Flickr).",
            (1231, 962, 309, 238),
            notes=(
                "identical files across splits: 26 of testA are in trainA, 15 of testB in trainB",
                "identical files across domains",
            ),
        ),
        RealSet(
            "summer2winter_yosemite_150",
            "150 training images a domain, as the slot paper used; the whole test split.",
            (150, 150, 309, 238),
            (),
            content="dea11417c5076d8cebb493c1634ddced7dec2aa3ca4686847edb6b0a5ade08e1",
            notes=("identical files across splits and across domains",),
        ),
        _berkeley("apple2orange", "Apples and oranges (ImageNet).", (995, 1019, 266, 248)),
        _berkeley("maps", "Aerial photographs and maps.", (1096, 1096, 1098, 1098)),
        _berkeley(
            "monet2photo",
            "Paintings by Monet and landscape photographs.",
            (1072, 6287, 121, 751),
            notes=("the domains differ much in size",),
        ),
        _berkeley(
            "cezanne2photo",
            "Paintings by Cezanne and landscape photographs.",
            (525, 6287, 58, 751),
            notes=("the domains differ much in size",),
        ),
        _berkeley("ukiyoe2photo", "Ukiyo-e prints and landscape photographs.", None),
        _berkeley("vangogh2photo", "Paintings by Van Gogh and landscape photographs.", None),
        _berkeley("facades", "Facades and their labels.", None),
        _berkeley("iphone2dslr_flower", "Flowers by telephone and by camera.", None),
    )
}


def sets() -> dict[str, EmbeddedSet | RealSet]:
    """Every data set that goes by a name: rendered scenes, then photographs."""
    return SCENES.entries() | SETS


def is_path(dataset: str) -> bool:
    """Whether somebody means a folder: names of the catalogue go before folders of that name."""
    if dataset in sets():
        return False
    return "/" in dataset or (dataset != "" and kind_of_path(Path(dataset)) == "folder")


def lacking(folder: Path) -> str | None:
    """What a folder lacks of a data set, without a full stop; None where its four splits hold images.

    The one answer to "is the data set here?": for lists, `bench doctor`, `bench data` and runs.
    """
    try:
        for place in (folder, *(folder / split for split in SPLITS)):
            if kind_of_path(place) != "folder":
                return what_it_is_instead(place, "folder")
            if place != folder and not list_images(place).paths:
                return f"{printable(place)} holds no images"
    except BenchError as error:  # it may not be looked at
        return str(error).removesuffix(".")
    return None


def in_the_way(folder: Path) -> bool:
    """Whether something that is no data set would be lost if a data set took the place of `folder`."""
    kind = kind_of_path(folder)
    if kind != "folder" or folder.is_symlink():
        return kind != "nothing"
    return any(
        files or any((Path(here) / name).is_symlink() for name in inner)
        for here, inner, files in os.walk(folder)
    )


def set_folder(name: str, data: Path | None = None) -> Path:
    """The folder of a real set. Raises BenchError, with the commands that bring it, where it is not here."""
    folder = data_root(data) / name
    problem = lacking(folder)
    if problem is None:
        return folder
    words = ["data", "get", name, *(["--data", data] if data else [])]
    remove = f"Remove what is there: rm -r {shell_quoted(folder)}\n" if in_the_way(folder) else ""
    raise BenchError(
        f"The data set {name} is not here. {problem}. {remove}Fetch it: {command(*words)}\n"
        f"or unpack an archive at hand: {command(*words, '--archive', f'{name}.zip')}"
    )


def find(name: str) -> EmbeddedSet | RealSet:
    """The data set of that name. Raises UsageError with close names for an unknown one."""
    known = sets()
    if name not in known:
        raise unknown_name("dataset", name, known, "bench list datasets, or give the path of a folder")
    return known[name]


def licence_note(dataset: str) -> str | None:
    """What to know before pictures of a data set, or what was made of them, leave a machine; None for scenes.

    `dataset` is a name of the catalogue, or whatever else a folder of images is called.
    """
    entry = sets().get(dataset)
    if isinstance(entry, EmbeddedSet):
        return None
    if entry is not None:
        return (
            f"{entry.name} holds other people's pictures, gathered for research; under which licence each "
            "may be passed on is not known."
        )
    return f"Nothing is known here of the licence of the images in {printable(Path(dataset))}."


def find_real(name: str) -> RealSet:
    """As `find`, for sets that consist of files. Raises UsageError for embedded ones too."""
    entry = find(name)
    if isinstance(entry, EmbeddedSet):
        raise UsageError(
            f"{name} is rendered at the size asked for (embedded sets need no download): it lies in no "
            f"folder. Some of its images stand in samples/ of a run: "
            f"{command('run', '--variant', 'copy', '--dataset', name)}. A generator of your own is scored on "
            f"all of them as a variant, by --plugin FILE.py. Sets in folders: {', '.join(SETS)}."
        )
    return entry


def listing() -> list[dict[str, Any]]:
    """One row a set, for `bench list datasets`: name, kind, summary, images, here, path, notes."""
    return [_row(entry) for entry in sets().values()]


def _row(entry: EmbeddedSet | RealSet) -> dict[str, Any]:
    row: dict[str, Any] = {"name": entry.name, "summary": entry.summary}
    if isinstance(entry, EmbeddedSet):
        return row | {
            "kind": "embedded",
            "images": "as many as asked",
            "here": True,
            "path": None,
            "notes": [],
        }
    counts = "not counted yet"
    if entry.counts is not None:
        counts = ", ".join(f"{split} {count}" for split, count in zip(SPLITS, entry.counts, strict=True))
    folder, problem = whereabouts(entry.name)
    return row | {
        "kind": "real",
        "images": counts,
        "here": problem is None,
        "path": None if folder is None else printable(folder),
        "problem": problem,
        "notes": list(entry.notes),
    }


def whereabouts(name: str) -> tuple[Path | None, str | None]:
    """Where something is called like a real set, and what that lacks of being it; None each where nothing."""
    try:
        folder = data_root() / name
    except BenchError as error:
        return None, str(error)
    problem = lacking(folder)
    there = problem is None or os.path.lexists(folder)
    return (folder if there else None), problem
