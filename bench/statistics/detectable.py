"""The smallest true difference that a set-up would have found: what "no difference found" leaves open.

A two-sided t test at level alpha finds a true difference delta with probability
    1 - F(q; nu, delta / se),   q the quantile of the interval (bench/statistics/paired.py),
F being the noncentral t distribution with nu degrees of freedom (Satterthwaite's); solved for delta at the
given power. A claim of the wrong sign is not counted as finding it. One test alone: a correction for several
comparisons makes it larger.
Source: Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 2.
"""

from scipy.optimize import brentq
from scipy.special import nctdtr

from bench.statistics.paired import ALPHA, PairedError

POWER = 0.8


def smallest_detectable(error: PairedError, power: float = POWER, alpha: float = ALPHA) -> float:
    """The true difference found with probability `power`, in the unit of the measure (80 %, alpha 0.05)."""
    freedom = error.degrees_of_freedom
    quantile = error.quantile(alpha)

    def lacking(noncentrality: float) -> float:
        return float(1 - nctdtr(freedom, noncentrality, quantile) - power)

    return float(brentq(lacking, 0.0, 2 * quantile + 5.0)) * error.total
