"""The smallest true difference that a set-up would have found: what "no difference found" leaves open.

A two-sided t test at level alpha finds a true difference delta with probability
    1 - F(q; nu, delta / se),   q = t_{1 - alpha/2, nu},
F being the noncentral t distribution; solved for delta at the given power. A claim of the wrong sign is not
counted as finding it. One test alone: a correction for several comparisons makes it larger.
Source: Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 2.
"""

from scipy.optimize import brentq
from scipy.special import nctdtr, stdtrit

from bench.statistics.paired import ALPHA, PairedError

POWER = 0.8


def smallest_detectable(error: PairedError, power: float = POWER, alpha: float = ALPHA) -> float:
    """The true difference found with probability `power`, in the unit of the measure (80 %, alpha 0.05)."""
    freedom = error.degrees_of_freedom
    quantile = float(stdtrit(freedom, 1 - alpha / 2))

    def lacking(noncentrality: float) -> float:
        return float(1 - nctdtr(freedom, noncentrality, quantile) - power)

    # stdtrit(power) beyond the quantile is close already; twice that is beyond doubt.
    return float(brentq(lacking, 0.0, 2 * quantile + 5.0)) * error.total
