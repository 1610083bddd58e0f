"""One pass over a test split in one direction: every measurement and all features, without keeping pixels."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.data.dataset import Domain, Images, Truth
from bench.data.tensors import masks_of, quantise, to_tensor
from bench.errors import BenchError
from bench.progress import ProgressReport
from bench.registry import blamed, to_check
from bench.runs.records import Direction
from bench.scoring.metric import OF_MASKS, OF_TRUTH, Metric, on_images
from bench.scoring.metrics.attention import with_other_masks, without_space
from bench.scoring.metrics.colour import levels
from bench.scoring.metrics.truth import outside, segmentation
from bench.scoring.networks.network import FeatureNetwork, Features
from bench.scoring.translate import Translated, device_of, noise_of, translate, translate_split
from bench.streams import Streams
from variants.contract import Generator, some_mask

BACK: dict[Direction, Direction] = {"A2B": "B2A", "B2A": "A2B"}
OUTPUT, WITHOUT_SPACE, OTHER_MASKS = "output", "without_space", "other_masks"
PASTED = "pasted"
IMAGES_AT_ONCE = 16
Columns = dict[str, Tensor]
"""Name -> one number an image, [b]."""
Column = NDArray[np.float64]
"""One number an image of a split, [n]; NaN where undefined."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Some images and what is known of them, by the names that metrics ask for (`HANDED`); None: unknown."""

    output: Tensor
    source: Tensor | None = None
    period: int | None = None
    translated: Tensor | None = None
    original: Tensor | None = None
    cycle: Tensor | None = None
    identity: Tensor | None = None
    draws: Tensor | None = None
    masks: Tensor | None = None
    contents: Tensor | None = None
    background: int | None = None
    without_space: Tensor | None = None
    other_masks: Tensor | None = None
    counterfactual: Tensor | None = None
    foreground: NDArray[np.bool_] | None = None
    objects: NDArray[np.uint8] | None = None

    @cached_property
    def surroundings(self) -> Tensor | None:
        """Where the background is, well away from the foreground: [b, h, w]."""
        if self.foreground is None:
            return None
        return torch.from_numpy(outside(self.foreground)).to(self.output.device)

    @cached_property
    def regions(self) -> NDArray[np.uint8] | None:
        """Index of the largest mask at every pixel: [b, h, w]."""
        return None if self.masks is None else segmentation(self.masks)

    def present(self) -> set[str]:
        """The names of what is known."""
        names = {each.name for each in fields(self) if getattr(self, each.name) is not None}
        names |= {"surroundings"} if "foreground" in names else set()
        return names | ({"regions"} if "masks" in names else set())


def all_metrics(entry: Metric) -> bool:
    """Every metric of images."""
    return True


def of_output(entry: Metric) -> bool:
    """What needs no source: measured of real images of the target domain, too."""
    return set(entry.needs) == {"output"}


def of_pairs(entry: Metric) -> bool:
    """What needs source and output alone: measured of true counterfactuals as outputs, too."""
    return set(entry.needs) == {"source", "output"}


def of_copies(entry: Metric) -> bool:
    """What is measured of sources as outputs, too: against the source itself it would be no news."""
    return of_output(entry) or (entry.needs_any(OF_TRUTH) and not entry.needs_any(OF_MASKS))


def measure_images(batch: Batch, wanted: Callable[[Metric], bool] = all_metrics) -> Columns:
    """Every wanted metric of single images that the batch has what it takes for: name -> [b]."""
    columns: Columns = {}
    present = batch.present()
    for function, entries in by_function(
        each for each in on_images() if each.kind == "image" and wanted(each)
    ):
        if set(entries[0].needs) <= present:
            name = entries[0].name
            arguments = handed(batch, entries[0], present)
            before = times_written(arguments)
            with blamed("metric", name, function, f"Try it with: {to_check('metric', name, function)}"):
                found = by_column(entries, function(**arguments))
            if changed := [each for each, times in times_written(arguments).items() if times != before[each]]:
                raise BenchError(
                    f"The metric {name} writes into {', '.join(changed)}, which others are handed after it. "
                    "Have it work on a copy: .clone()"
                )
            images = len(batch.output)
            columns |= {name: one_an_image(name, value, images, function) for name, value in found.items()}
    return columns


