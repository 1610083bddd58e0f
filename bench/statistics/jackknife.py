"""Delete-1 jackknife for the difference of two variants on the same inputs.

It is for the **difference** alone. The level of a Frechet distance is biased at 50 to 300 images, and a
bootstrap with replacement shifts it further, so no interval of a level is ever made.

Assumptions: inputs are independent draws; row i of both variants' features comes from input i.
Sources: Efron and Stein (1981), The jackknife estimate of variance; Arvesen (1969) for two samples, whose
jackknife variances add.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


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
