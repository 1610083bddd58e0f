"""The relative test: of one training against one other, which is nearer to the same real images."""

import numpy as np
import pytest

from bench.scoring.kernel import kernel_leave_one_out, polynomial_kernel
from bench.statistics import Pair, Side, compare

IMAGES, FEATURES = 40, 6


def p_value_of(a: np.ndarray, b: np.ndarray, real: np.ndarray) -> float:
    """The p value of the comparison of two kernel distances over the test images."""
    found = [kernel_leave_one_out(each, real) for each in (a, b)]
    sides = [
        Side(n, (one.value,), (one.generated[None], one.real[None]))
        for n, one in zip("ab", found, strict=True)
    ]
    pair = Pair("kd(tiny)", "A2B", "toy", *sides, (), len(a), "lower", as_they_are=True)
    outcome = compare([pair])[0]
    assert outcome.p_value is not None
    return outcome.p_value


def drawn(
    rng: np.random.Generator, away_a: float, away_b: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of two translations of the same images, and of real ones."""
    source = rng.normal(size=(IMAGES, FEATURES))
    a, b = (0.7 * source + 0.7 * rng.normal(size=source.shape) for _ in range(2))
    a[:, 0] += away_a
    b[:, 1] += away_b
    return a, b, rng.normal(size=(IMAGES + 10, FEATURES))


def test_two_that_are_equally_far_are_told_apart_no_more_often_than_promised() -> None:
    rng = np.random.default_rng(0)
    claims = sum(p_value_of(*drawn(rng, 1.0, 1.0)) <= 0.05 for _ in range(500))
    assert claims / 500 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 500)
    assert claims / 500 >= 0.02  # and it is no test that never claims


def test_the_nearer_of_two_is_found() -> None:
    rng = np.random.default_rng(1)
    assert sum(p_value_of(*drawn(rng, 0.3, 1.6)) <= 0.05 for _ in range(50)) >= 45


def test_its_variance_is_that_of_the_paper_of_paired_images() -> None:
    """Bounliphone et al. 2016, equation 9: variances of the terms of first order; images paired, as here."""
    rng = np.random.default_rng(2)
    a, b, real = drawn(rng, 0.5, 1.2)
    n, m = len(a), len(real)

    def own(x: np.ndarray) -> np.ndarray:
        within = polynomial_kernel(x, x)
        np.fill_diagonal(within, 0)
        return 2 * (within.sum(axis=1) / (n - 1) - polynomial_kernel(x, real).mean(axis=1))

    of_real = 2 * (polynomial_kernel(real, b).mean(axis=1) - polynomial_kernel(real, a).mean(axis=1))
    expected = np.var(own(a) - own(b), ddof=1) / n + np.var(of_real, ddof=1) / m
    difference = kernel_leave_one_out(a, real).minus(kernel_leave_one_out(b, real))
    jackknife = (n - 1) * difference.generated.var() + (m - 1) * difference.real.var()
    assert jackknife == pytest.approx(expected, rel=0.05)
