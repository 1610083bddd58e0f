"""Compare variants pairwise over seeds: plain data in, numbers with their claim out.

The A/A control: a variant against itself under another name must not differ more often than by chance.

Each comparison of an A/A pair claims a difference with probability at most alpha, so the claims among m
independent comparisons are at most binomial(m, alpha); the control fails above its 95 % quantile.
Comparisons of one pair of runs are not independent (KID and FID move together), so failing once calls for
another control with other seeds, not for a verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.stats import binom

from bench.names import counted
from bench.statistics.claims import (
    SEEDS_FOR_CLAIM,
    Better,
    Claim,
    Evidence,
    Verdict,
    claim,
    permitted,
)
from bench.statistics.paired import (
    ALPHA,
    Array,
    PairedError,
    holm,
    image_error,
    interval,
    p_value,
    paired_error,
    smallest_detectable,
)

CONSTANT = 1e-12


@dataclass(frozen=True)
class Side:
    """One variant's values of a measure, in the order of the seeds."""

    name: str
    values: tuple[float, ...]
    leave_one_out: tuple[Array, ...] = ()
    """One array [seeds, n] for every sample of images that enters the measure: the value without image i."""

    @staticmethod
    def of_images(name: str, per_image: Array) -> "Side":
        """A measure that is the mean of per-image values [seeds, n]."""
        n = per_image.shape[1]
        means = per_image.mean(axis=1)
        without = (n * means[:, None] - per_image) / (n - 1)
        return Side(name, tuple(float(value) for value in means), (without,))


@dataclass(frozen=True)
class Pair:
    """Two variants, one measure, the same seeds and the same test images."""

    metric: str
    direction: str
    dataset: str
    a: Side
    b: Side
    seeds: tuple[int, ...]
    images: int | None
    better: Better
    target: float | None = None
    """Where `better` is "nearer target": the value to be near; the distance from it is what is compared."""
    factor: int = 1
    """What sentences and tables multiply values by; KID is stored raw and printed ×100."""
    as_they_are: bool = False
    """Whether both sides are taken as they are, whatever their seeds: the images alone are the sample."""
    copy: float | None = None
    """Of a distance to the target: that of the input returned as it is, where it is known."""

    def __post_init__(self) -> None:
        counts = {len(self.a.values), len(self.b.values)}
        counts |= {len(self.seeds)} if self.seeds or not self.as_they_are else set()
        if len(counts) != 1 or 0 in counts:
            raise ValueError(f"{self.metric}: both variants need one value for each of seeds {self.seeds}")
        if self.better == "nearer target" and self.target is None:
            raise ValueError(f"{self.metric}: nearer the target is better, but no target is given")
        if not np.isfinite([*self.a.values, *self.b.values]).all():
            raise ValueError(f"{self.metric}: a value is NaN or infinite")


@dataclass(frozen=True)
class Comparison:
    """The outcome for one pair; differences are a - b (of distances from the target, where there is one)."""

    metric: str
    direction: str
    dataset: str
    a: str
    b: str
    seeds: tuple[int, ...]
    images: int | None
    better: Better
    factor: int
    """What tables multiply values by; every number here is raw."""
    values_a: tuple[float, ...]
    values_b: tuple[float, ...]
    mean_a: float
    mean_b: float
    differences: tuple[float, ...]
    mean_difference: float
    error: PairedError | None
    """None with one seed, or where the difference is the same in every seed and for all images."""
    interval: tuple[float, float] | None
    """Of the mean difference, 95 %; None under 5 seeds."""
    p_value: float | None
    p_adjusted: float | None
    """By Holm over all comparisons of the call."""
    smallest_detectable: float | None
    verdict: Verdict
    favours: Literal["a", "b"] | None
    sentence: str
    over_images: bool = False
    """Whether interval and p value are over the test images alone, of one side or both without seeds."""
    copy: float | None = None
    """The distance of the input returned as it is, where the measure is one to the target."""

    @property
    def shares_of_copy(self) -> tuple[float, float] | None:
        """Both means as shares of a copy's distance: 0 the target, 1 the input; None where not known."""
        if self.copy is None or self.copy <= 0:
            return None
        return self.mean_a / self.copy, self.mean_b / self.copy


@dataclass(frozen=True)
class _Tested:
    pair: Pair
    evidence: Evidence
    error: PairedError | None
    p: float | None


def compare(pairs: Sequence[Pair]) -> tuple[Comparison, ...]:
    """Compare every pair; the pairs of one call are the comparisons declared beforehand."""
    tested = [_test(pair) for pair in pairs]
    adjusted = iter(holm([one.p for one in tested if one.p is not None]))
    outcomes = []
    for one in tested:
        evidence = replace(
            one.evidence,
            comparisons=sum(other.p is not None for other in tested),
            p_adjusted=None if one.p is None else next(adjusted),
        )
        outcomes.append(_outcome(replace(one, evidence=evidence), claim(evidence)))
    return tuple(outcomes)


