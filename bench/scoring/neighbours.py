"""What lies within whose neighbourhood: precision and recall, density and coverage, realism of each image.

Balls around feature vectors reach to the k-th neighbour. Precision and recall ask whether translations look
real and whether they cover the real images; density and coverage are the same so that a single outlier cannot
move them; realism says how deep each single translation lies within the real images.
"""

from typing import NamedTuple

import numpy as np

from bench.errors import BenchError
from bench.scoring.kernel import check_features, row_blocks

TIE = 1e-10
"""Squared distances that differ by less than this share of the features' mean squared norm are equal: a
point on a ball's surface (an image copied from the other set) is decided by the definition, not by
rounding."""


class PrecisionRecall(NamedTuple):
    """Both in [0, 1], higher is better."""

    precision: float
    recall: float


def precision_recall(generated: np.ndarray, real: np.ndarray, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall of Kynkaanniemi et al. 2019 ("Improved precision and recall metric for
    assessing generative models"), equations 1 and 2.

    Precision: share of generated vectors within the k-th-neighbour ball of any real vector. Recall: share of
    real vectors within the k-th-neighbour ball of any generated vector. Balls include their surface; the
    distance is Euclidean.

    `generated` [n, d], `real` [m, d]; multiples of 1/n and 1/m in [0, 1]; higher is better. At a few hundred
    images both are too low for a perfect generator and depend on n, m and k: read them beside their floor.

    Raises BenchError for sets of at most k images, unequal dimensions or values that are not finite.

    >>> precision_recall(np.array([[0.0], [1.0], [50.0]]), np.array([[0.0], [1.0], [2.0]]), k=1)
    PrecisionRecall(precision=0.6666666666666666, recall=1.0)
    """
    x, y, tie = centred(generated, real, k)
    real_balls = membership(x, y, squared_radii(y, k) + tie)
    generated_balls = membership(y, x, squared_radii(x, k) + tie)
    return PrecisionRecall(
        precision=float((real_balls.balls_of_point > 0).mean()),
        recall=float((generated_balls.balls_of_point > 0).mean()),
    )


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
    x, y, tie = centred(generated, real, k)
    counts = membership(x, y, squared_radii(y, k) - tie)
    return DensityCoverage(
        density=float(counts.balls_of_point.sum() / (k * len(x))),
        coverage=float((counts.points_of_ball > 0).mean()),
    )


def realism(generated: np.ndarray, real: np.ndarray, k: int = 3) -> np.ndarray:
    """The realism score of every generated image: [n].

    R(x) = max over real y of (distance of y to its k-th real neighbour) / |x - y|
    (Kynkaanniemi et al. 2019, section 5, equation 3), over the half of the real vectors with the smaller
    balls: the authors drop the others, which reach too far to say anything.

    `generated` [n, d], `real` [m, d]; range [0, inf], higher is better; at least 1 where the image lies
    within a ball, infinite for a copy of a real image. It ranks images (best, median, worst) rather than
    grades them.

    Raises BenchError for sets of at most k images, unequal dimensions or values that are not finite.

    >>> realism(np.array([[0.5], [9.0]]), np.array([[0.0], [1.0], [2.0]]), k=1)
    array([2.        , 0.14285714])
    """
    x, y, tie = centred(generated, real, k, generated_at_least=1)
    reach = squared_radii(y, k)
    kept = reach <= np.median(reach)
    scores = np.empty(len(x))
    with np.errstate(divide="ignore", invalid="ignore"):
        for rows in row_blocks(len(x), int(kept.sum())):
            distances = squared_distances(x[rows], y[kept])
            distances[distances <= tie] = 0
            ratios = reach[kept] / distances
            scores[rows] = np.sqrt(np.nan_to_num(ratios, nan=np.inf, posinf=np.inf).max(axis=1))
    return scores


class CentredPair(NamedTuple):
    """Two checked sets of features, moved to a common centre so that rounding is least."""

    generated: np.ndarray
    real: np.ndarray
    tie: float
    """Squared distances closer than this count as equal."""


class Membership(NamedTuple):
    """Which of n points lie in which of m balls, counted both ways."""

    balls_of_point: np.ndarray
    """[n]: balls that hold the point."""
    points_of_ball: np.ndarray
    """[m]: points in the ball."""


def centred(
    generated: np.ndarray, real: np.ndarray, k: int, generated_at_least: int | None = None
) -> CentredPair:
    """Check and centre two sets of features. Raises BenchError as `check_features`, and for k < 1.

    Each set needs more than k vectors; where no ball is drawn around generated ones, fewer may do.
    """
    if k < 1:
        raise BenchError(f"k = {k} neighbours were asked for; k must be at least 1.")
    x, y = check_features(
        generated, real, generated_at_least=generated_at_least or k + 1, real_at_least=k + 1
    )
    centre = y.mean(axis=0)
    x, y = x - centre, y - centre
    return CentredPair(x, y, TIE * float((x**2).sum() / len(x) + (y**2).sum() / len(y)))


def squared_radii(features: np.ndarray, k: int) -> np.ndarray:
    """[n]: squared distance of each vector of [n, d] to its k-th nearest other vector of the set."""
    parts = []
    for rows in row_blocks(len(features), len(features)):
        distances = squared_distances(features[rows], features)
        # A vector's nearest is itself, at distance 0: its k-th other neighbour stands at place k.
        distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = 0
        parts.append(np.partition(distances, k, axis=1)[:, k])
    return np.concatenate(parts)


def membership(points: np.ndarray, centres: np.ndarray, squared_reach: np.ndarray) -> Membership:
    """Count points [n, d] within balls around centres [m, d] of squared radii `squared_reach` [m]."""
    balls_of_point = np.zeros(len(points), np.int64)
    points_of_ball = np.zeros(len(centres), np.int64)
    for rows in row_blocks(len(points), len(centres)):
        inside = squared_distances(points[rows], centres) <= squared_reach
        balls_of_point[rows] = inside.sum(axis=1)
        points_of_ball += inside.sum(axis=0)
    return Membership(balls_of_point, points_of_ball)


def squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """|x_i - y_j|^2 for x [n, d] and y [m, d]: [n, m], never negative."""
    squares_x, squares_y = np.einsum("nd,nd->n", x, x), np.einsum("md,md->m", y, y)
    return np.maximum(squares_x[:, None] + squares_y - 2 * (x @ y.T), 0)