def times_written(arguments: Mapping[str, Any]) -> dict[str, int]:
    """How often each tensor has been written into, as torch counts it."""
    tensors = {name: value for name, value in arguments.items() if isinstance(value, Tensor)}
    return {name: value._version for name, value in tensors.items() if not value.is_inference()}


def one_an_image(name: str, values: Any, images: int, function: object) -> Any:
    """The values of a metric. Raises BenchError unless they are one real number an image: [b]."""
    try:
        array = torch.as_tensor(values)
        given = f"{list(array.shape)} {str(array.dtype).removeprefix('torch.')}"
    except Exception:  # text, lists of unequal lengths: whatever its author returns
        array, given = torch.empty(0, images), f"{values!r:.40} ({type(values).__name__})"
    if array.shape != (images,) or array.is_complex():
        raise BenchError(
            f"The metric {name} gives {given} for {images} images: it has to give one real number an image, "
            f"[{images}]. Try it with: {to_check('metric', name, function)}"
        )
    return values


def handed(batch: object, entry: Metric, present: set[str]) -> dict[str, Any]:
    """What a metric asked for, by its parameters' names."""
    names = (*entry.needs, *(each for each in entry.options if each in present))
    return {name: getattr(batch, name) for name in names}


def by_function(entries: Iterable[Metric]) -> Iterator[tuple[Callable[..., Any], list[Metric]]]:
    """Functions with the metrics that each of them gives, in order."""
    groups: dict[Callable[..., Any], list[Metric]] = {}
    for entry in entries:
        if entry.measure is not None:
            groups.setdefault(entry.measure, []).append(entry)
    yield from groups.items()


def by_column(entries: list[Metric], found: Any) -> dict[str, Any]:
    """What a function gave, by column: one value, one for each mask, or several by their names."""
    if isinstance(found, Mapping):
        return {each.name: found[each.name] for each in entries if each.name in found}
    (entry,) = entries
    if entry.per_mask and found is not None:
        return dict(zip(entry.columns(found.shape[1]), found.unbind(dim=1), strict=True))
    return {} if found is None else {entry.name: found}


