"""One pass over a test split in one direction: every measurement and all features, without keeping pixels."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.data.dataset import Domain, Truth
from bench.data.tensors import masks_of, quantise, to_tensor
from bench.progress import ProgressReport
from bench.runs.records import Direction
from bench.scoring import per_image
from bench.scoring.collect import Column, ColumnCollector, FeatureCollector
from bench.scoring.decoder_period import decoder_period
from bench.scoring.measurements.attention_effect import with_other_masks, without_space
from bench.scoring.measurements.change import draw_deviation, mean_change
from bench.scoring.measurements.images import levels
from bench.scoring.measurements.masks import InputDependence
from bench.scoring.networks.network import FeatureNetwork, Features
from bench.scoring.translate import Translated, device_of, noise_of, translate, translate_split
from bench.streams import Streams
from variants.contract import Generator

BACK: dict[Direction, Direction] = {"A2B": "B2A", "B2A": "A2B"}
HALF_RANGE = 127.5
"""Levels in a difference of one between images in [-1, 1]."""
OUTPUT, WITHOUT_SPACE, OTHER_MASKS = "output", "without_space", "other_masks"


@dataclass(frozen=True, eq=False)
class Measured:
    """What is kept of one direction of one choice of weights."""

    names: tuple[str, ...]
    columns: dict[str, Column]
    """Key -> [n], in the order of `names`; keys that are undefined for the whole run are missing."""
    copied: dict[str, Column]
    """The same of the sources as if they were the outputs: what copying the input would be given."""
    perfect: dict[str, Column]
    """The same of the true counterfactuals, which a perfect translator would be given; empty without them."""
    features: dict[str, Features]
    """`output`, and with masks `without_space` and `other_masks`, and `draw-1`, ... of further noise."""
    input_dependence: float | None
    has_masks: bool
    has_background: bool
    has_truth: bool


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
        self._dependence = InputDependence()
        self._look_at_last_image()

    def run(self, report: ProgressReport) -> Measured:
        """Measure every image of the split."""
        split = self._domain.test
        report.start(f"scoring {self._direction}", len(split))
        for batch in translate_split(self._generator, split, self._streams, self._direction):
            self._measure(batch)
            report.advance(len(batch.names))
        has_masks = self._previous_masks is not None
        return Measured(
            names=split.names,
            columns=self._columns.columns(),
            copied=self._copied.columns(),
            perfect=self._perfect.columns(),
            features=self._features.features(),
            input_dependence=self._dependence.value(),
            has_masks=has_masks,
            has_background=has_masks and self._generator.background is not None,
            has_truth=self._domain.truth is not None,
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

    def _measure(self, batch: Translated) -> None:
        pictures = quantise(batch.translation.image)
        self._features.add(OUTPUT, pictures)
        source = levels(self._domain.test.images[batch.rows], batch.source.device)
        output = levels(pictures, batch.source.device)
        self._columns.add(per_image.measure_pairs(source, output, self._period))
        self._columns.add(self._round_trip(batch))
        self._columns.add(self._other_draws(batch, output))
        self._copied.add(per_image.measure_alone(source))
        if batch.translation.masks is not None:
            self._measure_masks(batch, batch.translation.masks.float())
        if self._domain.truth is not None:
            self._measure_truth(batch, self._domain.truth, source, output)

    def _round_trip(self, batch: Translated) -> per_image.Columns:
        """Cycle and identity: what the other generator makes of the output, and of the source itself."""
        direction = BACK[self._direction]
        names, streams = batch.names, self._streams
        translated = batch.translation.image
        cycle = translate(self._back, translated, names, streams, direction, mask=batch.mask).image
        identity = translate(self._back, batch.source, names, streams, direction, mask=batch.mask).image
        return {
            "cycle_l1": HALF_RANGE * mean_change(cycle, batch.source),
            "identity_l1": HALF_RANGE * mean_change(identity, batch.source),
        }

    def _other_draws(self, batch: Translated, output: Tensor) -> per_image.Columns:
        """How much the outputs [b, 3, h, w] in levels change with the draw of the slot noise."""
        if self._generator.noise_shape is None:
            return {"noise_sensitivity": torch.zeros(len(output))}
        outputs = [output]
        for draw in range(1, self._noise_draws):
            image = translate(
                self._generator, batch.source, batch.names, self._streams, self._direction, draw, batch.mask
            ).image
            pictures = quantise(image)
            self._features.add(f"draw-{draw}", pictures)
            outputs.append(levels(pictures, output.device))
        return {"noise_sensitivity": draw_deviation(torch.stack(outputs))} if len(outputs) > 1 else {}

    def _measure_masks(self, batch: Translated, masks: Tensor) -> None:
        background = self._generator.background
        self._columns.add(per_image.measure_masks(masks, background, self._period))
        self._dependence.add(masks)
        assert self._previous_masks is not None  # the last image had masks, so all have
        others = torch.cat([self._previous_masks, masks[:-1]])
        self._previous_masks = masks[-1:]
        contents = batch.translation.contents
        for key, stream, changed in (
            ("attention_effect", WITHOUT_SPACE, without_space(contents, masks)),
            ("attention_effect_swapped", OTHER_MASKS, with_other_masks(contents, others)),
        ):
            self._columns.add({key: HALF_RANGE * mean_change(changed, batch.translation.image)})
            self._features.add(stream, quantise(changed))

    def _measure_truth(self, batch: Translated, truth: Truth, source: Tensor, output: Tensor) -> None:
        right = per_image.TruthBatch(
            counterfactual=truth.counterfactual[batch.rows],
            foreground=truth.foreground[batch.rows],
            objects=truth.objects[batch.rows],
        )
        self._columns.add(per_image.measure_truth(source, output, right))
        self._copied.add(per_image.measure_truth(source, source, right))
        counterfactual = levels(right.counterfactual, source.device)
        self._perfect.add(per_image.measure_pairs(source, counterfactual, self._period))
        if batch.translation.masks is not None:
            masks = batch.translation.masks.float()
            self._columns.add(per_image.measure_segmentation(masks, self._generator.background, right))
