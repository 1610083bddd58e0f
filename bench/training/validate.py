"""Validation on held-out training images: how far the translations are, and what the masks look like."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from statistics import fmean
from typing import Any

import numpy as np

from bench.data.dataset import Dataset, Images
from bench.data.tensors import quantise
from bench.runs import atomic
from bench.runs.folder import RunFolder
from bench.runs.scores import DIRECTIONS
from bench.streams import Streams
from bench.training.translating import translations
from variants.contract import Generator, Translation
from variants.parts import masks as mask_statistics

Features = Callable[[Images], np.ndarray]
"""A feature network: uint8 images [n, h, w, 3] to vectors [n, d]."""
Distance = Callable[[np.ndarray, np.ndarray], float]
"""A distance between two sets of vectors."""

IMAGES_FOR_A_DISTANCE = 2
"""The unbiased kernel distance is undefined for fewer."""


@dataclass(frozen=True)
class Validation:
    """One row of validation.csv; None where nothing can be measured."""

    step: int
    images_seen: int
    kd_A2B: float | None = None
    kd_B2A: float | None = None
    mask_entropy: float | None = None
    mask_effective_number: float | None = None
    mask_background: float | None = None
    mask_spatial_deviation: float | None = None

    @property
    def distance(self) -> float | None:
        """The sum that chooses a checkpoint: smaller is better."""
        if self.kd_A2B is None or self.kd_B2A is None:
            return None
        return self.kd_A2B + self.kd_B2A


class Validator:
    """Measures generators on the validation split, always in fp32 and with the same noise.

    Without a feature network no distance is measured, and so no checkpoint is chosen.
    """

    def __init__(
        self, dataset: Dataset, streams: Streams, network: Features | None, distance: Distance | None
    ) -> None:
        if (network is None) != (distance is None):
            raise ValueError("network and distance belong together: give both or neither")
        self._sources = {"A": dataset.A.validation, "B": dataset.B.validation}
        self._streams = streams
        self._network = network
        self._distance = distance
        self._real: dict[str, np.ndarray] = {}

    def validate(self, generators: Mapping[str, Generator], step: int, images_seen: int) -> Validation:
        """Measure the generators, which are in eval mode."""
        found: dict[str, float | None] = {}
        masks: dict[str, list[float]] = {}
        for direction in DIRECTIONS:
            images = self._translate(generators[direction], direction, masks)
            found[f"kd_{direction}"] = self._distance_to_real(images, direction)
        means = {name: fmean(values) for name, values in masks.items()}
        return Validation(step, images_seen, **found, **means)

    def _translate(self, generator: Generator, direction: str, masks: dict[str, list[float]]) -> list[Images]:
        """The translated images in batches; the mask statistics of every image are added to `masks`."""
        images = []
        source = self._sources[direction[0]]
        for translation in translations(generator, source, self._streams, direction):
            images.append(quantise(translation.image))
            for name, values in statistics_of(translation, generator.background).items():
                masks.setdefault(name, []).extend(values)
        return images

    def _distance_to_real(self, images: list[Images], direction: str) -> float | None:
        domain = direction[-1]
        translated, real = sum(map(len, images)), len(self._sources[domain])
        if self._network is None or self._distance is None or min(translated, real) < IMAGES_FOR_A_DISTANCE:
            return None
        if domain not in self._real:
            self._real[domain] = self._network(np.asarray(self._sources[domain].images))
        return float(self._distance(self._network(np.concatenate(images)), self._real[domain]))


def statistics_of(translation: Translation, background: int | None) -> dict[str, list[float]]:
    """The mask statistics of a batch, one value an image; none without masks."""
    if translation.masks is None:
        return {}
    masks = translation.masks.float()
    found = {
        "mask_entropy": mask_statistics.mask_entropy(masks),
        "mask_effective_number": mask_statistics.mask_effective_number(masks),
        "mask_spatial_deviation": mask_statistics.mask_spatial_deviation(masks),
    }
    if background is not None:
        found["mask_background"] = mask_statistics.mask_background(masks, background)
    return {name: values.tolist() for name, values in found.items()}


class ValidationLog:
    """The rows of validation.csv, and which step was best."""

    def __init__(self) -> None:
        self.rows: list[Validation] = []

    def add(self, row: Validation) -> bool:
        """Take a row; True where it is the best so far, the first of equals."""
        earlier = self.best
        self.rows.append(row)
        if row.distance is None:
            return False
        return earlier is None or earlier.distance is None or row.distance < earlier.distance

    @property
    def best(self) -> Validation | None:
        """The row of smallest distance; None where none was measured."""
        measured = [row for row in self.rows if row.distance is not None]
        return min(measured, key=lambda row: (row.distance, row.step), default=None)

    def write(self, folder: RunFolder) -> None:
        """Replace validation.csv."""
        names = [field.name for field in fields(Validation)]
        rows = [[_cell(getattr(row, name)) for name in names] for row in self.rows]
        atomic.write_csv(folder.validation_csv, names, rows)

    def state_dict(self) -> dict[str, Any]:
        """The rows so far, for a checkpoint."""
        return {"rows": [vars(row) for row in self.rows]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the rows of a checkpoint."""
        self.rows = [Validation(**row) for row in state["rows"]]


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.9g}"
