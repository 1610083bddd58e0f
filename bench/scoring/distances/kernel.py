"""Kernel distance between two sets of features: the unbiased squared maximum mean discrepancy."""

import numpy as np

from bench.scoring.distances.checks import check_features


def polynomial_kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """k(x, y) = (x.y / d + 1)^3 for features x [n, d] and y [m, d]: a matrix [n, m]."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def kernel_distance(generated: np.ndarray, real: np.ndarray) -> float:
    """The unbiased estimate of MMD^2 with the cubic polynomial kernel, over all images at once.

    KD = mean of k(x_i, x_j), i != j  +  mean of k(y_i, y_j), i != j  -  2 mean of k(x_i, y_j)
    (Binkowski et al. 2018, "Demystifying MMD GANs", section 4; Gretton et al. 2012, equation 3; called
    KID where the features are Inception's). No subsets are drawn: deterministic.

    `generated` [n, d], `real` [m, d]; float64 inside. Symmetric; lower is better; unbiased at every
    sample size, so 0 is expected of two samples of one distribution and small negative values are normal.

    Raises BenchError for fewer than 2 images, unequal dimensions or values that are not finite.

    >>> kernel_distance(np.array([[0.0], [0.0]]), np.array([[1.0], [1.0]]))
    7.0
    """
    x, y = check_features(generated, real)
    within_x = _mean_of_pairs(polynomial_kernel(x, x))
    within_y = _mean_of_pairs(polynomial_kernel(y, y))
    return float(within_x + within_y - 2 * polynomial_kernel(x, y).mean())


def _mean_of_pairs(gram: np.ndarray) -> np.floating:
    """Mean of a Gram matrix [n, n] without its diagonal."""
    n = len(gram)
    return (gram.sum() - np.trace(gram)) / (n * (n - 1))
