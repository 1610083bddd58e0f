"""The A/A control: a variant against itself under another name must not differ more often than by chance.

Each comparison of an A/A pair claims a difference with probability at most alpha, so the claims among m
independent comparisons are at most binomial(m, alpha); the control fails above its 95 % quantile.
Comparisons of one pair of runs are not independent (KID and FID move together), so failing once calls for
another control with other seeds, not for a verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binom

from bench.statistics.claims import SEEDS_FOR_CLAIM, plural
from bench.statistics.paired import ALPHA


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
            f"A/A control: no claim is made from {plural(seeds, 'seed')} on either side, so none could be "
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
            f"A/A control: {plural(claims, 'difference')} claimed in {plural(count, 'comparison')} "
            f"of a variant with itself, each tested at {100 * alpha:g} % by itself: {outcome}."
        )
    return Control(count, claims, allowed, sentence)
