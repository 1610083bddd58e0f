"""Pictures of a finished run in `samples/`: everything of a few fixed images, and the extremes of a measure.

The rule of the extremes: the test images of a direction are ordered by the measure, equal ones by their place
in the split; `best` is the one of highest value, `worst` of lowest, `median` the lower of the middle ones.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.cell import Cell
from bench.data.dataset import Dataset, Domain, Images
from bench.data.tensors import masks_of, quantise, to_tensor
from bench.runs.folder import RunFolder
from bench.runs.pictures import Entry, replace_entries, sample_indices, write_pictures
from bench.runs.records import Direction
from bench.scoring.measure import BACK, Column, Measured
from bench.scoring.metric import METRICS
from bench.scoring.translate import device_of, translate
from bench.streams import Streams
from variants.contract import Generator

Generators = Mapping[str, Generator]
MADE_HERE = ("final", "extreme")


def write_final_samples(
    folder: RunFolder,
    cell: Cell,
    dataset: Dataset,
    generators: Generators,
    measured: Mapping[Direction, Measured],
    step: int,
    network: str,
) -> None:
    """Replace the pictures of kind `final` and `extreme` by those of these generators."""
    entries: list[Entry] = []
    for direction, each in measured.items():
        domain = dataset.A if direction == "A2B" else dataset.B
        painter = Painter(generators, domain, cell.streams(), direction)
        for number, place in enumerate(sample_indices(len(domain.test), cell.protocol.score.samples)):
            within = f"samples/final/{direction}/{number:02d}"
            pictures, facts = painter.everything(place)
            write_pictures(folder, within, pictures)
            entries.append(_entry("final", direction, domain.test.names[place], step, within) | facts)
        for measure in extreme_keys(network):
            for rank, place, value in extremes(each.columns[measure]):
                within = f"samples/extreme/{direction}/{measure}-{rank}"
                write_pictures(folder, within, painter.source_and_output(place))
                entry = _entry("extreme", direction, domain.test.names[place], step, within)
                entries.append(entry | {"measure": measure, "rank": rank, "value": value})
    replace_entries(folder, MADE_HERE, entries)


def extreme_keys(network: str) -> list[str]:
    """The columns of whose best, median and worst image pictures are kept, those of features last."""
    chosen = [entry for entry in METRICS.entries().values() if entry.extremes]
    return [entry.key(network) for entry in sorted(chosen, key=lambda each: each.kind == "features")]


def extremes(values: Column) -> Iterator[tuple[str, int, float | None]]:
    """(rank, place, value) of the best, median and worst of the defined values; nothing where none is.

    >>> list(extremes(np.array([0.3, np.nan, 0.9, 0.1])))
    [('best', 2, 0.9), ('median', 0, 0.3), ('worst', 3, 0.1)]
    """
    defined = np.flatnonzero(~np.isnan(values))
    order = defined[np.argsort(values[defined], kind="stable")]
    if not len(order):
        return
    for rank, place in (("best", order[-1]), ("median", order[(len(order) - 1) // 2]), ("worst", order[0])):
        value = float(values[place])
        yield rank, int(place), value if math.isfinite(value) else None


class Painter:
    """Translates single images of a test split again: the same noise gives the same picture."""

    def __init__(self, generators: Generators, domain: Domain, streams: Streams, direction: Direction):
        self._generators = generators
        self._domain = domain
        self._streams = streams
        self._direction = direction

    def source_and_output(self, place: int) -> dict[str, Images]:
        """The pictures `source` and `output`."""
        source = self._source(place)
        output = self._translate(self._direction, source, place).image
        return {"source": self._domain.test.images[place], "output": quantise(output)[0]}

    def everything(self, place: int) -> tuple[dict[str, Images], dict[str, Any]]:
        """All that is translated, attended to and known of an image; and the facts for index.json."""
        source = self._source(place)
        translation = self._translate(self._direction, source, place)
        back = self._translate(BACK[self._direction], translation.image, place).image
        pictures = {
            "source": self._domain.test.images[place],
            "output": quantise(translation.image)[0],
            "reconstruction": quantise(back)[0],
        }
        contents = quantise(translation.contents[0])
        pictures |= {f"content-{k}": content for k, content in enumerate(contents)}
        if (truth := self._domain.truth) is not None:
            pictures["foreground"] = truth.foreground[place].astype(np.uint8) * 255
            if truth.counterfactual is not None:
                pictures["counterfactual"] = truth.counterfactual[place]
        if translation.masks is None:
            return pictures, {"masks": 0, "mask_scale": 1.0, "background": None}
        masks, scale = _grey(translation.masks[0].float())
        pictures |= {f"mask-{k}": mask for k, mask in enumerate(masks)}
        background = self._generators[self._direction].background
        return pictures, {"masks": len(masks), "mask_scale": scale, "background": background}

    def _source(self, place: int) -> Tensor:
        images = self._domain.test.images[place : place + 1]
        return to_tensor(images).to(device_of(self._generators[self._direction]))

    def _translate(self, direction: Direction, image: Tensor, place: int) -> Any:
        names = self._domain.test.names[place : place + 1]
        generator, row = self._generators[direction], slice(place, place + 1)
        mask = masks_of(self._domain.test, row, generator.wants_masks)
        return translate(generator, image, names, self._streams, direction, mask=mask)


def _grey(masks: Tensor) -> tuple[Images, float]:
    """Masks [k, h, w] as grey pictures, and the value of white: 1 unless masks exceed it."""
    scale = max(1.0, float(masks.max()))
    grey = masks.div(scale).clamp(0, 1).mul(255).round().to(torch.uint8)
    return grey.cpu().numpy(), scale


def _entry(kind: str, direction: Direction, file: str, step: int, within: str) -> Entry:
    return {"kind": kind, "direction": direction, "file": file, "step": step, "folder": within}
