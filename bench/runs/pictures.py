"""The pictures in `samples/` and their list `samples/index.json` (docs/run-folder.md). Imports no torch."""

import io
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bench.errors import BenchError
from bench.runs import atomic
from bench.runs.folder import RunFolder

Entry = dict[str, Any]
"""One object of index.json."""
IDENTITY = ("kind", "direction", "file", "step", "measure", "rank")
"""The keys that tell one entry from another; a new entry replaces the old one with the same."""


def sample_indices(images: int, samples: int) -> list[int]:
    """Places of the images that are kept as pictures: spread evenly over the split, the first among them.

    >>> sample_indices(10, 3)
    [0, 3, 6]
    """
    count = min(images, samples)
    return [place * images // count for place in range(count)]


def write_pictures(folder: RunFolder, within: str, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
    """Write uint8 pictures [h, w, 3] or [h, w] as `<name>.png` into the folder `within` the run folder."""
    for name, pixels in pictures.items():
        write_png(folder.path / within / f"{name}.png", pixels)


def write_png(path: Path, pixels: NDArray[np.uint8], made_by: str | None = None) -> None:
    """Write one uint8 picture [h, w, 3] or [h, w], whole or not at all; `made_by` is kept in the file."""
    content, remark = io.BytesIO(), PngInfo()
    if made_by is not None:
        remark.add_text("Software", made_by)
    Image.fromarray(np.ascontiguousarray(pixels)).save(content, format="PNG", pnginfo=remark)
    atomic.write_bytes(path, content.getvalue())


def read_entries(folder: RunFolder) -> list[Entry]:
    """The entries of samples/index.json, none where it does not exist. BenchError if it is damaged."""
    path = folder.samples / "index.json"
    if not path.exists():
        return []
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BenchError(f"{path} is damaged: {error}. Remove it; the pictures are made again.") from None
    return list(entries)


def add_entries(folder: RunFolder, new: Sequence[Entry]) -> None:
    """Add entries to samples/index.json, replacing older ones of the same pictures."""
    replaced = {_identity(entry) for entry in new}
    kept = [entry for entry in read_entries(folder) if _identity(entry) not in replaced]
    _write(folder, [*kept, *new])


def replace_entries(folder: RunFolder, kinds: Collection[str], new: Sequence[Entry]) -> None:
    """Put entries into samples/index.json in place of all older ones of these kinds."""
    kept = [entry for entry in read_entries(folder) if entry.get("kind") not in kinds]
    _write(folder, [*kept, *new])


def _write(folder: RunFolder, entries: Sequence[Entry]) -> None:
    atomic.write_text(folder.samples / "index.json", json.dumps(entries, indent=1) + "\n")


def _identity(entry: Entry) -> tuple[Any, ...]:
    return tuple(entry.get(key) for key in IDENTITY)
