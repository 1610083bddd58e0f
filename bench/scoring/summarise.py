"""From measurements to scores: distances with floor and ceiling, means, gaps, reasons, the card."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from bench.errors import BenchError
from bench.names import command
from bench.registry import blamed
from bench.runs.folder import RunFolder
from bench.runs.metrics import MetricInfo, described, key_under
from bench.runs.records import Score, Scores, metric_source_key, read_scores
from bench.scoring.kernel import check_features
from bench.scoring.measure import (
    OTHER_MASKS,
    OUTPUT,
    PASTED,
    WITHOUT_SPACE,
    Column,
    Measured,
    by_column,
    by_function,
    handed,
)
from bench.scoring.metric import Metric, on_features, on_images, sources
from bench.scoring.networks.network import FeatureNetwork, Features
from bench.scoring.references import ReferenceFeatures
from bench.setup import versions


@dataclass(frozen=True, eq=False)
class FeatureSets:
    """Features and what else metrics of them ask for (`bench.scoring.metric.HANDED`); None: unknown."""

    generated: Features
    real: Features
    subset_size: int
    copied: Features | None = None
    generated_without_space: Features | None = None
    generated_other_masks: Features | None = None
    generated_pasted: Features | None = None
    generated_draws: Sequence[Features] | None = None
    columns: Mapping[str, Column] | None = None

    def present(self) -> set[str]:
        """The names of what is known."""
        return {name for name, value in self.__dict__.items() if value is not None}


def feature_sets(measured: Measured, reference: ReferenceFeatures, subset_size: int) -> FeatureSets:
    """All that metrics of features can be handed of one direction of a run."""
    return FeatureSets(
        generated=measured.features[OUTPUT],
        real=reference.real,
        subset_size=subset_size,
        copied=reference.ceiling,
        generated_without_space=measured.features.get(WITHOUT_SPACE),
        generated_other_masks=measured.features.get(OTHER_MASKS),
        generated_pasted=measured.features.get(PASTED),
        generated_draws=measured.draws if "draws" in measured.present else None,
        columns=measured.columns,
    )


def set_scores(
    sets: FeatureSets, network: str, floor: Features | None, *, all_metrics: bool = True
) -> dict[str, Score]:
    """Key -> score of every metric of features, distances with their floor and their ceiling.

    `floor` [n, d] are other real images of the target domain. What is undefined for these numbers of images
    has no value, and says why; without `all_metrics` what lacks something is left out instead. Raises
    BenchError for fewer than 2 images, unequal dimensions or values that are not finite.
    """
    scores = _of_features(sets, on_features(), all_metrics)
    distances = [entry for entry in on_features() if compares_sets(entry)]
    for name, references in (("floor", floor), ("ceiling", sets.copied)):
        if references is None:
            continue
        best = _of_features(replace(sets, generated=references), distances, all_metrics)
        for key, score in best.items():
            scores[key] = scores[key].model_copy(update={name: score.value})
    return {key_under(name, network): score for name, score in scores.items()}


def compares_sets(entry: Metric) -> bool:
    """Whether a metric holds one set against the real images and asks for nothing else."""
    return not entry.column and {"generated", "real"} <= set(entry.needs) <= {
        "generated",
        "real",
        "subset_size",
    }


def _of_features(sets: FeatureSets, entries: Sequence[Metric], all_metrics: bool) -> dict[str, Score]:
    check_features(sets.generated, sets.real)
    present = sets.present()
    scores: dict[str, Score] = {}
    for function, group in by_function(entry for entry in entries if not entry.column):
        if set(group[0].needs) <= present:
            scores |= _scores_or_reason(function, group, handed(sets, group[0], present))
        elif all_metrics:
            scores |= {each.name: Score(value=None, reason=reason(each, present)) for each in group}
    return scores


def _scores_or_reason(
    function: Callable[..., Any], entries: list[Metric], arguments: dict[str, Any]
) -> dict[str, Score]:
    try:
        found = by_column(entries, function(**arguments))
    except BenchError as error:
        return {each.name: Score(value=None, reason=str(error)) for each in entries}
    return {
        each.name: _score(found[each.name]) if each.name in found else Score(value=None, reason=each.when)
        for each in entries
    }


def _score(found: Any) -> Score:
    return found if isinstance(found, Score) else Score(value=float(found))


def feature_columns(generated: Features, real: Features, network: str) -> dict[str, Column]:
    """What is measured of every image's features: key -> [n]; NaN where there are too few images."""
    found: dict[str, Column] = {}
    for entry in on_features():
        if entry.column and entry.measure is not None:
            try:
                values = np.asarray(entry.measure(generated=generated, real=real), np.float64)
            except BenchError:
                values = np.full(len(generated), np.nan)
            found[key_under(entry.name, network)] = values
    return found


def image_scores(measured: Measured, target: Mapping[str, Column]) -> dict[str, Score]:
    """The scores of all metrics of images, in their order; columns of single masks have none.

    `target` is what real images of the target domain measure by themselves. `floor` is what a perfect
    translator could expect: the mean of the target's real images where these can be measured alone, else that
    of the true counterfactuals where there are any. `ceiling` is the mean that copying would be given.
    """
    scores = {}
    for entry in on_images():
        if entry.kind == "gap":
            scores[entry.name] = _gap(entry, measured, target)
        elif entry.kind == "split":
            value = measured.whole.get(entry.name)
            why = reason(entry, measured.present) if value is None else None
            scores[entry.name] = Score(value=value, reason=why)
        elif not entry.per_mask:
            scores[entry.name] = _mean(entry, measured, target)
    return scores