def _test(pair: Pair) -> _Tested:
    a, b = measured_from_target(pair.a, pair), measured_from_target(pair.b, pair)
    evidence = Evidence(
        a.name,
        b.name,
        _title(pair),
        pair.better,
        a.values,
        b.values,
        images=pair.images,
        factor=pair.factor,
        over_images=pair.as_they_are,
    )
    error = _error(a, b, pair.as_they_are)
    if error is None or (not pair.as_they_are and permitted(len(pair.seeds)) is not None):
        return _Tested(pair, evidence, error, None)
    mean = evidence.mean_difference
    evidence = replace(
        evidence,
        interval=interval(mean, error),
        inputs_varied=error.images is not None,
        smallest_detectable=smallest_detectable(error),
    )
    return _Tested(pair, evidence, error, p_value(mean, error))


def _error(a: Side, b: Side, as_they_are: bool) -> PairedError | None:
    blocks: tuple[Array, ...] = ()
    if len(a.leave_one_out) == len(b.leave_one_out):
        blocks = tuple(x - y for x, y in zip(a.leave_one_out, b.leave_one_out, strict=True))
    if len(a.values) < 2 if not as_they_are else not blocks:
        return None
    error = image_error(blocks) if as_they_are else paired_error(np.subtract(a.values, b.values), blocks)
    scale = max(abs(value) for value in (*a.values, *b.values))
    return error if error.total > CONSTANT * scale else None


def measured_from_target(side: Side, pair: Pair) -> Side:
    """The side's distances from the target value, where there is one; else the side as it is."""
    if pair.better != "nearer target" or pair.target is None:
        return side
    target = pair.target
    return Side(
        side.name,
        tuple(abs(value - target) for value in side.values),
        tuple(abs(block - target) for block in side.leave_one_out),
    )


def _title(pair: Pair) -> str:
    factor = "" if pair.factor == 1 else f" ×{pair.factor}"
    return f"{pair.metric}{factor} {pair.direction} on {pair.dataset}"


def _outcome(tested: _Tested, claimed: Claim) -> Comparison:
    pair, evidence = tested.pair, tested.evidence
    return Comparison(
        metric=pair.metric,
        direction=pair.direction,
        dataset=pair.dataset,
        a=pair.a.name,
        b=pair.b.name,
        seeds=pair.seeds,
        images=pair.images,
        better=pair.better,
        factor=pair.factor,
        values_a=pair.a.values,
        values_b=pair.b.values,
        mean_a=float(np.mean(pair.a.values)),
        mean_b=float(np.mean(pair.b.values)),
        differences=evidence.differences,
        mean_difference=evidence.mean_difference,
        error=tested.error,
        interval=evidence.interval,
        p_value=tested.p,
        p_adjusted=evidence.p_adjusted,
        smallest_detectable=evidence.smallest_detectable,
        verdict=claimed.verdict,
        favours=claimed.favours,
        sentence=claimed.sentence,
        over_images=pair.as_they_are,
        copy=pair.copy,
    )


@dataclass(frozen=True)
class Control:
    """How often comparisons of a variant with itself found a difference, before any correction."""

    comparisons: int
    claims: int
    allowed: int
    """The most claims that chance explains at the 95 % level."""
    sentence: str

    @property
    def passed(self) -> bool:
        return self.claims <= self.allowed


def evaluate_control(p_values: Sequence[float], seeds: int, alpha: float = ALPHA) -> Control:
    """Judge the uncorrected p values of comparisons whose two sides are the same variant.

    `seeds` is the least number of seeds on either side of a comparison.
    """
    claims = sum(p <= alpha for p in p_values)
    count = len(p_values)
    allowed = int(binom.ppf(0.95, count, alpha)) if count else 0
    if not count and seeds < SEEDS_FOR_CLAIM:
        sentence = (
            f"A/A control: no claim is made from {counted(seeds, 'seed')} on either side, so none could be "
            f"false; it is a test from {SEEDS_FOR_CLAIM} on."
        )
    elif not count:
        sentence = "A/A control: nothing varied between the two sides, so there was nothing to claim."
    else:
        outcome = (
            f"as chance allows (up to {allowed})"
            if claims <= allowed
            else f"more than chance allows ({allowed}): repeat it with other seeds"
        )
        sentence = (
            f"A/A control: {counted(claims, 'difference')} claimed in {counted(count, 'comparison')} "
            f"of a variant with itself, each tested at {100 * alpha:g} % by itself: {outcome}."
        )
    return Control(count, claims, allowed, sentence)
