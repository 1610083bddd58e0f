"""From one number an image to one score a run: means with their spread, gaps to the target, reasons."""

from collections.abc import Mapping

import numpy as np

from bench.data.dataset import Images
from bench.errors import BenchError
from bench.runs.records import Score
from bench.scoring.catalogue_images import IMAGE_METRICS
from bench.scoring.catalogue_masks import NO_BACKGROUND, NO_MASKS, mask_head_in_words
from bench.scoring.catalogue_networks import network_key
from bench.scoring.catalogue_truth import NO_TRUTH
from bench.scoring.collect import Column, ColumnCollector
from bench.scoring.floors import ReferenceFeatures
from bench.scoring.frechet import frechet_distance
from bench.scoring.kernel import kernel_distance, kernel_leave_one_out
from bench.scoring.measure_direction import OTHER_MASKS, OUTPUT, WITHOUT_SPACE, Measured
from bench.scoring.measurements.images import levels
from bench.scoring.metric import Metric
from bench.scoring.neighbours import realism
from bench.scoring.networks.network import Features
from bench.scoring.per_image import measure_alone
from bench.statistics.copying import FEWEST, against_copy

IMAGES_AT_ONCE = 16
NEEDS_BACKGROUND = ("mask_background", "foreground_iou")
NEEDS_MASKS = ("foreground_iou", "best_mask_iou", "matched_iou", "foreground_ari")


def target_columns(images: Images) -> dict[str, Column]:
    """What real images [n, h, w, 3] of the target domain measure, for gaps: key -> [n]."""
    collector = ColumnCollector()
    for start in range(0, len(images), IMAGES_AT_ONCE):
        collector.add(measure_alone(levels(np.array(images[start : start + IMAGES_AT_ONCE]))))
    return collector.columns()


def image_scores(measured: Measured, target: Mapping[str, Column]) -> dict[str, Score]:
    """The scores of all entries of IMAGE_METRICS but the columns of single masks, in their order.

    `floor` is what a perfect translator could expect: the mean of the target's real images where these can
    be measured alone, else that of the true counterfactuals where there are any. `ceiling` is the mean that
    copying the input would be given.
    """
    scores = {}
    for metric in IMAGE_METRICS:
        key = metric.key
        if key.endswith("_gap"):
            scores[key] = _gap(metric, measured, target)
        elif key == "mask_input_dependence":
            value = measured.input_dependence
            scores[key] = Score(value=value, reason=_reason(metric, measured) if value is None else None)
        elif not key.endswith("_<k>"):
            scores[key] = _mean(metric, measured, target)
    return scores


def network_scores(
    measured: Measured, real: Features, network: str, *, draws_noise: bool
) -> dict[str, Score]:
    """Changes of the kernel distance without attention, and spreads of distances over draws of the noise.

    `real` [m, d] are the features of the target's test images.
    """
    features = measured.features
    kernel = kernel_distance(features[OUTPUT], real)
    scores = {}
    for stem, stream in (("attention_kd", WITHOUT_SPACE), ("attention_kd_swapped", OTHER_MASKS)):
        if stream in features:
            change = kernel_distance(features[stream], real) - kernel
            scores[network_key(stem, network)] = Score(value=change)
        else:
            scores[network_key(stem, network)] = Score(value=None, reason=NO_MASKS)
    draws = [features[OUTPUT], *(found for name, found in features.items() if name.startswith("draw-"))]
    for stem, distance in (("noise_kd_spread", kernel_distance), ("noise_fd_spread", frechet_distance)):
        key = network_key(stem, network)
        if not draws_noise:
            scores[key] = Score(value=0.0)
        elif len(draws) < 2:
            scores[key] = Score(value=None, reason="the protocol asks for fewer than 2 draws")
        else:
            scores[key] = Score(value=float(np.std([distance(draw, real) for draw in draws], ddof=1)))
    return scores


def copy_score(measured: Measured, reference: ReferenceFeatures, network: str) -> dict[str, Score]:
    """How the kernel distance differs from that of the sources as they are; said where it is theirs."""
    key = network_key("kd_from_copy", network)
    if reference.ceiling is None or min(len(measured.features[OUTPUT]), len(reference.real)) < FEWEST:
        return {key: Score(value=None, reason=f"fewer than {FEWEST} images in either set")}
    against = against_copy(
        kernel_leave_one_out(measured.features[OUTPUT], reference.real),
        kernel_leave_one_out(reference.ceiling, reference.real),
    )
    same = float(measured.columns["unchanged"].mean())
    words = f"collapsed to copying: {same:.0%} of the outputs are within 2 levels of their input"
    return {
        key: Score(
            value=against.difference,
            spread=against.error,
            ceiling=0.0,
            reason=words if against.collapsed(same) else None,
        )
    }


def realism_column(generated: Features, real: Features) -> Column:
    """The realism of every translation: [n]; NaN where there are too few real images."""
    try:
        return realism(generated, real)
    except BenchError:
        return np.full(len(generated), np.nan)


def _mean(metric: Metric, measured: Measured, target: Mapping[str, Column]) -> Score:
    values = measured.columns.get(metric.key, np.empty(0))
    values = values[np.isfinite(values)]
    if not len(values):
        return Score(value=None, reason=_reason(metric, measured))
    mean = float(values.mean())
    in_words = mask_head_in_words(mean) if metric.key == "mask_spatial_deviation" else None
    return Score(
        value=mean,
        reason=in_words,
        spread=float(values.std(ddof=1)) if len(values) > 1 else None,
        floor=_mean_of(measured.perfect | dict(target), metric.key),
        ceiling=_mean_of(measured.copied, metric.key),
    )


def _gap(metric: Metric, measured: Measured, target: Mapping[str, Column]) -> Score:
    key = metric.key.removesuffix("_gap")
    best, mean, copied = (_mean_of(columns, key) for columns in (target, measured.columns, measured.copied))
    if best is None or mean is None:
        return Score(value=None, reason=_reason(metric, measured))
    return Score(value=abs(mean - best), ceiling=None if copied is None else abs(copied - best))


def _mean_of(columns: Mapping[str, Column], key: str) -> float | None:
    """The mean over the images where the measurement is defined; None where it is nowhere."""
    values = columns.get(key, np.empty(0))
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else None


def _reason(metric: Metric, measured: Measured) -> str:
    """Why there is no value, as exactly as can be known."""
    if metric.scope == "truth" and not measured.has_truth:
        return NO_TRUTH
    of_masks = metric.scope == "mask" or metric.key in NEEDS_MASKS or metric.key.startswith("mask_")
    if of_masks and not measured.has_masks:
        return NO_MASKS
    if metric.key in NEEDS_BACKGROUND and not measured.has_background:
        return NO_BACKGROUND
    return metric.undefined_when.removeprefix(f"{NO_TRUTH}, or ").removeprefix(f"{NO_MASKS}, or ")
