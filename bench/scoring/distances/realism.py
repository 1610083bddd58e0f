"""Realism: how deep each single translation lies within the real images."""

import numpy as np

from bench.scoring.distances.blocks import row_blocks
from bench.scoring.distances.neighbours import prepare, squared_distances, squared_radii


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
    x, y, tie = prepare(generated, real, k, generated_at_least=1)
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
