"""Every set distance of one direction, with floor and ceiling, and the card that says how it was made."""

from collections.abc import Callable

import numpy as np
import torch

from bench.errors import BenchError, UsageError
from bench.runs.records import Score
from bench.scoring.catalogue_sets import set_key
from bench.scoring.feature_sets import check_features
from bench.scoring.floors import ReferenceFeatures
from bench.scoring.frechet import frechet_distance
from bench.scoring.kernel import kernel_distance, kernel_distance_subsets
from bench.scoring.neighbours import DensityCoverage, PrecisionRecall, density_coverage, precision_recall
from bench.scoring.networks.network import FeatureNetwork
from bench.setup import versions

Values = dict[str, Score]
Measure = Callable[[np.ndarray, np.ndarray], tuple[float, ...]]


def set_scores(generated: np.ndarray, reference: ReferenceFeatures, network: str, subset_size: int) -> Values:
    """Key of the catalogue -> score of the translations' features [n, d], its floor and its ceiling.

    A distance that is undefined for these numbers of images has no value, and says why.
    """
    values = distances(generated, reference.real, subset_size)
    floors = distances(reference.floor, reference.real, subset_size) if reference.floor is not None else {}
    ceilings = (
        distances(reference.ceiling, reference.real, subset_size) if reference.ceiling is not None else {}
    )
    return {
        set_key(stem, network): score.model_copy(
            update={
                "floor": floors[stem].value if stem in floors else None,
                "ceiling": ceilings[stem].value if stem in ceilings else None,
            }
        )
        for stem, score in values.items()
    }


def distances(generated: np.ndarray, real: np.ndarray, subset_size: int) -> Values:
    """Stem of a key (`fd`, `kd`, ...) -> score, of features [n, d] against [m, d].

    Raises BenchError for fewer than 2 images, unequal dimensions or values that are not finite; what needs
    more images than there are is a score without a value, whose reason says so.
    """
    check_features(generated, real)
    return {
        "fd": Score(value=frechet_distance(generated, real)),
        "kd": Score(value=kernel_distance(generated, real)),
        "kd_subsets": _subset_score(generated, real, subset_size),
        **_parts_or_reason(precision_recall, generated, real, PrecisionRecall._fields),
        **_parts_or_reason(density_coverage, generated, real, DensityCoverage._fields),
    }


def _subset_score(generated: np.ndarray, real: np.ndarray, subset_size: int) -> Score:
    try:
        estimate = kernel_distance_subsets(generated, real, subset_size)
    except UsageError as error:
        return Score(value=None, reason=str(error))
    return Score(value=estimate.mean, spread=estimate.deviation)


def _parts_or_reason(
    measure: Measure, generated: np.ndarray, real: np.ndarray, parts: tuple[str, ...]
) -> Values:
    """Every part of what `measure` gives as a score, or the reason why it gives nothing."""
    try:
        values = measure(generated, real)
    except BenchError as error:
        return {part: Score(value=None, reason=str(error)) for part in parts}
    return {part: Score(value=value) for part, value in zip(parts, values, strict=True)}


def metric_card(network: FeatureNetwork, subset_size: int, counts: dict[str, int]) -> dict[str, str | int]:
    """How the distances were made, one flat object for scores.json.

    `counts` are numbers of images under names of the caller's: `images_real_A2B`, `images_floor_A2B`, ...
    """
    return {
        "feature_network": network.name,
        "feature_dimension": network.dimension,
        "weights_source": network.weights_source,
        "weights_sha256": network.weights_hash,
        "resize": network.resize,
        "covariance": "unbiased (n - 1), float64, low-rank Frechet formula",
        "kernel": "(x.y/d + 1)^3, unbiased over all pairs",
        "kd_subsets": f"100 subsets of {subset_size}, seed 2020, as torch-fidelity",
        "neighbours": "precision and recall 3, density and coverage 5",
        "quantisation": "x.add(1).mul(127.5).clamp(0, 255).round() to uint8",
        "floor": "training images of the target domain, as many as translations, against its test images",
        "ceiling": "test images of the source domain against those of the target",
        "precision": "fp32 features, float64 distances",
        "device": network.device.type,
        "threads": torch.get_num_threads(),
        **{f"version_{name}": version for name, version in versions().items()},
        **counts,
    }
