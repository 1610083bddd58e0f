"""The error of a mean paired difference over seeds and over inputs, its interval and its p value.

Two things are sampled: training seeds, and test images, the same ones for every seed. Seed s gives the
difference d_s; leaving input i out of seed s gives t_si. With S seeds (Cameron, Gelbach and Miller 2011,
equation 2.3: variance of two-way clustered means; Owen 2007 for the resampling of both ways),
    V_seeds  = variance of d_s / S                        seeds, and their interaction with inputs
    V_inputs = jackknife variance of mean_s t_si          inputs, and the same interaction
    V_both   = (mean_s jackknife variance of t_si - V_inputs) / (S - 1)           the interaction alone
    V = V_seeds + max(0, V_inputs - V_both).
It is what a bootstrap that resamples seeds, then inputs, estimates, without the shrinkage by (S-1)/S that
makes percentile intervals of 5 seeds cover 86 % in place of 95 %. The interval is mean +- q sqrt(V), where q
is Cochran's (1964) mean of two Student quantiles, one for each number of degrees of freedom,
    q = (t_{S-1} V_seeds + t_{n-1} V_main) / V,   V_main = max(0, V_inputs - V_both).
It covers at 95 % where one of the two dominates and up to 96.6 % between; Satterthwaite's approximation, the
usual one, falls to 94.2 %, and would claim more than it may.

Assumptions: seeds are independent, inputs are independent, differences over seeds are near normal (a
difference of two like-shaped distributions is symmetric at least). Without inputs the interval speaks of
these test images only.

Delete-1 jackknife for the difference of two variants on the same inputs.

It is for the **difference** alone. The level of a Frechet distance is biased at 50 to 300 images, and a
bootstrap with replacement shifts it further, so no interval of a level is ever made.

Assumptions: inputs are independent draws; row i of both variants' features comes from input i.
Sources: Efron and Stein (1981), The jackknife estimate of variance; Arvesen (1969) for two samples, whose
jackknife variances add.

The smallest true difference that a set-up would have found: what "no difference found" leaves open.

A two-sided t test at level alpha finds a true difference delta with probability
    1 - F(q; nu, delta / se),   q the quantile of the interval (bench/statistics/paired.py),
F being the noncentral t distribution with nu degrees of freedom (Satterthwaite's); solved for delta at the
given power. A claim of the wrong sign is not counted as finding it. One test alone: a correction for several
comparisons makes it larger.
Source: Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 2.

Holm's step-down correction: several comparisons, one promise about all of them.

With p values sorted upwards, p_(1) <= ... <= p_(m), the adjusted values are
    adjusted_(k) = max over j <= k of min(1, (m - j + 1) * p_(j)).
Claiming where adjusted <= alpha makes one false claim or more with probability at most alpha, under any
dependence between the comparisons. They must be declared before the results are seen.
Source: Holm (1979), A simple sequentially rejective multiple test procedure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import nctdtr, stdtr, stdtrit

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


ALPHA = 0.05
TINY = 1e-300


@dataclass(frozen=True)
class PairedError:
    """The error of a mean difference: its two variances and the numbers of seeds and images behind them."""

    seed_variance: float
    """V_seeds above, in the squared unit of the measure."""
    input_variance: float | None
    """V_main above; None where the measure has no values for single images."""
    seeds: int
    """0 where what is compared is taken as it is, and the images alone are a sample."""
    images: int | None

    @property
    def total(self) -> float:
        """The standard error, in the unit of the measure."""
        return float((self.seed_variance + (self.input_variance or 0.0)) ** 0.5)

    @property
    def seed_share(self) -> float:
        """Share of the variance that seeds make. `total` must be above 0."""
        return self.seed_variance / (self.seed_variance + (self.input_variance or 0.0))

    def quantile(self, alpha: float) -> float:
        """Standard errors on either side of the mean that miss the true difference with probability alpha."""
        of_images = 0.0 if self.images is None else -float(stdtrit(self.images - 1, alpha / 2))
        if not self.seeds:
            return of_images
        of_seeds = -float(stdtrit(self.seeds - 1, alpha / 2))
        if self.images is None:
            return of_seeds
        return self.seed_share * of_seeds + (1 - self.seed_share) * of_images

    @property
    def degrees_of_freedom(self) -> float:
        """Satterthwaite's, for the power alone."""
        images = 2 if self.images is None else self.images
        share = self.seed_share
        if not self.seeds:
            return float(images - 1)
        return 1 / (share**2 / (self.seeds - 1) + (1 - share) ** 2 / (images - 1))


