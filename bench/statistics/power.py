"""How many seeds and test images would find a difference of a given size, from runs that are there.

The variance of a mean difference between two variants over S seeds and n test images is
    V(S, n) = (seed + both * n0 / n) / S + images * n0 / n,
with parts estimated from S0 seeds and n0 images (Searle, Casella and McCulloch 1992, two-way random effects;
`paired.py` has the same parts as the error of a mean):
    images   what other test images change of the difference, the same in every seed
    both     what a seed changes in single images alone, the draw of the slots' noise included
    seed     what another training changes in all images at once
A difference is found by the test of `bench compare` with the power of the noncentral t distribution, as
`paired.smallest_detectable`. What is known of the parts comes from few seeds: with S0 seeds the variance over
seeds is known within (S0-1)/chi-square, and the forecast says what that makes of the number of seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import chi2

from bench.statistics.claims import SEEDS_FOR_CLAIM
from bench.statistics.paired import (
    ALPHA,
    POWER,
    Array,
    PairedError,
    jackknife_variance,
    smallest_detectable,
)

MOST_SEEDS = 1000
SURE = 0.8
"""Probability of the range of seeds that is given beside their number."""


@dataclass(frozen=True)
class VarianceParts:
    """What the variance of a difference of one seed is made of, in the squared unit of the measure."""

    seed: float
    both: float
    """0 where nothing is known of single images: it is then in `seed`."""
    images: float | None
    """None where nothing is known of single images; forecasts then hold for these test images alone."""
    noise: float | None
    """What the draw of the slots' noise makes, of seed and both; None where it was not measured."""
    seeds: int
    """Seeds behind the estimates."""
    test_images: int | None
    """Test images at which `both` and `images` hold."""

    def error(self, seeds: int, test_images: int | None = None, scale: float = 1.0) -> PairedError:
        """The error of a mean difference over that many seeds and images; `scale` is for the seeds' part."""
        shrunk = 1.0
        if self.test_images is not None and test_images is not None:
            shrunk = self.test_images / test_images
        of_images = None if self.images is None else self.images * shrunk
        of_seeds = scale * (self.seed + self.both * shrunk) / seeds
        count = None if self.images is None else test_images or self.test_images
        return PairedError(of_seeds, of_images, seeds, count)


@dataclass(frozen=True)
class Needed:
    """Seeds that find a difference at one number of test images."""

    test_images: int | None
    seeds: int | None
    """None: not MOST_SEEDS either."""
    fewest: int | None
    most: int | None
    """The range that the estimate from few seeds leaves, in four of five cases; None: no number does."""
    images_stand_in_the_way: bool = False
    """Where `seeds` is None: whether the test images alone leave more doubt, whatever the seeds."""


def variance_parts(
    differences: Array, leave_one_out: Sequence[Array] = (), noise: float | None = None
) -> VarianceParts:
    """The parts from the differences [S] of S seeds, 2 at least; `leave_one_out` as for `paired_error`.

    `noise` is the variance that another draw of the slots' noise makes of a difference, where it is known.
    """
    seeds = len(differences)
    if seeds < 2:
        raise ValueError("the spread over seeds needs at least 2 seeds")
    over_seeds = float(np.var(differences, ddof=1))
    if not leave_one_out:
        return VarianceParts(over_seeds, 0.0, None, noise, seeds, None)
    together = sum(float(jackknife_variance(block.mean(axis=0))) for block in leave_one_out)
    each_seed = sum(float(jackknife_variance(block).mean()) for block in leave_one_out)
    both = max(0.0, each_seed - together) * seeds / (seeds - 1)
    images = max(0.0, together - both / seeds)
    # The images' own part is the same in every seed, so that it is not in the variance over seeds.
    shared = min(both, over_seeds)
    count = min(block.shape[1] for block in leave_one_out)
    return VarianceParts(over_seeds - shared, shared, images, noise, seeds, count)


def detectable(
    parts: VarianceParts,
    seeds: int,
    test_images: int | None = None,
    comparisons: int = 1,
    power: float = POWER,
) -> float:
    """The difference that so many seeds and images find with probability `power`.

    Of several comparisons the first that Holm's correction passes has to reach alpha / comparisons.
    """
    return smallest_detectable(parts.error(seeds, test_images), power, ALPHA / comparisons)


def seeds_needed(
    parts: VarianceParts,
    difference: float,
    test_images: int | None = None,
    comparisons: int = 1,
    power: float = POWER,
) -> Needed:
    """The fewest seeds that find `difference` with probability `power`; 5 at least, as claims need them."""
    freedom = parts.seeds - 1
    scales = [1.0, *(freedom / float(chi2.ppf(p, freedom)) for p in ((1 + SURE) / 2, (1 - SURE) / 2))]
    seeds, fewest, most = (
        _fewest(parts, difference, test_images, comparisons, power, scale) for scale in scales
    )
    images_alone = replace(parts, seed=0.0, both=0.0)
    in_the_way = seeds is None and None is _fewest(
        images_alone, difference, test_images, comparisons, power, scale=1.0
    )
    return Needed(test_images or parts.test_images, seeds, fewest, most, in_the_way)


def _fewest(
    parts: VarianceParts,
    difference: float,
    test_images: int | None,
    comparisons: int,
    power: float,
    scale: float,
) -> int | None:
    """By halving: more seeds never find less."""

    def finds(seeds: int) -> bool:
        error = parts.error(seeds, test_images, scale)
        return error.total == 0 or smallest_detectable(error, power, ALPHA / comparisons) <= abs(difference)

    low, high = SEEDS_FOR_CLAIM, MOST_SEEDS
    if not finds(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if finds(middle) else (middle + 1, high)
    return low
