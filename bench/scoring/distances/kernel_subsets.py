"""The kernel distance as torch-fidelity estimates it: over random subsets. For comparison with literature."""

from typing import NamedTuple

import numpy as np

from bench.errors import UsageError
from bench.scoring.distances.blocks import row_blocks
from bench.scoring.distances.checks import check_features
from bench.scoring.distances.kernel import kernel_of_self, polynomial_kernel

SUBSETS = 100
SEED = 2020


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
