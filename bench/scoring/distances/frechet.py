"""Frechet distance between two sets of features: means and covariances compared."""

import numpy as np

from bench.scoring.distances.checks import check_features


def frechet_distance(generated: np.ndarray, real: np.ndarray) -> float:
    """The squared Frechet distance of the Gaussians with the two sets' means and unbiased covariances.

    FD = |mean_x - mean_y|^2 + tr(C_x + C_y - 2 (C_x C_y)^(1/2))
    (Heusel et al. 2017, "GANs trained by a two time-scale update rule", equation 6; called FID where the
    features are Inception's). With the centred matrices Xc = (X - mean_x) / sqrt(n - 1) and Yc likewise,
    C_x = Xc' Xc, so tr (C_x C_y)^(1/2) is the sum of the singular values of the n x m matrix Xc Yc':
    exact, and much quicker than the eigenvalues of a d x d matrix while n and m are below d.

    `generated` [n, d], `real` [m, d]; float64 inside. Symmetric; range [0, inf), lower is better.
    Biased upward, by about 1/n of the features' spread: two halves of one set do not score 0, so read it
    beside its floor, and never compare values made from different numbers of images.

    Raises BenchError for fewer than 2 images, unequal dimensions or values that are not finite.

    >>> frechet_distance(np.array([[0.0], [2.0]]), np.array([[3.0], [5.0]]))
    9.0
    """
    x, y = check_features(generated, real)
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    x_centred = _shorten((x - mean_x) / np.sqrt(len(x) - 1))
    y_centred = _shorten((y - mean_y) / np.sqrt(len(y) - 1))
    root_trace = np.linalg.svd(x_centred @ y_centred.T, compute_uv=False).sum()
    spread = (x_centred**2).sum() + (y_centred**2).sum()
    distance = ((mean_x - mean_y) ** 2).sum() + spread - 2 * root_trace
    return max(float(distance), 0.0)  # rounding alone can make it negative


def _shorten(centred: np.ndarray) -> np.ndarray:
    """A matrix of at most d rows with the same covariance: R of the QR decomposition where n > d."""
    rows, columns = centred.shape
    return np.asarray(np.linalg.qr(centred, mode="r")) if rows > columns else centred
