"""The paired interval, its p value, Holm's correction and the smallest detectable difference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.statistics.paired import PairedError, holm, interval, p_value, paired_error, smallest_detectable

DIFFERENCES = np.array([0.3, 0.1, 0.4, -0.1, 0.3])


def test_without_images_the_interval_and_p_value_are_students() -> None:
    error = paired_error(DIFFERENCES)
    expected = stats.ttest_1samp(DIFFERENCES, 0.0)
    assert p_value(DIFFERENCES.mean(), error) == pytest.approx(expected.pvalue)
    assert interval(DIFFERENCES.mean(), error) == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_images_that_matter_widen_the_interval() -> None:
    generator = np.random.default_rng(0)
    shared = np.tile(generator.standard_normal(30), (5, 1))
    without = DIFFERENCES[:, None] - (shared - shared.mean()) / 29
    widened = paired_error(DIFFERENCES, [without])
    assert widened.total**2 == pytest.approx(
        paired_error(DIFFERENCES).total ** 2 + shared[0].var(ddof=1) / 30
    )


def test_the_variances_of_two_samples_of_images_add() -> None:
    block = np.tile(np.random.default_rng(0).standard_normal(20), (5, 1))
    one, two = paired_error(DIFFERENCES, [block]), paired_error(DIFFERENCES, [block, block])
    assert two.input_variance == pytest.approx(2 * one.input_variance)


@given(st.floats(1e-3, 1e3), st.floats(0, 1), st.integers(2, 20), st.integers(3, 300), st.floats(0.01, 50))
def test_the_p_value_is_the_level_whose_interval_just_reaches_zero(
    variance: float, share: float, seeds: int, images: int, ratio: float
) -> None:
    error = PairedError(variance * share, variance * (1 - share), seeds, images)
    mean = ratio * error.total
    p = p_value(mean, error)
    assert 0 < p <= 1
    assert interval(mean, error, alpha=p)[0] == pytest.approx(0, abs=1e-6 * mean)


def test_one_seed_has_no_spread() -> None:
    with pytest.raises(ValueError, match="at least 2 seeds"):
        paired_error(np.array([1.0]))


def test_holm_steps_down() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        holm([0.2, 1.2])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert all(np.diff(np.array(adjusted)[order]) >= 0)


def test_a_difference_of_the_detectable_size_is_found_four_times_in_five() -> None:
    generator = np.random.default_rng(1)
    true = smallest_detectable(PairedError(1 / 5, None, 5, None))
    samples = generator.standard_normal((20_000, 5)) + true
    found = stats.ttest_1samp(samples, 0.0, axis=1)
    # 20,000 trials know the power to 0.8 +- 3.3 * 0.0028.
    assert np.mean(found.pvalue <= 0.05) == pytest.approx(0.8, abs=0.0095)


def test_more_seeds_find_smaller_differences() -> None:
    sizes = [smallest_detectable(PairedError(1 / n, None, n, None)) for n in (5, 10, 20)]
    assert sizes == sorted(sizes, reverse=True)
