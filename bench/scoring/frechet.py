"""Frechet distance between two sets of features (FID on Inception's): means and covariances compared.

Without each image in turn it comes from one singular value decomposition. With centred features X [n, d],
Y [m, d] and M = X Y^T = U diag(s) V^T,
    FD = |mean_x - mean_y|^2 + |X|^2 / (n-1) + |Y|^2 / (m-1) - 2 * sum(s) / sqrt((n-1)(m-1)).
Leaving out x_i and centring anew changes M^T M by a rank-one term, M^T M - n/(n-1) * m_i m_i^T, m_i being row
i of M. By the matrix determinant lemma and the integral 2 pi sqrt(l) = int t^(-1/2) log(1 + l/t) dt, the sum
of singular values falls by
    -1/pi * int_0^inf log h_i(u) du,   h_i(u) = 1 - n/(n-1) * sum_k U_ik^2 s_k^2 / (s_k^2 + u^2).
The integrand is analytic in log u, where the trapezoidal rule converges geometrically: 200 nodes give nine
digits. All n + m values then cost little more than one distance, against n + m decompositions.
Source of the distance: Heusel et al. (2017), equation 6; Dowson and Landau (1982).
"""

import numpy as np

from bench.scoring.kernel import check_features
from bench.statistics.paired import Array, LeaveOneOut

LOG_STEP = 0.25
LOG_REACH = 26.0  # e^-26 is 5e-12: what lies beyond is under nine digits
RELATIVE_ZERO = 1e-11


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


def frechet_leave_one_out(generated: Array, real: Array) -> LeaveOneOut:
    """Frechet distance of features [n, d] and [m, d] (unbiased covariance) and its leave-one-out values.

    Raises BenchError for fewer than 3 images, unequal dimensions or values that are not finite.
    """
    x, y = check_features(generated, real, generated_at_least=3, real_at_least=3)
    n, m = len(x), len(y)
    apart = x.mean(axis=0) - y.mean(axis=0)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    u, s, vt = np.linalg.svd(x @ y.T, full_matrices=False)
    kept = s > RELATIVE_ZERO * s[0]
    u, s, v = u[:, kept], s[kept], vt[kept].T
    spread_x, spread_y, overlap = (x**2).sum(), (y**2).sum(), s.sum()
    shifted_x = ((apart - x / (n - 1)) ** 2).sum(axis=1)
    shifted_y = ((apart + y / (m - 1)) ** 2).sum(axis=1)
    spread_x_without = spread_x - (x**2).sum(axis=1) * n / (n - 1)
    spread_y_without = spread_y - (y**2).sum(axis=1) * m / (m - 1)
    overlap_without_x, overlap_without_y = overlap - _fall(u, s), overlap - _fall(v, s)
    return LeaveOneOut(
        value=float(_distance((apart**2).sum(), spread_x, spread_y, overlap, n, m)),
        generated=_distance(shifted_x, spread_x_without, spread_y, overlap_without_x, n - 1, m),
        real=_distance(shifted_y, spread_x, spread_y_without, overlap_without_y, n, m - 1),
    )


def _distance(shift: Array, spread_x: Array, spread_y: Array, overlap: Array, n: int, m: int) -> Array:
    """The four terms of the distance; arguments are scalars or one value for each image left out."""
    return shift + spread_x / (n - 1) + spread_y / (m - 1) - 2 * overlap / np.sqrt((n - 1) * (m - 1))


def _fall(vectors: Array, s: Array) -> Array:
    """[n]: by how much the sum of singular values `s` [k] falls without each row of `vectors` [n, k]."""
    if not len(s):
        return np.zeros(len(vectors))
    n = len(vectors)
    weights = vectors**2 * n / (n - 1)
    # Two spellings of h, so that nothing cancels: built up from h(0) below s_0, where h may vanish (the rank
    # falls), and down from 1 above it, where log h is tiny.
    at_zero = 1 - weights.sum(axis=1)
    at_zero[at_zero < RELATIVE_ZERO] = 0.0
    steps = np.arange(0.0, LOG_REACH, LOG_STEP)
    above, below = s[0] * np.exp(steps), s[0] * np.exp(-steps[1:])
    squares = s[:, None] ** 2
    log_h_below = np.log(at_zero[:, None] + weights @ (below**2 / (squares + below**2)))
    log_h_above = np.log1p(-weights @ (squares / (squares + above**2)))
    return np.asarray(-(log_h_below @ below + log_h_above @ above) * LOG_STEP / np.pi)
