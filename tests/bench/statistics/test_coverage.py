"""The promises of the statistics, counted by simulation: how often intervals cover and tests claim.

Every interval of `bench compare` promises 95 %, every A/A comparison at most 5 % of claims. Here both are
counted where the truth is known: differences made of seed, image and joint effects, and kernel and Frechet
distances of Gaussian features whose generators differ from seed to seed. docs/statistics.md shows the table:

    python tests/bench/statistics/test_coverage.py        # about two minutes

The tests here are smaller versions: a rate r over n trials is held against the promised p by `Rate.within`,
the binomial's central 99.9 %, about p +- 3.3 sqrt(p (1 - p) / n).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import binom

from bench.scoring.frechet import frechet_leave_one_out
from bench.scoring.kernel import kernel_leave_one_out
from bench.statistics.paired import (
    ALPHA,
    Array,
    LeaveOneOut,
    holm,
    interval,
    jackknife_variance,
    p_value,
    paired_error,
)

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


TRIALS = 3000
MIXED = Effects(seed=1.0, image=1.0, both=1.0)


def at_least(rate: Rate, promised: float) -> bool:
    return rate.hits >= binom.ppf(0.001, rate.trials, promised)


def at_most(rate: Rate, promised: float) -> bool:
    return rate.hits <= binom.ppf(0.999, rate.trials, promised)


@pytest.mark.parametrize("seeds", [5, 10])
@pytest.mark.parametrize(
    "effects",
    [Effects(1.0, 0.0, 1.0), Effects(0.0, 3.0, 0.0)],
    ids=["seeds alone", "images alone"],
)
def test_the_interval_covers_at_its_nominal_rate_where_one_thing_varies(seeds: int, effects: Effects) -> None:
    rate = coverage_of_means(effects, seeds, 40, TRIALS, np.random.default_rng(seeds))
    assert rate.within(0.95), rate


@pytest.mark.parametrize(
    "effects",
    [MIXED, Effects(1.0, 3.0, 1.0), Effects(0.0, 0.0, 3.0)],
    ids=["mixed", "seeds and images alike", "only both at once"],
)
def test_the_interval_never_covers_less_than_promised_and_never_above_98_percent(effects: Effects) -> None:
    rate = coverage_of_means(effects, 5, 40, TRIALS, np.random.default_rng(1))
    assert at_least(rate, 0.95), rate
    assert at_most(rate, 0.98), rate


def test_heavy_tails_do_not_break_the_interval() -> None:
    rate = coverage_of_means(MIXED, 5, 40, TRIALS, np.random.default_rng(2), heavy)
    assert at_least(rate, 0.95), rate


def test_a_percentile_bootstrap_over_five_seeds_would_not_cover() -> None:
    rate = percentile_coverage(MIXED, 5, 40, 500, np.random.default_rng(3))
    assert at_most(rate, 0.90), rate


@pytest.mark.parametrize("measure", [kernel_leave_one_out, frechet_leave_one_out], ids=["kernel", "frechet"])
@pytest.mark.parametrize("spread", [0.0, 0.1], ids=["alike seeds", "seeds that differ"])
def test_the_interval_of_a_distance_covers(measure, spread: float) -> None:  # type: ignore[no-untyped-def]
    world = FeatureWorld(images=30, dimension=24, seed=spread, shift_a=0.1)
    rate = coverage_of_distances(measure, world, 5, 500, np.random.default_rng(4))
    assert at_least(rate, 0.95), rate
    assert at_most(rate, 0.99), rate


@pytest.mark.parametrize("measure", [kernel_leave_one_out, frechet_leave_one_out], ids=["kernel", "frechet"])
def test_a_variant_against_itself_is_claimed_to_differ_no_more_often_than_it_may(measure) -> None:  # type: ignore[no-untyped-def]
    world = FeatureWorld(images=30, dimension=24, seed=0.1)
    rate = claims_of_alike(measure, world, 5, 500, np.random.default_rng(5))
    assert at_most(rate, 0.05), rate


def test_holm_keeps_the_rate_of_any_false_claim_and_plain_tests_do_not() -> None:
    plain, corrected = family_claims(8, 5, 0.5, 2000, np.random.default_rng(6))
    assert at_most(corrected, 0.05), corrected
    assert plain.share > 0.2, plain


SEED = 9
SITUATIONS = {
    "seeds alone": Effects(seed=1.0, image=0.0, both=1.0),
    "seeds vary most": Effects(seed=1.0, image=1.0, both=1.0),
    "seeds and images alike": Effects(seed=1.0, image=3.0, both=1.0),
    "images alone": Effects(seed=0.0, image=3.0, both=0.0),
    "only both at once": Effects(seed=0.0, image=0.0, both=3.0),
}
MEASURES = {"kernel distance": kernel_leave_one_out, "Frechet distance": frechet_leave_one_out}


def main() -> None:
    """Print one row for every situation."""
    generator = np.random.default_rng(SEED)
    print("| situation | seeds | rate | promised | trials |\n|---|---|---|---|---|")
    for name, effects in SITUATIONS.items():
        for seeds in (5, 10):
            rate = coverage_of_means(effects, seeds, 60, 10_000, generator)
            _row(f"mean over images, {name}: covers", seeds, rate, "95 %")
    rate = coverage_of_means(SITUATIONS["seeds vary most"], 5, 60, 10_000, generator, heavy)
    _row("the same, seeds vary most, heavy tails: covers", 5, rate, "95 %")
    for seeds in (5, 10):
        rate = percentile_coverage(SITUATIONS["seeds vary most"], seeds, 60, 2_000, generator)
        _row("percentile bootstrap in its place (not used): covers", seeds, rate, "95 %")
    for name, measure in MEASURES.items():
        for spread in (0.1, 0.0):
            world = FeatureWorld(images=60, dimension=64, seed=spread, shift_a=0.1)
            rate = coverage_of_distances(measure, world, 5, 2_000, generator)
            _row(f"{name}, seeds' offset {spread:g}: covers", 5, rate, "95 %")
        alike = FeatureWorld(images=60, dimension=64, seed=0.1)
        rate = claims_of_alike(measure, alike, 5, 2_000, generator)
        _row(f"{name}, A/A: claims a difference", 5, rate, "at most 5 %")
    plain, corrected = family_claims(8, 5, 0.5, 5_000, generator)
    _row("8 true nulls, no correction: claims any", 5, plain, "-")
    _row("8 true nulls, Holm: claims any", 5, corrected, "at most 5 %")
    for name, measure in MEASURES.items():
        for shift in (0.5, 0.1):
            world = FeatureWorld(images=120, dimension=64, seed=0.0, shift_a=shift)
            ratio = error_ratio(measure, world, 1_000, np.random.default_rng(SEED))
            what = f"{name}, variants {shift:g} apart: jackknife error / true spread"
            print(f"| {what} | 1 | {ratio:.2f} | 1 | 1,000 |", flush=True)


def _row(what: str, seeds: int, rate: Rate, promised: str) -> None:
    print(f"| {what} | {seeds} | {100 * rate.share:.1f} % | {promised} | {rate.trials:,} |", flush=True)


if __name__ == "__main__":
    main()
