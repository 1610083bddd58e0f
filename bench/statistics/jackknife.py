"""Delete-1 jackknife and input bootstrap for the difference of two variants on the same inputs.

Both are for the **difference** alone. The level of a Frechet distance is biased at 50 to 300 images, and a
bootstrap with replacement shifts it further, so no interval of a level is ever made from either.

Assumptions: inputs are independent draws; row i of both variants' features comes from input i.
Sources: Efron and Stein (1981), The jackknife estimate of variance; Arvesen (1969) for two samples, whose
jackknife variances add; Efron (1979) for the bootstrap.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Distance = Callable[[Array, Array], float]


class LeaveOneOut(NamedTuple):
    """A distance between generated [n, d] and real [m, d] features, and the same without each row in turn."""

    value: float
    generated: Array
    """[n]: the distance without generated row i."""
    real: Array
    """[m]: the distance without real row j."""

    def minus(self, other: "LeaveOneOut") -> "LeaveOneOut":
        """The leave-one-out of a difference: input i is left out of both variants at once."""
        return LeaveOneOut(self.value - other.value, self.generated - other.generated, self.real - other.real)


def jackknife_variance(leave_one_out: Array) -> Array:
    """Variance of a statistic from its n leave-one-out values [..., n]: (n-1)/n * sum of (t_i - mean t)^2."""
    n = leave_one_out.shape[-1]
    return np.asarray((n - 1) * leave_one_out.var(axis=-1), dtype=np.float64)


def jackknife_error(difference: LeaveOneOut) -> float:
    """Standard error of a difference over draws of the inputs and of the real images."""
    return float(np.sqrt(jackknife_variance(difference.generated) + jackknife_variance(difference.real)))


def bootstrap_error(
    distance: Distance, a: Array, b: Array, real: Array, resamples: int, generator: np.random.Generator
) -> float:
    """Standard error of distance(a, real) - distance(b, real) by resampling inputs and real images.

    `a` and `b` [n, d] are resampled by the same rows. Works for every distance, at the price of two
    distances a resample; the jackknife has a closed form for the two distances that matter.
    """
    if a.shape != b.shape:
        raise ValueError(f"a has shape {a.shape} and b {b.shape}; row i of both must come from input i")
    differences = np.empty(resamples)
    for index in range(resamples):
        rows = generator.integers(len(a), size=len(a))
        others = real[generator.integers(len(real), size=len(real))]
        differences[index] = distance(a[rows], others) - distance(b[rows], others)
    return float(differences.std(ddof=1))


def check_features(generated: Array, real: Array) -> tuple[Array, Array]:
    """Both feature sets as float64 [n, d] and [m, d]; ValueError where they cannot be compared."""
    x, y = np.asarray(generated, dtype=np.float64), np.asarray(real, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise ValueError(
            f"features have shapes {x.shape} and {y.shape}; give [n, d] and [m, d] of the same d"
        )
    if min(len(x), len(y)) < 3:
        raise ValueError(
            f"{len(x)} generated and {len(y)} real images; leaving one out needs at least 3 each"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("features hold NaN or infinity; score the run again")
    return x, y
