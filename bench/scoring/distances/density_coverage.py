"""Density and coverage: precision and recall that a single outlier cannot move."""

from typing import NamedTuple

import numpy as np

from bench.scoring.distances.neighbours import membership, prepare, squared_radii


class DensityCoverage(NamedTuple):
    """Density in [0, m / k], about 1 for a perfect generator; coverage in [0, 1]. Higher is better."""

    density: float
    coverage: float


def density_coverage(generated: np.ndarray, real: np.ndarray, k: int = 5) -> DensityCoverage:
    """Density and coverage of Naeem et al. 2020 ("Reliable fidelity and diversity metrics for generative
    models").

    Density: how many of the k-th-neighbour balls of the real vectors hold a generated vector, on average,
    over k. Coverage: share of real vectors whose ball holds a generated vector. As in the authors' code the
    surface of a ball is outside, so that a set compared with itself has density 1.

    `generated` [n, d], `real` [m, d]; higher is better. Expected coverage of a perfect generator with n = m:
    1 - (m-1)...(m-k) / ((2m-1)...(2m-k)), 0.97 for k = 5: its floor shows it.

    Raises BenchError for sets of at most k images, unequal dimensions or values that are not finite.

    >>> density_coverage(np.array([[0.0], [1.0], [3.0]]), np.array([[0.0], [1.0], [3.0]]), k=1)
    DensityCoverage(density=1.0, coverage=1.0)
    """
    x, y, tie = prepare(generated, real, k)
    counts = membership(x, y, squared_radii(y, k) - tie)
    return DensityCoverage(
        density=float(counts.balls_of_point.sum() / (k * len(x))),
        coverage=float((counts.points_of_ball > 0).mean()),
    )
