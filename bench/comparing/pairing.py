"""The pairs that statistics compare: every metric and direction, of those that are asked for, that both sides
hold.
"""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from bench.comparing.selection import MOST_NAMED, Run, RunsBySeed
from bench.comparing.sides import sides
from bench.errors import BenchError
from bench.names import and_more, unknown_name
from bench.runs.metrics import MetricInfo, is_distance, stem
from bench.runs.records import Direction, DirectionScores, Score, Scores, read_scores
from bench.statistics import Pair
from bench.statistics.claims import Better

Catalogue = Callable[[str], MetricInfo | None]
"""What is known of a key; None for one that this version does not know."""
DEFAULT_METRICS = ("edge_correlation", "colourfulness_gap", "attention_effect")
"""What is compared beside the distances unless asked otherwise: structure, colour, whether attention acts."""


def choose_keys(present: Sequence[str], asked: Sequence[str]) -> list[str]:
    """The keys to compare of those that the scores hold; `asked` by key, or without the feature network.

    Raises UsageError for one that no scores hold.
    """
    if not asked:
        return [key for key in present if is_distance(key) or stem(key) in DEFAULT_METRICS] or list(present)
    chosen: dict[str, None] = {}
    for name in asked:
        found = [key for key in present if name in (key, stem(key))]
        if not found:
            raise unknown_name("metric in the scores of these runs", name, present, "bench list metrics")
        chosen |= dict.fromkeys(found)
    return list(chosen)


def better_of(key: str, catalogue: Catalogue) -> Better:
    """The direction of better; `none` for a key that the catalogue does not know."""
    if is_distance(key):
        return "lower"
    known = catalogue(key)
    return known.better if known else "none"


def factor_of(key: str, catalogue: Catalogue) -> int:
    """What a value is printed times; 1 for a key that the catalogue does not know."""
    known = catalogue(key)
    return known.factor if known else 1


def without_repetition(keys: Iterable[str]) -> list[str]:
    """Keys without repetition, in the order in which they first appear."""
    return list(dict.fromkeys(keys))


@dataclass(frozen=True)
class ComparisonRequest:
    """What is to be compared; None: every one that both variants have."""

    a: str
    b: str
    runs: Path
    protocol: str | None = None
    dataset: str | None = None
    directions: tuple[Direction, ...] = ("A2B", "B2A")
    metrics: tuple[str, ...] = ()
    selection: Literal["last", "validation"] = "last"
    allow_different_schedules: bool = False


@dataclass(frozen=True)
class Scored:
    """A group with the scores of every run, by seed."""

    group: RunsBySeed
    a: Mapping[int, Scores]
    b: Mapping[int, Scores]


def with_scores(one: RunsBySeed) -> Scored:
    """The group with its scores. Raises BenchError naming the runs that have none."""
    return Scored(one, _scores_of(one.a), _scores_of(one.b))


def _scores_of(runs: Mapping[int, Run]) -> dict[int, Scores]:
    missing = [str(run.folder.path) for run in runs.values() if not run.folder.scores_json.is_file()]
    if missing:
        raise BenchError(
            f"{len(missing)} of the runs to compare have no scores. Make them with: "
            f"{shlex.join(['bench', 'score', *missing[:MOST_NAMED]])}" + and_more(len(missing) - MOST_NAMED)
        )
    return {seed: read_scores(run.folder.scores_json) for seed, run in runs.items()}


def make_pairs(
    scored: Sequence[Scored], request: ComparisonRequest, names: tuple[str, str], catalogue: Catalogue
) -> tuple[list[Pair], list[str]]:
    """Every comparison that can be made, and remarks on those that cannot."""
    present = without_repetition(
        key
        for one in scored
        for direction in request.directions
        for scores in (*one.a.values(), *one.b.values())
        for key in _of_direction(scores, request, direction).metrics
    )
    keys = choose_keys(present, request.metrics)
    made = [
        _pair(one, request, names, direction, key, catalogue)
        for one in scored
        for key in keys
        for direction in request.directions
    ]
    return [one for one in made if isinstance(one, Pair)], [one for one in made if isinstance(one, str)]


def _pair(
    scored: Scored,
    request: ComparisonRequest,
    names: tuple[str, str],
    direction: Direction,
    key: str,
    catalogue: Catalogue,
) -> Pair | str:
    """The pair of one metric and direction over the seeds where both have a value, or why there is none."""
    values = [
        {seed: _of_direction(scores, request, direction).metrics.get(key) for seed, scores in side.items()}
        for side in (scored.a, scored.b)
    ]
    seeds = tuple(
        seed for seed in scored.group.seeds if all(_number(side[seed]) is not None for side in values)
    )
    where = f"{key} {direction} on {scored.group.dataset}"
    if not seeds:
        reasons = without_repetition(
            score.reason for side in values for score in side.values() if score and score.reason
        )
        return f"{where} is undefined for one side: {'; '.join(reasons) or 'no value in its scores'}"
    runs = (scored.group.a, scored.group.b)
    a, b = sides(
        key,
        direction,
        request.selection,
        names,
        ([runs[0][seed].folder for seed in seeds], [runs[1][seed].folder for seed in seeds]),
        ([_value(values[0][seed]) for seed in seeds], [_value(values[1][seed]) for seed in seeds]),
    )
    first = values[0][seeds[0]]
    # Of a measurement that should be near the target domain's, the floor is the target domain's own value.
    target = first.floor if first else None
    better = better_of(key, catalogue)
    if better == "nearer target" and target is None:
        better = "none"
    images = _of_direction(scored.a[seeds[0]], request, direction).images_generated
    return Pair(
        key,
        direction,
        scored.group.dataset,
        a,
        b,
        seeds,
        images,
        better,
        target,
        factor_of(key, catalogue),
        copy=first.ceiling if first and is_distance(key) else None,
    )


def _of_direction(scores: Scores, request: ComparisonRequest, direction: Direction) -> DirectionScores:
    if request.selection not in scores.selections:
        raise BenchError(
            f"These runs have no scores of the {request.selection} weights. There are: "
            f"{', '.join(scores.selections)}. Leave --selection out to compare the last step."
        )
    directions = scores.selections[request.selection].directions
    if direction not in directions:
        raise BenchError(f"These runs have no scores of direction {direction}; choose another --direction.")
    return directions[direction]


def _number(score: Score | None) -> float | None:
    if score is None or score.value is None or not np.isfinite(score.value):
        return None
    return score.value


def _value(score: Score | None) -> float:
    value = _number(score)
    assert value is not None  # only seeds with a value on both sides are asked for
    return value
