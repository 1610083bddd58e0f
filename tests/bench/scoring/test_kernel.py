"""Kernel distances: a loop over pairs as oracle, torch-fidelity's estimate, laws, refusals."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_fidelity.metric_kid import kid_features_to_metric

from bench.errors import BenchError, UsageError
from bench.scoring import kernel
from bench.scoring.kernel import kernel_distance, kernel_distance_subsets


def draws(seed: int, n: int, d: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d)) + shift


def by_pairs(x: np.ndarray, y: np.ndarray) -> float:
    """The definition, one pair after the other."""

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return (float(a @ b) / len(a) + 1) ** 3

    within = [np.mean([k(a, b) for a, b in itertools.permutations(z, 2)]) for z in (x, y)]
    return float(sum(within) - 2 * np.mean([k(a, b) for a in x for b in y]))


def theirs(x: np.ndarray, y: np.ndarray, subset_size: int) -> tuple[float, float]:
    """torch-fidelity's mean and standard deviation over 100 subsets."""
    result = kid_features_to_metric(
        torch.from_numpy(x), torch.from_numpy(y), kid_subset_size=subset_size, verbose=False
    )
    return result["kernel_inception_distance_mean"], result["kernel_inception_distance_std"]


@given(st.integers(0, 2**16), st.integers(2, 8), st.integers(2, 8), st.integers(1, 5))
def test_is_the_mean_over_pairs_of_different_images(seed: int, n: int, m: int, d: int) -> None:
    x, y = draws(seed, n, d), draws(seed + 1, m, d, shift=0.5)
    assert kernel_distance(x, y) == pytest.approx(by_pairs(x, y), rel=1e-9, abs=1e-9)


def test_laws() -> None:
    x, y = draws(0, 30, 6), draws(1, 20, 6, shift=1)
    rotation = np.linalg.qr(draws(2, 6, 6))[0]
    distance = pytest.approx(kernel_distance(x, y), rel=1e-10)
    assert kernel_distance(y, x) == distance, "symmetric"
    assert kernel_distance(x[::-1], y[::-1]) == distance, "independent of the order of images"
    assert kernel_distance(x @ rotation, y @ rotation) == distance, "independent of rotation"


def test_is_0_on_average_over_samples_of_one_distribution() -> None:
    """Unbiased at every size: the mean over 400 pairs of samples is 0 within 4 standard errors."""
    values = [kernel_distance(draws(2 * s, 6, 3), draws(2 * s + 1, 9, 3)) for s in range(400)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))
    assert min(values) < 0 < max(values)


def test_grows_with_the_distance_between_the_sets() -> None:
    x = draws(0, 50, 8)
    distances = [kernel_distance(x, draws(1, 50, 8, shift)) for shift in (0.0, 0.5, 1.0, 2.0)]
    assert distances == sorted(distances)


def test_does_not_depend_on_how_the_gram_matrix_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = draws(0, 30, 6), draws(1, 21, 6, shift=1)
    whole = kernel_distance(x, y), kernel_distance_subsets(x, y, 10).mean
    monkeypatch.setattr(kernel, "BLOCK_VALUES", 50)
    cut = kernel_distance(x, y), kernel_distance_subsets(x, y, 10).mean
    assert cut == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize(("n", "m", "subset_size"), [(40, 50, 20), (30, 30, 30), (12, 60, 2)])
def test_subset_estimate_equals_torch_fidelity(n: int, m: int, subset_size: int) -> None:
    x, y = draws(0, n, 32), draws(1, m, 32, shift=0.3)
    ours = kernel_distance_subsets(x, y, subset_size)
    assert ours == pytest.approx(theirs(x, y, subset_size), rel=1e-9)


def test_subset_estimate_equals_torch_fidelity_on_float32_features() -> None:
    x, y = draws(0, 60, 64).astype(np.float32), draws(1, 70, 64, shift=0.3).astype(np.float32)
    assert kernel_distance_subsets(x, y, 30) == pytest.approx(theirs(x, y, 30), rel=1e-5)


def test_subsets_of_everything_give_the_distance_itself() -> None:
    x, y = draws(0, 20, 5), draws(1, 20, 5, shift=0.5)
    estimate = kernel_distance_subsets(x, y, 20, subsets=3)
    assert estimate == pytest.approx((kernel_distance(x, y), 0), abs=1e-12)


@pytest.mark.parametrize("subset_size", [0, 1, 6, 1000])
def test_refuses_a_subset_size_that_does_not_fit(subset_size: int) -> None:
    remedy = "must be between 2 and 5. Set it with --set score.kid_subset_size=5"
    with pytest.raises(UsageError, match=remedy):
        kernel_distance_subsets(draws(0, 5, 3), draws(1, 9, 3), subset_size)


def test_refuses_single_images() -> None:
    with pytest.raises(BenchError, match="1 generated images; this distance needs at least 2"):
        kernel_distance(draws(0, 1, 3), draws(1, 9, 3))
