"""Pictures of fixed test images in `samples/`, listed in `samples/index.json` (see docs/run-folder.md)."""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from bench.data.dataset import Images, Split
from bench.data.tensors import quantise
from bench.errors import BenchError
from bench.runs import atomic
from bench.runs.folder import RunFolder
from bench.runs.scores import DIRECTIONS
from bench.streams import Streams
from bench.training.translating import translations
from variants.contract import Generator

Entry = dict[str, Any]
"""One object of index.json."""
IDENTITY = ("kind", "direction", "file", "step", "measure", "rank")
"""The keys that tell one entry from another; a new entry replaces the old one with the same."""


def sample_indices(images: int, samples: int) -> list[int]:
    """Places of the images that are kept as pictures: spread evenly over the split, the first among them."""
    count = min(images, samples)
    return [place * images // count for place in range(count)]


def sample_split(split: Split, samples: int) -> Split:
    """The images of a test split that are kept as pictures, the same for every variant."""
    places = sample_indices(len(split), samples)
    return Split(split.images[places], tuple(split.names[place] for place in places))


def write_pictures(folder: RunFolder, within: str, pictures: Mapping[str, Images]) -> None:
    """Write uint8 pictures [h, w, 3] or [h, w] as `<name>.png` into the folder `within` the run folder."""
    for name, pixels in pictures.items():
        content = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(pixels)).save(content, format="PNG")
        atomic.write_bytes(folder.path / within / f"{name}.png", content.getvalue())


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
    atomic.write_text(folder.samples / "index.json", json.dumps([*kept, *new], indent=1) + "\n")


def write_progress(
    folder: RunFolder,
    generators: Mapping[str, Generator],
    sources: Mapping[str, Split],
    streams: Streams,
    step: int,
) -> None:
    """Translate the sample images and keep the outputs as pictures of kind `progress`.

    `sources` are the sample images of the domains `A` and `B`; the generators are in eval mode.
    """
    entries = []
    for direction in DIRECTIONS:
        source = sources[direction[0]]
        outputs = _outputs(generators[direction], source, streams, direction)
        for place, (name, output) in enumerate(zip(source.names, outputs, strict=True)):
            within = f"samples/progress/{direction}/{place:02d}/step-{step}"
            write_pictures(folder, within, {"output": output})
            entry = {"kind": "progress", "direction": direction, "file": name, "step": step, "folder": within}
            entries.append(entry)
    add_entries(folder, entries)


def _outputs(generator: Generator, source: Split, streams: Streams, direction: str) -> Iterable[Images]:
    for translation in translations(generator, source, streams, direction):
        yield from quantise(translation.image)


def _identity(entry: Entry) -> tuple[Any, ...]:
    return tuple(entry.get(key) for key in IDENTITY)
