"""How often the intervals cover and the tests claim, by simulation: `python -m bench.statistics.coverage`.

Every interval of `bench compare` promises 95 %, every A/A comparison at most 5 % of claims. Here both are
counted where the truth is known: differences made of seed, image and joint effects, and kernel and Frechet
distances of Gaussian features whose generators differ from seed to seed. docs/statistics.md shows the table.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from bench.statistics.jackknife import Array, LeaveOneOut, jackknife_variance
from bench.statistics.multiple import holm
from bench.statistics.paired import ALPHA, interval, p_value, paired_error

Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]
"""Draws of mean 0 and standard deviation 1 in the shape given."""
Measure = Callable[[Array, Array], LeaveOneOut]


@dataclass(frozen=True)
class Rate:
    """How often something happened."""

    hits: int
    trials: int

    @property
    def share(self) -> float:
        return self.hits / self.trials

    def within(self, expected: float, confidence: float = 0.999) -> bool:
        """Whether the count is what a binomial with the expected rate gives, two-sided."""
        low, high = binom.interval(confidence, self.trials, expected)
        return bool(low <= self.hits <= high)


@dataclass(frozen=True)
class Effects:
    """Standard deviations of what makes a difference vary: seeds, images, and both at once."""

    seed: float
    image: float
    both: float


def normal(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """The standard normal distribution."""
    return generator.standard_normal(shape)


def heavy(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """The Laplace distribution: symmetric with heavy tails, as a difference of two exponentials."""
    return generator.laplace(scale=np.sqrt(0.5), size=shape)


def image_differences(
    effects: Effects, seeds: int, images: int, draw: Draw, generator: np.random.Generator
) -> Array:
    """Per-image differences [seeds, images] of true mean 0."""
    return np.asarray(
        effects.seed * draw(generator, (seeds, 1))
        + effects.image * draw(generator, (1, images))
        + effects.both * draw(generator, (seeds, images))
    )


def student_covers(differences: Array) -> bool:
    """Whether the interval of the mean of [seeds, images] covers the true mean, 0."""
    images = differences.shape[1]
    means = differences.mean(axis=1)
    without = (images * means[:, None] - differences) / (images - 1)
    low, high = interval(float(means.mean()), paired_error(means, [without]))
    return low <= 0 <= high


def percentile_covers(differences: Array, resamples: int, generator: np.random.Generator) -> bool:
    """The same for the percentile bootstrap over seeds, then images: the interval that is not used."""
    seeds, images = differences.shape
    chosen_seeds = generator.integers(seeds, size=(resamples, seeds, 1))
    chosen_images = generator.integers(images, size=(resamples, 1, images))
    means = differences[chosen_seeds, chosen_images].mean(axis=(1, 2))
    low, high = np.quantile(means, [ALPHA / 2, 1 - ALPHA / 2])
    return bool(low <= 0 <= high)


def coverage_of_means(
    effects: Effects,
    seeds: int,
    images: int,
    trials: int,
    generator: np.random.Generator,
    draw: Draw = normal,
) -> Rate:
    """How often the interval of `bench compare` covers, for the mean of a per-image measurement."""
    covered = (
        student_covers(image_differences(effects, seeds, images, draw, generator)) for _ in range(trials)
    )
    return Rate(sum(covered), trials)


def percentile_coverage(
    effects: Effects, seeds: int, images: int, trials: int, generator: np.random.Generator
) -> Rate:
    """How often a percentile bootstrap would cover in its place."""
    covered = (
        percentile_covers(image_differences(effects, seeds, images, normal, generator), 400, generator)
        for _ in range(trials)
    )
    return Rate(sum(covered), trials)


@dataclass(frozen=True)
class FeatureWorld:
    """Gaussian features of `images` inputs and as many real images, in `dimension` dimensions.

    The translation of input z by seed s of a variant is gain * z + shift + offset_s + noise: the offset
    (standard deviation `seed`) is drawn once a seed and variant, the noise (0.3) for every image.
    """

    images: int
    dimension: int
    seed: float
    shift_a: float = 0.0
    """The true difference: how far variant `a` moves its outputs off the real images."""

    def differences(
        self, measure: Measure, seeds: int, generator: np.random.Generator
    ) -> tuple[Array, tuple[Array, Array]]:
        """Differences a - b [seeds] and their leave-one-out values [seeds, n] (inputs), [seeds, m] (real)."""
        inputs = generator.standard_normal((self.images, self.dimension))
        real = generator.standard_normal((self.images, self.dimension))
        each = [
            measure(self._translate(inputs, self.shift_a, generator), real).minus(
                measure(self._translate(inputs, 0.0, generator), real)
            )
            for _ in range(seeds)
        ]
        blocks = (np.stack([one.generated for one in each]), np.stack([one.real for one in each]))
        return np.array([one.value for one in each]), blocks

    def _translate(self, inputs: Array, shift: float, generator: np.random.Generator) -> Array:
        offset = self.seed * generator.standard_normal(self.dimension)
        return np.asarray(0.8 * inputs + shift + offset + 0.3 * generator.standard_normal(inputs.shape))


def coverage_of_distances(
    measure: Measure, world: FeatureWorld, seeds: int, trials: int, generator: np.random.Generator
) -> Rate:
    """How often the interval of a distance's difference covers its mean over all trials, the truth."""
    means, errors = np.empty(trials), []
    for trial in range(trials):
        values, blocks = world.differences(measure, seeds, generator)
        means[trial] = values.mean()
        errors.append(paired_error(values, blocks))
    truth = means.mean()
    reaches = np.array([interval(0.0, error)[1] for error in errors])
    return Rate(int((np.abs(means - truth) <= reaches).sum()), trials)


def error_ratio(measure: Measure, world: FeatureWorld, trials: int, generator: np.random.Generator) -> float:
    """Jackknife error of the difference of two single networks, over its true spread between new images."""
    values, variances = np.empty(trials), np.empty(trials)
    for trial in range(trials):
        difference, blocks = world.differences(measure, 1, generator)
        values[trial] = difference[0]
        variances[trial] = sum(float(jackknife_variance(block[0])) for block in blocks)
    return float(np.sqrt(variances.mean()) / values.std(ddof=1))


def claims_of_alike(
    measure: Measure, world: FeatureWorld, seeds: int, trials: int, generator: np.random.Generator
) -> Rate:
    """How often a variant compared with itself (`shift_a` 0) is claimed to differ."""
    claims = 0
    for _ in range(trials):
        values, blocks = world.differences(measure, seeds, generator)
        claims += p_value(float(values.mean()), paired_error(values, blocks)) <= ALPHA
    return Rate(claims, trials)


def family_claims(
    comparisons: int, seeds: int, correlation: float, trials: int, generator: np.random.Generator
) -> tuple[Rate, Rate]:
    """How often any of several true nulls is claimed: without correction, and with Holm's.

    The comparisons share one variant, so their differences are correlated.
    """
    plain = corrected = 0
    for _ in range(trials):
        shared = generator.standard_normal((seeds, 1))
        own = generator.standard_normal((seeds, comparisons))
        values = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
        p = [p_value(float(column.mean()), paired_error(column)) for column in values.T]
        plain += min(p) <= ALPHA
        corrected += min(holm(p)) <= ALPHA
    return Rate(plain, trials), Rate(corrected, trials)