def _mean(entry: Metric, measured: Measured, target: Mapping[str, Column]) -> Score:
    values = measured.columns.get(entry.name, np.empty(0))
    values = values[np.isfinite(values)]
    if not len(values):
        return Score(value=None, reason=reason(entry, measured.present))
    mean = float(values.mean())
    return Score(
        value=mean,
        reason=_said(entry, mean),
        spread=float(values.std(ddof=1)) if len(values) > 1 else None,
        floor=_mean_of(measured.perfect | dict(target), entry.name),
        ceiling=_mean_of(measured.copied, entry.name),
    )


def _said(entry: Metric, mean: float) -> str | None:
    """What a metric says of its mean. Raises BenchError, naming one that is not ours, for what is no text."""
    if entry.says is None:
        return None
    with blamed("metric", entry.name, entry.says, "`says` is given the mean, and gives a text or None."):
        told = entry.says(mean)
        if told is not None and not isinstance(told, str):
            raise TypeError(f"`says` gave {told!r:.40}")
    return told


def _gap(entry: Metric, measured: Measured, target: Mapping[str, Column]) -> Score:
    best, mean, copied = (
        _mean_of(columns, entry.gap_of) for columns in (target, measured.columns, measured.copied)
    )
    if best is None or mean is None:
        return Score(value=None, reason=reason(entry, measured.present))
    return Score(value=abs(mean - best), ceiling=None if copied is None else abs(copied - best))


def _mean_of(columns: Mapping[str, Column], name: str) -> float | None:
    """The mean over the images where the measurement is defined; None where it is nowhere."""
    values = columns.get(name, np.empty(0))
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else None


def reason(entry: Metric, present: set[str] | frozenset[str]) -> str:
    """Why there is no value, as exactly as can be known."""
    return entry.lacking(present) or entry.when or "undefined for these images"


def metric_card(network: FeatureNetwork, subset_size: int, counts: dict[str, int]) -> dict[str, str | int]:
    """How the distances were made, one flat object for scores.json.

    `counts` are numbers of images under names of the caller's: `images_real_A2B`, `images_floor_A2B`, ...
    """
    return {
        "feature_network": network.name,
        "feature_dimension": network.dimension,
        "weights_source": network.weights_source,
        "weights_sha256": network.weights_hash,
        **({"network_source": network.code} if network.code else {}),
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
        **{metric_source_key(name): found for name, found in sources().items()},
    }


def metrics_now(folder: RunFolder) -> list[str]:
    """Which metrics that are not ours a run was scored without, or have been edited since, in sentences."""
    if not folder.scores_json.exists():
        return []
    now, scores = sources(), read_scores(folder.scores_json)
    known = {name for key in scores.metrics for name in (key, key.partition("(")[0])}
    before = {name: scores.card.get(metric_source_key(name)) for name in now}
    new = [name for name in now if before[name] is None and name not in known]
    edited = [name for name in now if before[name] not in (None, now[name])]
    again = f"{command('score', folder.path)} with the same --plugin measures it"
    found = [f"{name} was not there when this run was scored: {again}." for name in new]
    return found + [f"{name} has been edited since this run was scored: {again} again." for name in edited]


OF_THE_NETWORK = ("feature_dimension", "weights_source", "weights_sha256", "network_source", "resize")
"""Keys of the card that belong to a feature network; of an earlier one they are kept as `key(network)`."""


def with_earlier_networks(new: Scores, earlier: Scores | None) -> Scores:
    """The new scores, and those of `earlier` that another feature network gave.

    A key that both have keeps its new value. Earlier scores of a choice of weights of another step, or of one
    that is no longer there, are dropped: they describe other weights.
    """
    if earlier is None:
        return new
    selections = {}
    kept: dict[str, MetricInfo] = {}
    for name, selection in new.selections.items():
        before = earlier.selections.get(name)
        if before is None or before.step != selection.step:
            selections[name] = selection
            continue
        directions = {}
        for direction, scores in selection.directions.items():
            others = {
                key: score
                for key, score in before.directions[direction].metrics.items()
                if key not in scores.metrics
            }
            kept |= {key: info for key in others if (info := earlier.metrics.get(key) or described(key))}
            directions[direction] = scores.model_copy(update={"metrics": scores.metrics | others})
        selections[name] = selection.model_copy(update={"directions": directions})
    card = _earlier_card(earlier.card, new.card) | new.card
    metrics = new.metrics | {key: info for key, info in kept.items() if key not in new.metrics}
    return new.model_copy(update={"selections": selections, "card": card, "metrics": metrics})


def _earlier_card(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """What the earlier card says of networks other than the new one."""
    network = before.get("feature_network")
    own = f"({now.get('feature_network')})"
    kept = {key: value for key, value in before.items() if key.endswith(")") and not key.endswith(own)}
    if network == now.get("feature_network"):
        return kept
    return kept | {f"{key}({network})": before[key] for key in OF_THE_NETWORK if key in before}
