"""Kernel distance between two sets of features: the unbiased squared maximum mean discrepancy."""

import numpy as np

from bench.scoring.distances.blocks import row_blocks
from bench.scoring.distances.checks import check_features


def polynomial_kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """k(x, y) = (x.y / d + 1)^3 for features x [n, d] and y [m, d]: a matrix [n, m]."""
    base = x @ y.T / x.shape[1] + 1
    return base * base * base  # ten times quicker than a power


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
    across = _sum_of_kernel(x, y) / (len(x) * len(y))
    return _mean_of_pairs(x) + _mean_of_pairs(y) - 2 * across


def kernel_of_self(x: np.ndarray) -> np.ndarray:
    """[n]: k(x_i, x_i), the diagonal of the Gram matrix of x [n, d]."""
    return (np.einsum("nd,nd->n", x, x) / x.shape[1] + 1) ** 3


def _mean_of_pairs(x: np.ndarray) -> float:
    """Mean of k(x_i, x_j) over i != j."""
    n = len(x)
    return (_sum_of_kernel(x, x) - float(kernel_of_self(x).sum())) / (n * (n - 1))


def _sum_of_kernel(x: np.ndarray, y: np.ndarray) -> float:
    return float(sum(polynomial_kernel(x[rows], y).sum() for rows in row_blocks(len(x), len(y))))
