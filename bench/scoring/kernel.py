"""Kernel distance between two sets of features (KID on Inception's): the unbiased squared MMD.

Three ways: over all images at once, which is the headline; over random subsets, as torch-fidelity estimates
it, for comparison with the literature; and without each image in turn, for the error of a difference. Before
them: what every distance refuses of two sets, and how their products are cut into blocks.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bench.errors import BenchError, UsageError
from bench.statistics.paired import Array, LeaveOneOut

SUBSETS = 100
SEED = 2020
"""Of torch-fidelity 0.4, which draws its subsets by it."""
BLOCK_VALUES = 2**24
"""Values of one block: 128 MiB in float64, so that memory stays flat in the number of images."""


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices that cut `rows` rows of `columns` values into blocks of at most BLOCK_VALUES values."""
    height = max(1, BLOCK_VALUES // max(columns, 1))
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))


def check_features(
    generated: np.ndarray, real: np.ndarray, *, generated_at_least: int = 2, real_at_least: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Both feature matrices [n, d] and [m, d] as float64.

    Raises BenchError where one is not a matrix, the dimensions differ, there are fewer rows than needed, or
    a value is not finite.
    """
    needed = {"generated": (generated, generated_at_least), "real": (real, real_at_least)}
    for name, (features, at_least) in needed.items():
        if features.ndim != 2:
            raise BenchError(
                f"The {name} features have shape {list(features.shape)}; give one row per image, [images, "
                "features], as a feature network returns them."
            )
        if len(features) < at_least:
            raise BenchError(
                f"There are {len(features)} {name} images; this distance needs at least {at_least}. "
                "Use more test images (images.test in the protocol) or leave this metric out."
            )
        if not np.isfinite(features).all():
            bad = int((~np.isfinite(features).all(axis=1)).sum())
            raise BenchError(
                f"{bad} of {len(features)} {name} feature vectors hold NaN or infinity. Extract them again "
                "from finite images, with weights that are not damaged."
            )
    if generated.shape[1] != real.shape[1]:
        raise BenchError(
            f"Features of {generated.shape[1]} and of {real.shape[1]} dimensions cannot be compared. "
            "Extract both sets with the same feature network (--features)."
        )
    return np.asarray(generated, np.float64), np.asarray(real, np.float64)


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


def kernel_leave_one_out(generated: np.ndarray, real: np.ndarray) -> LeaveOneOut:
    """Kernel distance of features [n, d] and [m, d] and its leave-one-out values.

    Raises BenchError for fewer than 3 images, unequal dimensions or values that are not finite.
    """
    x, y = check_features(generated, real, generated_at_least=3, real_at_least=3)
    n, m = len(x), len(y)
    within_x, within_y = _row_sums_without_diagonal(x), _row_sums_without_diagonal(y)
    across = polynomial_kernel(x, y)
    x_mean, y_mean = within_x.sum() / (n * (n - 1)), within_y.sum() / (m * (m - 1))
    total = across.sum()
    x_without = (within_x.sum() - 2 * within_x) / ((n - 1) * (n - 2))
    y_without = (within_y.sum() - 2 * within_y) / ((m - 1) * (m - 2))
    return LeaveOneOut(
        value=float(x_mean + y_mean - 2 * total / (n * m)),
        generated=x_without + y_mean - 2 * (total - across.sum(axis=1)) / ((n - 1) * m),
        real=x_mean + y_without - 2 * (total - across.sum(axis=0)) / (n * (m - 1)),
    )


def _row_sums_without_diagonal(x: Array) -> Array:
    gram = polynomial_kernel(x, x)
    return np.asarray(gram.sum(axis=1) - np.diagonal(gram))


class SubsetEstimate(NamedTuple):
    """`mean` over the subsets; `deviation` between subsets, which is not a standard error of the mean."""

    mean: float
    deviation: float


def kernel_distance_subsets(
    generated: np.ndarray, real: np.ndarray, subset_size: int, subsets: int = SUBSETS, seed: int = SEED
) -> SubsetEstimate:
    """Mean and standard deviation of the unbiased kernel distance over random subsets of both sets.

    Torch-fidelity 0.4's estimate with its draws (NumPy's RandomState, seed 2020, 100 subsets without
    replacement), through Gram matrices computed once instead of once a subset; equal up to the rounding of
    its float32 sums. Binkowski et al. 2018 is the source of the estimator.

    `generated` [n, d], `real` [m, d]; lower is better; the mean is unbiased but noisier than
    `kernel_distance`, which uses all pairs. The deviation shrinks with the subset size, not with the
    number of images: never print it as an error.

    Raises BenchError as every set distance, and UsageError for a subset size under 2 or over n or m.
    """
    x, y = check_features(generated, real)
    check_subset_size(subset_size, len(x), len(y))
    stream = np.random.RandomState(seed)
    of_x, of_y = np.zeros((subsets, len(x))), np.zeros((subsets, len(y)))
    for row_x, row_y in zip(of_x, of_y, strict=True):  # both from one stream, in torch-fidelity's order
        row_x[stream.choice(len(x), subset_size, replace=False)] = 1
        row_y[stream.choice(len(y), subset_size, replace=False)] = 1
    pairs = subset_size * (subset_size - 1)
    within_x = (_subset_sums(of_x, x, of_x, x) - of_x @ kernel_of_self(x)) / pairs
    within_y = (_subset_sums(of_y, y, of_y, y) - of_y @ kernel_of_self(y)) / pairs
    values = within_x + within_y - 2 * _subset_sums(of_x, x, of_y, y) / subset_size**2
    return SubsetEstimate(float(values.mean()), float(values.std()))


def _subset_sums(of_x: np.ndarray, x: np.ndarray, of_y: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[subsets]: sum of k(x_i, y_j) over the i of row s of `of_x` [subsets, n] and the j of `of_y`."""
    columns = sum(of_x[:, rows] @ polynomial_kernel(x[rows], y) for rows in row_blocks(len(x), len(y)))
    return np.einsum("sm,sm->s", columns, of_y)


def check_subset_size(subset_size: int, n: int, m: int) -> None:
    """Raise UsageError unless subsets of this size can be drawn from both n and m images."""
    smallest = min(n, m)
    if not 2 <= subset_size <= smallest:
        raise UsageError(
            f"A subset size of {subset_size} does not fit {n} generated and {m} real images: it must be "
            f"between 2 and {smallest}. Set it with --set score.kid_subset_size={smallest} "
            f"(bench run) or --subset-size {smallest} (bench score)."
        )
