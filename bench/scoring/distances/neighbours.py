"""Balls around feature vectors that reach to the k-th neighbour: the ground of precision, recall and kin."""

from typing import NamedTuple

import numpy as np

from bench.errors import BenchError
from bench.scoring.distances.blocks import row_blocks
from bench.scoring.distances.checks import check_features

TIE = 1e-10
"""Squared distances that differ by less than this share of the features' mean squared norm are equal: a
point on a ball's surface (an image copied from the other set) is decided by the definition, not by
rounding."""


class Features(NamedTuple):
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


def prepare(
    generated: np.ndarray, real: np.ndarray, k: int, generated_at_least: int | None = None
) -> Features:
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
    return Features(x, y, TIE * float((x**2).sum() / len(x) + (y**2).sum() / len(y)))


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
