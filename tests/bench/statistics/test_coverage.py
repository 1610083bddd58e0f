"""The promises of the statistics, counted by simulation.

A rate r over n trials is held against the promised p by `Rate.within`: the binomial's central 99.9 %, about
p +- 3.3 sqrt(p (1 - p) / n).
"""

import numpy as np
import pytest
from scipy.stats import binom

from bench.statistics.coverage import (
    Effects,
    FeatureWorld,
    Rate,
    claims_of_alike,
    coverage_of_distances,
    coverage_of_means,
    family_claims,
    heavy,
    percentile_coverage,
)
from bench.statistics.frechet import frechet_leave_one_out
from bench.statistics.kernel import kernel_leave_one_out

TRIALS = 3000
MIXED = Effects(seed=1.0, image=1.0, both=1.0)


def at_least(rate: Rate, promised: float) -> bool:
    return rate.hits >= binom.ppf(0.001, rate.trials, promised)


def at_most(rate: Rate, promised: float) -> bool:
    return rate.hits <= binom.ppf(0.999, rate.trials, promised)


@pytest.mark.parametrize("seeds", [5, 10])
@pytest.mark.parametrize(
    "effects",
    [Effects(1.0, 0.0, 1.0), Effects(0.0, 3.0, 0.0)],
    ids=["seeds alone", "images alone"],
)
def test_the_interval_covers_at_its_nominal_rate_where_one_thing_varies(seeds: int, effects: Effects) -> None:
    rate = coverage_of_means(effects, seeds, 40, TRIALS, np.random.default_rng(seeds))
    assert rate.within(0.95), rate


@pytest.mark.parametrize(
    "effects",
    [MIXED, Effects(1.0, 3.0, 1.0), Effects(0.0, 0.0, 3.0)],
    ids=["mixed", "seeds and images alike", "only both at once"],
)
def test_the_interval_never_covers_less_than_promised_and_never_above_98_percent(effects: Effects) -> None:
    rate = coverage_of_means(effects, 5, 40, TRIALS, np.random.default_rng(1))
    assert at_least(rate, 0.95), rate
    assert at_most(rate, 0.98), rate


def test_heavy_tails_do_not_break_the_interval() -> None:
    rate = coverage_of_means(MIXED, 5, 40, TRIALS, np.random.default_rng(2), heavy)
    assert at_least(rate, 0.95), rate


def test_a_percentile_bootstrap_over_five_seeds_would_not_cover() -> None:
    rate = percentile_coverage(MIXED, 5, 40, 500, np.random.default_rng(3))
    assert at_most(rate, 0.90), rate


@pytest.mark.parametrize("measure", [kernel_leave_one_out, frechet_leave_one_out], ids=["kernel", "frechet"])
@pytest.mark.parametrize("spread", [0.0, 0.1], ids=["alike seeds", "seeds that differ"])
def test_the_interval_of_a_distance_covers(measure, spread: float) -> None:  # type: ignore[no-untyped-def]
    world = FeatureWorld(images=30, dimension=24, seed=spread, shift_a=0.1)
    rate = coverage_of_distances(measure, world, 5, 500, np.random.default_rng(4))
    assert at_least(rate, 0.95), rate
    assert at_most(rate, 0.99), rate


@pytest.mark.parametrize("measure", [kernel_leave_one_out, frechet_leave_one_out], ids=["kernel", "frechet"])
def test_a_variant_against_itself_is_claimed_to_differ_no_more_often_than_it_may(measure) -> None:  # type: ignore[no-untyped-def]
    world = FeatureWorld(images=30, dimension=24, seed=0.1)
    rate = claims_of_alike(measure, world, 5, 500, np.random.default_rng(5))
    assert at_most(rate, 0.05), rate


def test_holm_keeps_the_rate_of_any_false_claim_and_plain_tests_do_not() -> None:
    plain, corrected = family_claims(8, 5, 0.5, 2000, np.random.default_rng(6))
    assert at_most(corrected, 0.05), corrected
    assert plain.share > 0.2, plain
