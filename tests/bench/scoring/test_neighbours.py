"""Precision, recall, density, coverage, realism: points on a line, torch-fidelity, laws, refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_fidelity.metric_prc import prc_features_to_metric

from bench.errors import BenchError
from bench.scoring import kernel
from bench.scoring.neighbours import density_coverage, precision_recall, realism

REAL_LINE = np.array([[0.0], [1.0], [2.0], [10.0]])


def draws(seed: int, n: int, d: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d)) + shift


def prdc_by_loops(generated: np.ndarray, real: np.ndarray, k: int) -> tuple[float, float]:
    """Density and coverage as the paper's formulas read, one pair after the other."""
    radius = [sorted(np.linalg.norm(real - y, axis=1))[k] for y in real]
    inside = [
        [np.linalg.norm(x - y) < r for y, r in zip(real, radius, strict=True)] for x in generated
    ]  # [generated, real]
    return float(np.sum(inside) / (k * len(generated))), float(np.mean(np.any(inside, axis=0)))


@pytest.mark.parametrize(("n", "m", "k", "shift"), [(40, 50, 3, 0.0), (60, 30, 5, 0.5), (25, 25, 1, 1.0)])
def test_precision_and_recall_equal_torch_fidelity(n: int, m: int, k: int, shift: float) -> None:
    x, y = draws(0, n, 4), draws(1, m, 4, shift)
    theirs = prc_features_to_metric(
        torch.from_numpy(x), torch.from_numpy(y), prc_neighborhood=k, verbose=False
    )
    assert precision_recall(x, y, k) == pytest.approx((theirs["precision"], theirs["recall"]), rel=1e-6)


@given(st.integers(0, 2**16), st.integers(1, 4))
def test_density_and_coverage_equal_their_formulas(seed: int, k: int) -> None:
    x, y = draws(seed, 9, 2), draws(seed + 1, 8, 2, shift=0.3)
    assert density_coverage(x, y, k) == pytest.approx(prdc_by_loops(x, y, k))


def test_on_a_line_where_the_answer_is_read_off() -> None:
    generated = np.array([[0.5], [1.5], [30.0]])
    assert precision_recall(generated, REAL_LINE, k=1) == pytest.approx((2 / 3, 1.0))
    # Balls: 0 +- 1, 1 +- 1, 2 +- 1, 10 +- 8, surfaces outside. 0.5 and 1.5 lie in two each, 30 in none.
    assert density_coverage(generated, REAL_LINE, k=1) == pytest.approx((4 / 3, 3 / 4))


def test_a_set_compared_with_itself_is_perfect() -> None:
    x = draws(0, 30, 64).astype(np.float32)
    assert precision_recall(x, x) == (1.0, 1.0)
    assert density_coverage(x, x) == (1.0, 1.0)
    assert np.isinf(realism(x, x)[[0, 5]]).sum() >= 1


def test_one_repeated_real_image_is_precise_but_covers_little() -> None:
    real = draws(0, 40, 5)
    generated = np.repeat(real[:1], 20, axis=0)
    precision, recall = precision_recall(generated, real)
    assert precision == 1.0
    assert recall < 0.1
    assert density_coverage(generated, real).coverage < 0.5


def test_far_away_images_are_neither_precise_nor_cover() -> None:
    x, y = draws(0, 20, 5, shift=100), draws(1, 20, 5)
    assert precision_recall(x, y) == (0.0, 0.0)
    assert density_coverage(x, y) == (0.0, 0.0)
    assert realism(x, y).max() < 0.1


def test_rounding_decides_no_tie_when_the_frame_moves() -> None:
    """Copies of real images lie on the surfaces of balls; a rotation must not move them in or out."""
    real = draws(0, 30, 8)
    generated = np.concatenate([real[:10], draws(1, 10, 8)])
    rotation = np.linalg.qr(draws(2, 8, 8))[0]
    moved = 7 * generated @ rotation + 3, 7 * real @ rotation + 3
    assert precision_recall(*moved) == precision_recall(generated, real)
    assert density_coverage(*moved) == density_coverage(generated, real)


def test_do_not_depend_on_how_the_distances_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = draws(0, 30, 3), draws(1, 21, 3, shift=0.3)
    whole = precision_recall(x, y), density_coverage(x, y), realism(x, y)
    monkeypatch.setattr(kernel, "BLOCK_VALUES", 50)
    assert precision_recall(x, y) == whole[0]
    assert density_coverage(x, y) == whole[1]
    assert realism(x, y) == pytest.approx(whole[2])


def test_realism_is_the_largest_ratio_of_radius_to_distance() -> None:
    # Radii (k = 1) are 1, 1, 1, 8; the ball of 10 is larger than the median and is left out.
    assert realism(np.array([[4.0], [1.25], [10.0]]), REAL_LINE, k=1) == pytest.approx([1 / 2, 4.0, 1 / 8])


def test_realism_falls_as_an_image_moves_away() -> None:
    real = draws(0, 60, 6)
    away = np.linspace(0.1, 10, 8)[:, None] * np.ones((8, 6))
    scores = realism(away, real)
    assert list(scores[2:]) == sorted(scores[2:], reverse=True)
    assert realism(away[:1], real) == pytest.approx(scores[:1]), "one image is enough"


@pytest.mark.parametrize("metric", [precision_recall, density_coverage, realism])
def test_refuse_sets_of_at_most_k_images(metric) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BenchError, match="There are 3 real images; this distance needs at least 4"):
        metric(draws(0, 8, 2), draws(1, 3, 2), k=3)
    with pytest.raises(BenchError, match="k must be at least 1"):
        metric(draws(0, 8, 2), draws(1, 3, 2), k=0)
