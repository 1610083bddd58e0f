"""Scores of images that other programs made, by the same measures and with the same card as our own runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from bench.data.dataset import Images
from bench.progress import ProgressReport, Silent
from bench.runs.records import Direction, DirectionScores, real_fingerprint_key
from bench.scoring.catalogue_networks import network_key
from bench.scoring.collect import Column, ColumnCollector, FeatureCollector
from bench.scoring.floors import ReferenceFeatures
from bench.scoring.image_set import ImageSet, fingerprint
from bench.scoring.measure_direction import OUTPUT, Measured
from bench.scoring.measurements.images import levels
from bench.scoring.networks.network import FeatureNetwork, Features
from bench.scoring.per_image import measure_alone, measure_pairs
from bench.scoring.set_scores import metric_card, set_scores
from bench.scoring.summaries import image_scores, realism_column

Card = dict[str, str | int]
AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class ImageSets:
    """What is scored, and what it is scored against; all images are of one size."""

    generated: ImageSet
    real: ImageSet
    """Real images of the target domain."""
    source: ImageSet | None = None
    """The source of every generated image, in the same order: measurements of single images need it."""
    floor: ImageSet | None = None
    """Other real images of the target domain, best as many as there are generated ones."""


@dataclass(frozen=True, eq=False)
class ExternalScores:
    """The scores of one direction and what is kept besides."""

    sets: ImageSets
    scores: DirectionScores
    subset_size: int
    measured: Measured
    reference: ReferenceFeatures
    real_fingerprint: str
    """Of the real images, as they were scored."""
    image_shape: tuple[int, int]
    """(height, width) of all images, as they were scored."""


def score_image_sets(
    sets: ImageSets, network: FeatureNetwork, subset_size: int, progress: ProgressReport | None = None
) -> ExternalScores:
    """All distances between the sets, and with sources all measurements that need source and output alone.

    Raises BenchError for fewer than 2 images and for images of different sizes.
    """
    report = progress or Silent()
    reference = ReferenceFeatures(
        real=sets.real.features(network, report, "features of real images"),
        floor=sets.floor.features(network, report, "floor") if sets.floor is not None else None,
        ceiling=sets.source.features(network, report, "ceiling") if sets.source is not None else None,
    )
    measured = _measure(sets, network, reference, report)
    metrics = set_scores(measured.features[OUTPUT], reference, network.name, subset_size)
    target, real_fingerprint, shape = _look_at_real(sets.real, report)
    if sets.source is not None:
        each = image_scores(measured, target)
        metrics |= {key: score for key, score in each.items() if key.removesuffix("_gap") in measured.columns}
    scores = DirectionScores(
        images_generated=len(sets.generated), images_real=len(sets.real), metrics=metrics
    )
    return ExternalScores(sets, scores, subset_size, measured, reference, real_fingerprint, shape)


def external_card(network: FeatureNetwork, direction: Direction, found: ExternalScores) -> Card:
    """The card of a run for one direction: only the numbers of images are named by it."""
    floor = found.reference.floor
    counts = {
        f"images_real_{direction}": found.scores.images_real,
        f"images_floor_{direction}": 0 if floor is None else len(floor),
        f"images_generated_{direction}": found.scores.images_generated,
    }
    card = metric_card(network, found.subset_size, counts)
    return card | {real_fingerprint_key(direction): found.real_fingerprint}


def _measure(
    sets: ImageSets, network: FeatureNetwork, reference: ReferenceFeatures, report: ProgressReport
) -> Measured:
    """One pass over the generated images, with their sources where these are known."""
    features, columns, copied = FeatureCollector(network), ColumnCollector(), ColumnCollector()
    generated = sets.generated.read()
    sources = sets.source.read() if sets.source is not None else None
    report.start("scoring images", len(sets.generated))
    while batch := list(islice(generated, AT_ONCE)):
        outputs = np.stack(batch)
        features.add(OUTPUT, outputs)
        if sources is not None:
            source = levels(np.stack(list(islice(sources, AT_ONCE))))
            columns.add(measure_pairs(source, levels(outputs)))
            copied.add(measure_alone(source))
        report.advance(len(batch))
    made = features.features()
    realism = {network_key("realism", network.name): realism_column(made[OUTPUT], reference.real)}
    return images_alone(sets.generated.names, columns.columns() | realism, copied.columns(), made)


def images_alone(
    names: tuple[str, ...],
    columns: dict[str, Column],
    copied: dict[str, Column],
    features: dict[str, Features],
) -> Measured:
    """What can be measured where there are images and neither masks nor ground truth."""
    return Measured(
        names=names,
        columns=columns,
        copied=copied,
        perfect={},
        features=features,
        input_dependence=None,
        has_masks=False,
        has_background=False,
        has_truth=False,
    )


def _look_at_real(real: ImageSet, report: ProgressReport) -> tuple[dict[str, Column], str, tuple[int, int]]:
    """What the real images measure by themselves, for gaps: key -> [n]; their fingerprint; their size."""
    collector = ColumnCollector()
    shapes = []
    report.start("measuring real images", len(real))

    def measured() -> Iterator[Images]:
        images = real.read()
        while batch := list(islice(images, AT_ONCE)):
            collector.add(measure_alone(levels(np.stack(batch))))
            report.advance(len(batch))
            shapes.append(batch[0].shape[:2])
            yield from batch

    seen = fingerprint(measured())
    return collector.columns(), seen, shapes[0]
