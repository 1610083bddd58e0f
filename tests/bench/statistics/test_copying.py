"""Better than copying, or collapsed to it: paired with the untouched images, said by one pure function."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.scoring.kernel import kernel_leave_one_out
from bench.statistics import AgainstCopy, against_copy, images_until_better, unchanged


def held_against_copy(translated: np.ndarray, sources: np.ndarray, real: np.ndarray) -> AgainstCopy:
    return against_copy(kernel_leave_one_out(translated, real), kernel_leave_one_out(sources, real))


def features(seed: int, shift: float = 0.0, n: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, 12)) + shift


def test_copying_is_not_told_apart_from_copying():
    sources, real = features(0), features(1, 1.0)
    found = held_against_copy(sources, sources, real)
    assert (found.difference, found.error, found.interval) == (0.0, 0.0, (0.0, 0.0))
    assert found.copy == kernel_leave_one_out(sources, real).value
    assert found.collapsed(1.0)


def test_moving_towards_the_target_is_better_than_copying_and_away_is_worse():
    sources, real = features(0), features(1, 1.0)
    nearer, farther = (held_against_copy(sources + step, sources, real) for step in (0.7, -0.5))
    assert nearer.interval[1] < 0 < farther.interval[0]
    assert not nearer.collapsed(1.0)
    assert not farther.collapsed(1.0)


def test_it_is_paired_what_both_share_does_not_widen_it():
    real = features(1, 1.0, n=60)
    sources = features(0, n=60)
    translated = sources + 0.1
    paired = held_against_copy(translated, sources, real)
    shuffled = held_against_copy(translated[np.random.default_rng(0).permutation(60)], sources, real)
    assert paired.difference == pytest.approx(shuffled.difference)
    assert paired.error < shuffled.error / 2


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says():
    covered = []
    truth = held_against_copy(
        features(7, 0.15, 3000), features(7, 0.0, 3000), features(8, 0.4, 3000)
    ).difference
    for seed in range(60):
        sources = features(100 + seed)
        low, high = held_against_copy(sources + 0.15, sources, features(300 + seed, 0.4)).interval
        covered.append(low <= truth <= high)
    assert 0.85 <= np.mean(covered) <= 1.0


@given(unchanged=st.floats(0, 1), difference=st.floats(-3, 3), error=st.floats(0, 1))
def test_collapsed_needs_both_unchanged_outputs_and_an_interval_that_holds_zero(unchanged, difference, error):
    found = AgainstCopy(1.0, difference, error, 50)
    low, high = found.interval
    assert low <= difference <= high
    assert found.collapsed(unchanged) == (unchanged >= 0.5 and low <= 0 <= high)


def test_an_output_is_unchanged_within_two_levels_in_the_mean():
    sources = np.full((4, 8, 8, 3), 100, np.uint8)
    outputs = sources.copy()
    outputs[1] += 2
    outputs[2] += 3
    outputs[3, 0, 0] = 200
    assert unchanged(sources, outputs).tolist() == [True, True, False, True]
    assert unchanged(outputs, sources).tolist() == [True, True, False, True]


@pytest.mark.parametrize(
    ("highest", "first"),
    [
        ([1.0, -1.0, -2.0], 20),
        ([-1.0, -1.0, -1.0], 10),
        ([-1.0, 0.5, -1.0], 30),
        ([-1.0, -1.0, 0.5], None),
        ([-1.0, None, -1.0], 30),
        ([-1.0, 0.0, 0.0], None),
        ([], None),
    ],
)
def test_better_than_copying_is_the_first_validation_from_which_on_it_stays_so(highest, first):
    seen = [10, 20, 30][: len(highest)]
    assert images_until_better(seen, highest) == first


def test_translations_of_other_images_are_refused():
    with pytest.raises(ValueError, match="the same images"):
        held_against_copy(features(0, n=9), features(0, n=10), features(1))