def paired_error(differences: Array, leave_one_out: Sequence[Array] = ()) -> PairedError:
    """The error of mean(differences), `differences` [S] over seeds, S at least 2.

    `leave_one_out` holds one array [S, n] for every sample of images that enters the measure (translated
    ones, real ones): the difference of seed s without image i. The variances of the samples add.
    """
    seeds = len(differences)
    if seeds < 2:
        raise ValueError("the spread over seeds needs at least 2 seeds")
    v_seeds = float(np.var(differences, ddof=1)) / seeds
    if not leave_one_out:
        return PairedError(v_seeds, None, seeds, None)
    v_inputs = sum(float(jackknife_variance(block.mean(axis=0))) for block in leave_one_out)
    each_seed = sum(float(jackknife_variance(block).mean()) for block in leave_one_out)
    v_both = max(0.0, each_seed - v_inputs) / (seeds - 1)
    images = min(block.shape[1] for block in leave_one_out)
    return PairedError(v_seeds, max(0.0, v_inputs - v_both), seeds, images)


def image_error(leave_one_out: Sequence[Array]) -> PairedError:
    """The error of a difference over draws of the images alone: of what is compared as it is, without seeds.

    `leave_one_out` as for `paired_error`; the difference is that of the means over S.
    """
    variance = sum(float(jackknife_variance(block.mean(axis=0))) for block in leave_one_out)
    return PairedError(0.0, variance, 0, min(block.shape[1] for block in leave_one_out))


def interval(mean: float, error: PairedError, alpha: float = ALPHA) -> tuple[float, float]:
    """The interval of a mean difference that covers the true one with probability 1 - alpha."""
    reach = error.quantile(alpha) * error.total
    return mean - reach, mean + reach


def p_value(mean: float, error: PairedError) -> float:
    """The alpha at which the interval just reaches 0: two-sided p value. `error.total` must be above 0."""
    ratio = abs(mean) / error.total
    if not error.seeds and error.images is not None:
        return 2 * float(stdtr(error.images - 1, -ratio))
    highest = 2 * float(stdtr(error.seeds - 1, -ratio))
    if error.images is None or ratio == 0:
        return highest
    # Cochran's quantile lies between Student's two, and so does the p value.
    other = max(2 * float(stdtr(error.images - 1, -ratio)), TINY)
    low, high = sorted((np.log(highest), np.log(other)))

    def too_far(log_alpha: float) -> float:
        return error.quantile(float(np.exp(log_alpha))) - ratio

    if too_far(low) <= 0 or too_far(high) >= 0:
        return highest if error.seed_share > 0.5 else other
    return float(np.exp(brentq(too_far, low, high)))


POWER = 0.8


def smallest_detectable(error: PairedError, power: float = POWER, alpha: float = ALPHA) -> float:
    """The true difference found with probability `power`, in the unit of the measure (80 %, alpha 0.05)."""
    freedom = error.degrees_of_freedom
    quantile = error.quantile(alpha)

    def lacking(noncentrality: float) -> float:
        return float(1 - nctdtr(freedom, noncentrality, quantile) - power)

    return float(brentq(lacking, 0.0, 2 * quantile + 5.0)) * error.total


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values, in the order given. Raises ValueError for a value outside [0, 1]."""
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p values must lie in [0, 1]; given {list(p_values)}")
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1.0, p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(steps)
    return [float(value) for value in adjusted]
