"""Precision and recall: are the translations real-looking, and do they cover the real images?"""

from typing import NamedTuple

import numpy as np

from bench.scoring.distances.neighbours import membership, prepare, squared_radii


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
    x, y, tie = prepare(generated, real, k)
    real_balls = membership(x, y, squared_radii(y, k) + tie)
    generated_balls = membership(y, x, squared_radii(x, k) + tie)
    return PrecisionRecall(
        precision=float((real_balls.balls_of_point > 0).mean()),
        recall=float((generated_balls.balls_of_point > 0).mean()),
    )