class ColumnCollector:
    """Columns of batches, joined in the order they came."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Column]] = {}

    def add(self, columns: Columns) -> None:
        """Take in the columns of one batch; every batch brings the same keys."""
        for key, values in columns.items():
            self._parts.setdefault(key, []).append(torch.as_tensor(values).detach().cpu().double().numpy())

    def columns(self) -> dict[str, Column]:
        """Key -> [n]."""
        return {key: np.concatenate(parts) for key, parts in self._parts.items()}


class FeatureCollector:
    """Features of several streams of images, holding at most one batch of pixels of each."""

    def __init__(self, network: FeatureNetwork) -> None:
        self._network = network
        self._waiting: dict[str, list[Images]] = {}
        self._features: dict[str, list[Features]] = {}

    def add(self, stream: str, images: Images) -> None:
        """Take in some more uint8 images [b, h, w, 3] of a stream."""
        waiting = self._waiting.setdefault(stream, [])
        waiting.append(images)
        if sum(len(part) for part in waiting) >= self._network.batch:
            self._compute(stream)

    def features(self) -> dict[str, Features]:
        """Stream -> features [n, d], in the order the images came."""
        for stream in [stream for stream, waiting in self._waiting.items() if waiting]:
            self._compute(stream)
        return {stream: np.concatenate(parts) for stream, parts in self._features.items()}

    def _compute(self, stream: str) -> None:
        images = np.concatenate(self._waiting[stream])
        self._features.setdefault(stream, []).append(self._network(images))
        self._waiting[stream] = []


@dataclass(frozen=True, eq=False)
class Measured:
    """What is kept of one direction of one choice of weights."""

    names: tuple[str, ...]
    columns: dict[str, Column]
    """Key -> [n], in the order of `names`; keys that are undefined for the whole run are missing."""
    features: dict[str, Features]
    """`output`, with masks `without_space` and `other_masks`, with truth `pasted`, and `draw-1`, ... of
    further noise."""
    copied: dict[str, Column] = field(default_factory=dict)
    """The same of the sources as if they were the outputs: what copying the input would be given."""
    perfect: dict[str, Column] = field(default_factory=dict)
    """The same of the true counterfactuals, which a perfect translator would be given; empty without them."""
    whole: dict[str, float | None] = field(default_factory=dict)
    """Name -> value of what is measured of the whole split at once."""
    present: frozenset[str] = frozenset()
    """What metrics could be handed."""

    @property
    def draws(self) -> list[Features]:
        """The features of every draw of the noise."""
        return [
            self.features[OUTPUT],
            *(made for name, made in self.features.items() if name.startswith("draw-")),
        ]


def measure_alone(images: Images) -> dict[str, Column]:
    """What real images [n, h, w, 3] of the target domain measure by themselves: name -> [n]."""
    collector = ColumnCollector()
    for start in range(0, len(images), IMAGES_AT_ONCE):
        batch = Batch(output=levels(np.array(images[start : start + IMAGES_AT_ONCE])))
        collector.add(measure_images(batch, of_output))
    return collector.columns()


class DirectionMeasurement:
    """The state of a pass; `run` goes through the split once."""

    def __init__(
        self,
        generators: Mapping[str, Generator],
        direction: Direction,
        domain: Domain,
        network: FeatureNetwork,
        streams: Streams,
        noise_draws: int,
    ) -> None:
        self._generator, self._back = generators[direction], generators[BACK[direction]]
        self._direction = direction
        self._domain = domain
        self._streams = streams
        self._noise_draws = noise_draws
        self._columns, self._copied = ColumnCollector(), ColumnCollector()
        self._perfect = ColumnCollector()
        self._features = FeatureCollector(network)
        self._whole = {each: each.measure() for each in on_images() if each.kind == "split" and each.measure}
        self._present: frozenset[str] = frozenset()
        self._look_at_last_image()

    def run(self, report: ProgressReport) -> Measured:
        """Measure every image of the split."""
        split = self._domain.test
        report.start(f"scoring {self._direction}", len(split))
        for translated in translate_split(self._generator, split, self._streams, self._direction):
            self._measure(self._batch(translated))
            report.advance(len(translated.names))
        return Measured(
            names=split.names,
            columns=self._columns.columns(),
            features=self._features.features(),
            copied=self._copied.columns(),
            perfect=self._perfect.columns(),
            whole={entry.name: state.value() for entry, state in self._whole.items()},
            present=self._present,
        )

    def _look_at_last_image(self) -> None:
        """The last image stands before the first, so that every image has another one's masks to try."""
        split, generator = self._domain.test, self._generator
        image = to_tensor(split.images[-1:]).to(device_of(generator))
        names = split.names[-1:]
        mask = masks_of(split, slice(-1, None), generator.wants_masks)
        translation = translate(generator, image, names, self._streams, self._direction, mask=mask)
        self._previous_masks = None if translation.masks is None else translation.masks.float()
        noise = noise_of(generator, names, self._streams, self._direction)
        self._period = decoder_period(generator, image, noise)

    def _measure(self, batch: Batch) -> None:
        self._present = frozenset(batch.present())
        self._columns.add(measure_images(batch))
        for entry, state in self._whole.items():
            if set(entry.needs) <= self._present:
                state.add(**handed(batch, entry, set(self._present)))
        truth = {name: getattr(batch, name) for name in ("counterfactual", "foreground", "objects")}
        assert batch.source is not None
        copied = Batch(output=batch.source, source=batch.source, period=self._period, **truth)
        self._copied.add(measure_images(copied, of_copies))
        if batch.counterfactual is not None:
            right = Batch(output=batch.counterfactual, source=batch.source, period=self._period)
            self._perfect.add(measure_images(right, of_pairs))

    def _batch(self, translated: Translated) -> Batch:
        """All that is known of a batch; its features are taken in."""
        device = translated.source.device
        image = translated.translation.image
        pictures = quantise(image)
        self._features.add(OUTPUT, pictures)
        output = levels(pictures, device)
        return Batch(
            output=output,
            source=levels(self._domain.test.images[translated.rows], device),
            period=self._period,
            translated=image,
            original=translated.source,
            cycle=self._translate_back(image, translated),
            identity=self._translate_back(translated.source, translated),
            draws=self._draws(translated, output),
            **self._masks(translated),
            **self._truth(translated, self._domain.truth, pictures),
        )

    def _translate_back(self, image: Tensor, batch: Translated) -> Tensor:
        """What the other generator makes of the output (cycle), or of the source itself (identity)."""
        direction = BACK[self._direction]
        return translate(self._back, image, batch.names, self._streams, direction, mask=batch.mask).image

    def _draws(self, batch: Translated, output: Tensor) -> Tensor | None:
        """The outputs of r draws of the slot noise, [r, b, 3, h, w] in levels; None where r would be 1."""
        outputs = [output]
        draws = 1 if self._generator.noise_shape is None else self._noise_draws
        for draw in range(1, draws):
            image = translate(
                self._generator, batch.source, batch.names, self._streams, self._direction, draw, batch.mask
            ).image
            pictures = quantise(image)
            self._features.add(f"draw-{draw}", pictures)
            outputs.append(levels(pictures, output.device))
        enough = len(outputs) > 1 or self._generator.noise_shape is None
        return torch.stack(outputs) if enough else None

    def _masks(self, batch: Translated) -> dict[str, Any]:
        """Masks and contents, and the outputs with the masks taken away; their features are taken in."""
        if batch.translation.masks is None:
            return {}
        masks, contents = batch.translation.masks.float(), batch.translation.contents
        assert self._previous_masks is not None  # the last image had masks, so all have
        others = torch.cat([self._previous_masks, masks[:-1]])
        self._previous_masks = masks[-1:]
        changed = {
            WITHOUT_SPACE: without_space(contents, masks),
            OTHER_MASKS: with_other_masks(contents, others),
        }
        for stream, image in changed.items():
            self._features.add(stream, quantise(image))
        return {"masks": masks, "contents": contents, "background": self._generator.background, **changed}

    def _truth(self, batch: Translated, truth: Truth | None, pictures: Images) -> dict[str, Any]:
        """The right answers; features of the outputs in the right background are taken in."""
        if truth is None:
            return {}
        foreground = truth.foreground[batch.rows]
        # Of photographs the right background is their own.
        right = self._domain.test.images if truth.counterfactual is None else truth.counterfactual
        self._features.add(PASTED, np.where(foreground[..., None], pictures, right[batch.rows]))
        if truth.counterfactual is None or truth.objects is None:
            return {"foreground": foreground}
        return {
            "counterfactual": levels(truth.counterfactual[batch.rows], batch.source.device),
            "foreground": foreground,
            "objects": truth.objects[batch.rows],
        }


ENLARGING = (nn.ConvTranspose2d, nn.PixelShuffle, nn.Upsample)
"""Layers whose stride can show as a grid."""


def decoder_period(generator: Generator, image: Tensor, noise: Tensor | None) -> int | None:
    """Height of an image [1, 3, h, w] over the smallest height that enters an enlarging layer, in pixels.

    16 for a slot decoder, 4 for the ResNet trunk. Found by watching one forward pass, so it holds for
    anybody's generator; None where no layer enlarges.
    """
    heights: list[int] = []

    def note(layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        heights.append(int(inputs[0].shape[-2]))

    layers = [layer for layer in generator.modules() if isinstance(layer, ENLARGING)]
    hooks = [layer.register_forward_pre_hook(note) for layer in layers]
    try:
        with torch.no_grad():
            generator(image, noise, some_mask(generator, image))
    finally:
        for hook in hooks:
            hook.remove()
    period = image.shape[-2] // min(heights, default=image.shape[-2])
    return period if period > 1 else None
