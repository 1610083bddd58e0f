"""Looking at the generators during a training: distances, masks and pictures, on images not trained on."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.data.dataset import Dataset, Images, Masks, Split
from bench.data.tensors import masks_of, quantise, to_tensor
from bench.runs import atomic
from bench.runs.folder import RunFolder
from bench.runs.pictures import add_entries, sample_indices, write_pictures
from bench.runs.records import DIRECTIONS
from bench.statistics.copying import FEWEST, against_copy, unchanged
from bench.statistics.paired import LeaveOneOut
from bench.streams import Streams
from variants.contract import Generator, Translation
from variants.parts import masks as mask_statistics
from variants.parts.masks import AWAKE_DEVIATION

PIXELS_AT_ONCE = 2**15
"""Images are translated in batches of at most so many pixels: eight of 64 px, one of 256 px."""


@torch.inference_mode()
def translations(
    generator: Generator, split: Split, streams: Streams, direction: str
) -> Iterator[Translation]:
    """The translations of a split in its order, in batches; `generator` should be in eval mode."""
    device = next(generator.parameters(), torch.empty(0)).device
    _, height, width, _ = split.images.shape
    at_once = max(1, PIXELS_AT_ONCE // (height * width))
    for start in range(0, len(split), at_once):
        names = split.names[start : start + at_once]
        shape = generator.noise_shape
        noise = None if shape is None else streams.image_noise(shape, direction, names)
        mask = masks_of(split, slice(start, start + at_once), generator.wants_masks)
        image = to_tensor(split.images[start : start + at_once]).to(device)
        yield generator(image, noise, None if mask is None else mask.to(device))


Features = Callable[[Images], np.ndarray]
"""A feature network: uint8 images [n, h, w, 3] to vectors [n, d]."""
Distance = Callable[[np.ndarray, np.ndarray], float]
"""A distance between two sets of vectors."""
Jackknife = Callable[[np.ndarray, np.ndarray], LeaveOneOut]
"""The same without each vector in turn, for its paired difference from the distance of a copy."""

MaskIou = Callable[[Tensor, Masks], Tensor]
"""IoU of the best of masks [b, k, h, w] with the true foreground [b, h, w]: [b], NaN where there is none."""

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
    mask_best_iou_A2B: float | None = None
    """Of the best mask with the true foreground; None where that is unknown, or told to the generator."""
    mask_best_iou_B2A: float | None = None
    copy_kd_A2B: float | None = None
    """Of the images as they are."""
    copy_kd_B2A: float | None = None
    kd_from_copy_A2B: float | None = None
    """Of the translations less that of the images as they are, with its 95 % interval over images."""
    kd_from_copy_low_A2B: float | None = None
    kd_from_copy_high_A2B: float | None = None
    kd_from_copy_B2A: float | None = None
    kd_from_copy_low_B2A: float | None = None
    kd_from_copy_high_B2A: float | None = None
    unchanged_A2B: float | None = None
    """Share of the translations that are within 2 levels of their source."""
    unchanged_B2A: float | None = None
    collapsed_A2B: bool | None = None
    """Whether the generator stands at copying (bench.statistics.copying)."""
    collapsed_B2A: bool | None = None

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
        self,
        dataset: Dataset,
        streams: Streams,
        network: Features | None,
        distance: Distance | None,
        leave_one_out: Jackknife | None = None,
        mask_iou: MaskIou | None = None,
    ) -> None:
        if (network is None) != (distance is None):
            raise ValueError("network and distance belong together: give both or neither")
        self._sources = {"A": dataset.A.validation, "B": dataset.B.validation}
        self._streams = streams
        self._network = network
        self._distance = distance
        self._leave_one_out = leave_one_out
        self._mask_iou = mask_iou
        self._real: dict[str, np.ndarray] = {}

    def validate(self, generators: Mapping[str, Generator], step: int, images_seen: int) -> Validation:
        """Measure the generators, which are in eval mode."""
        found: dict[str, Any] = {}
        masks: dict[str, list[float]] = {}
        for direction in DIRECTIONS:
            batches = self._translate(generators[direction], direction, masks)
            if batches:
                found |= self._measure(np.concatenate(batches), direction)
        means: dict[str, Any] = {name: fmean(values) for name, values in masks.items() if values}
        return Validation(step, images_seen, **found, **means)

    def _translate(self, generator: Generator, direction: str, masks: dict[str, list[float]]) -> list[Images]:
        """The translated images in batches; the mask statistics of every image are added to `masks`."""
        images: list[Images] = []
        source = self._sources[direction[0]]
        for translation in translations(generator, source, self._streams, direction):
            done = sum(map(len, images))
            images.append(quantise(translation.image))
            found = statistics_of(translation, generator.background)
            if generator.wants_masks is None:  # masks that are told have nothing to find
                found[f"mask_best_iou_{direction}"] = self._ious(translation, source, done)
            for name, values in found.items():
                masks.setdefault(name, []).extend(values)
        return images

    def _ious(self, translation: Translation, source: Split, start: int) -> list[float]:
        """Of the best of the masks, for each image from `start` on that has a foreground."""
        if self._mask_iou is None or source.masks is None or translation.masks is None:
            return []
        foreground = source.masks()[start : start + len(translation.image)]
        ious = self._mask_iou(translation.masks.float(), foreground)
        return [float(value) for value in ious if not math.isnan(value)]

    def _measure(self, images: Images, direction: str) -> dict[str, Any]:
        """The columns of one direction, but for those that too few images leave undefined."""
        sources, real = direction[0], direction[-1]
        same = float(unchanged(np.asarray(self._sources[sources].images), images).mean())
        found: dict[str, Any] = {"unchanged": same}
        fewest = min(len(images), len(self._sources[real]))
        if self._network is not None and self._distance is not None and fewest >= IMAGES_FOR_A_DISTANCE:
            features = self._network(images)
            found["kd"] = float(self._distance(features, self._real_features(real)))
            if self._leave_one_out is not None and fewest >= FEWEST:
                translated, copied = (
                    self._leave_one_out(each, self._real_features(real))
                    for each in (features, self._real_features(sources))
                )
                against = against_copy(translated, copied)
                found |= {"copy_kd": against.copy, "kd_from_copy": against.difference}
                found["kd_from_copy_low"], found["kd_from_copy_high"] = against.interval
                found["collapsed"] = against.collapsed(same)
        return {f"{name}_{direction}": value for name, value in found.items()}

    def _real_features(self, domain: str) -> np.ndarray:
        """Of the validation images of a domain as they are."""
        assert self._network is not None
        if domain not in self._real:
            self._real[domain] = self._network(np.asarray(self._sources[domain].images))
        return self._real[domain]


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

    @property
    def images_until_awake(self) -> int | None:
        """Images seen at the first row whose masks deviate over space by more than `AWAKE_DEVIATION`."""
        return next(
            (row.images_seen for row in self.rows if (row.mask_spatial_deviation or 0) > AWAKE_DEVIATION),
            None,
        )

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
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else f"{value:.9g}"


def sample_split(split: Split, samples: int) -> Split:
    """The images of a test split that are kept as pictures, the same for every variant."""
    places, masks = sample_indices(len(split), samples), split.masks
    names = tuple(split.names[place] for place in places)
    return Split(split.images[places], names, None if masks is None else lambda: masks()[places])


def write_progress(
    folder: RunFolder,
    generators: Mapping[str, Generator],
    sources: Mapping[str, Split],
    streams: Streams,
    step: int,
) -> None:
    """Translate the sample images and keep the outputs as pictures of kind `progress`, the masks beside them.

    `sources` are the sample images of the domains `A` and `B`; the generators are in eval mode.
    """
    entries = []
    for direction in DIRECTIONS:
        source = sources[direction[0]]
        outputs = _outputs(generators[direction], source, streams, direction)
        for place, (name, pictures) in enumerate(zip(source.names, outputs, strict=True)):
            within = f"samples/progress/{direction}/{place:02d}/step-{step}"
            write_pictures(folder, within, pictures)
            entry = {"kind": "progress", "direction": direction, "file": name, "step": step, "folder": within}
            entries.append(entry)
    add_entries(folder, entries)


def _outputs(
    generator: Generator, source: Split, streams: Streams, direction: str
) -> Iterable[dict[str, Images]]:
    """The pictures of every image: `output`, and `masks` side by side where there are some."""
    for translation in translations(generator, source, streams, direction):
        outputs = quantise(translation.image)
        if translation.masks is None:
            yield from ({"output": output} for output in outputs)
            continue
        shown = translation.masks.float().clamp(0, 1).mul(255).round().to(torch.uint8)
        strips = shown.permute(0, 2, 1, 3).flatten(2).cpu().numpy()  # [b, h, k * w]
        yield from ({"output": output, "masks": strip} for output, strip in zip(outputs, strips, strict=True))
