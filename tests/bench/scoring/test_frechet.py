"""The Frechet distance: closed forms, an independent formula, laws, refusals."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from bench.errors import BenchError
from bench.scoring.frechet import frechet_distance


def draws(seed: int, n: int, d: int, shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    stream = np.random.default_rng(seed)
    return scale * stream.standard_normal((n, d)) @ stream.standard_normal((d, d)) + shift


def with_moments(n: int, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """n points whose sample mean and unbiased covariance are exactly these."""
    points = np.random.default_rng(n).standard_normal((n, len(mean)))
    points -= points.mean(axis=0)
    whitened = points @ np.linalg.inv(np.linalg.cholesky(np.cov(points, rowvar=False))).T
    return whitened @ np.linalg.cholesky(covariance).T + mean


def with_square_root_of_matrix(x: np.ndarray, y: np.ndarray) -> float:
    """The textbook formula, through scipy's matrix square root."""
    cov_x, cov_y = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(cov_x @ cov_y).real
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(cov_x + cov_y - 2 * root))


def test_is_the_squared_distance_of_means_where_covariances_are_equal() -> None:
    x = draws(0, 30, 5)
    assert frechet_distance(x, x + np.array([3, 0, 4, 0, 0])) == pytest.approx(25, rel=1e-10)


def test_of_diagonal_gaussians_is_the_difference_of_deviations_squared() -> None:
    x = with_moments(40, np.zeros(3), np.diag([1.0, 4.0, 9.0]))
    y = with_moments(50, np.array([1.0, 2.0, 2.0]), np.diag([4.0, 4.0, 1.0]))
    assert frechet_distance(x, y) == pytest.approx(9 + (2 - 1) ** 2 + 0 + (1 - 3) ** 2, rel=1e-10)


@pytest.mark.parametrize(("n", "m", "d"), [(60, 50, 8), (200, 30, 8), (25, 200, 12)])
def test_equals_the_textbook_formula(n: int, m: int, d: int) -> None:
    x, y = draws(1, n, d), draws(2, m, d, shift=0.3)
    assert frechet_distance(x, y) == pytest.approx(with_square_root_of_matrix(x, y), rel=1e-8)


def test_equals_torch_fidelity_with_fewer_images_than_dimensions() -> None:
    x, y = draws(3, 40, 96), draws(4, 50, 96, shift=0.5)
    theirs = fid_statistics_to_metric(
        *(fid_features_to_statistics(torch.from_numpy(features)) for features in (x, y)), verbose=False
    )["frechet_inception_distance"]
    assert frechet_distance(x, y) == pytest.approx(theirs, rel=1e-4)


@given(st.integers(0, 2**16), st.integers(2, 12), st.integers(2, 12), st.integers(1, 6))
def test_laws(seed: int, n: int, m: int, d: int) -> None:
    x, y = draws(seed, n, d), draws(seed + 1, m, d, shift=1)
    distance = frechet_distance(x, y)
    rotation = np.linalg.qr(draws(seed + 2, d, d))[0]
    near = pytest.approx(distance, rel=1e-6, abs=1e-9 * (1 + (x**2).sum() + (y**2).sum()))
    assert distance >= 0
    assert frechet_distance(y, x) == near, "symmetric"
    assert frechet_distance(x[::-1], y[::-1]) == near, "independent of the order of images"
    assert frechet_distance(x @ rotation + 5, y @ rotation + 5) == near, "independent of the frame"
    assert frechet_distance(3 * x, 3 * y) / 9 == near, "scales as a square"


def test_a_set_is_at_distance_0_of_itself() -> None:
    x = draws(5, 20, 7)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((1, 3)), np.zeros((4, 3)), "There are 1 generated images; this distance needs at least 2"),
        (np.zeros((4, 3)), np.zeros((0, 3)), "There are 0 real images"),
        (np.zeros((4, 3)), np.zeros((4, 5)), "Features of 3 and of 5 dimensions cannot be compared"),
        (np.zeros(4), np.zeros((4, 5)), r"generated features have shape \[4\]"),
        (np.full((4, 3), np.nan), np.zeros((4, 3)), "4 of 4 generated feature vectors hold NaN or infinity"),
        (np.zeros((4, 3)), np.full((4, 3), np.inf), "4 of 4 real feature vectors hold NaN or infinity"),
    ],
)
def test_refuses_what_has_no_distance(x: np.ndarray, y: np.ndarray, message: str) -> None:
    with pytest.raises(BenchError, match=message):
        frechet_distance(x, y)
