"""Leave-one-out distances: equal to computing them again, with the jackknife error that is the true one."""

from collections.abc import Callable

import numpy as np
import pytest

from bench.errors import BenchError
from bench.scoring.frechet import frechet_distance, frechet_leave_one_out
from bench.scoring.kernel import kernel_distance, kernel_leave_one_out
from bench.statistics.paired import LeaveOneOut, jackknife_error, jackknife_variance

MEASURES = [
    pytest.param(kernel_leave_one_out, kernel_distance, id="kernel"),
    pytest.param(frechet_leave_one_out, frechet_distance, id="frechet"),
]
measures = pytest.mark.parametrize(("measure", "distance"), MEASURES)
Measure = Callable[[np.ndarray, np.ndarray], LeaveOneOut]
Distance = Callable[[np.ndarray, np.ndarray], float]


def bootstrap_error(
    distance: Distance, a: np.ndarray, b: np.ndarray, real: np.ndarray, generator: np.random.Generator
) -> float:
    """The oracle: error of distance(a, real) - distance(b, real) by resampling inputs and real images."""
    differences = np.empty(400)
    for index in range(len(differences)):
        rows = generator.integers(len(a), size=len(a))
        others = real[generator.integers(len(real), size=len(real))]
        differences[index] = distance(a[rows], others) - distance(b[rows], others)
    return float(differences.std(ddof=1))


def draw(generator: np.random.Generator, n: int, d: int, shift: float = 0.0) -> np.ndarray:
    return generator.standard_normal((n, d)) * np.linspace(1.5, 0.2, d) + shift


@measures
@pytest.mark.parametrize(("n", "m", "d"), [(9, 12, 30), (12, 9, 30), (10, 10, 30), (14, 11, 3), (5, 20, 8)])
def test_leaving_one_out_equals_computing_the_distance_without_it(
    measure: Measure, distance: Distance, n: int, m: int, d: int
) -> None:
    generator = np.random.default_rng(n * m)
    x, y = draw(generator, n, d, 0.3), draw(generator, m, d)
    found = measure(x, y)
    scale = np.ptp(found.generated)
    assert found.value == pytest.approx(distance(x, y), rel=1e-9)
    for i in range(n):
        assert found.generated[i] == pytest.approx(distance(np.delete(x, i, 0), y), abs=1e-7 * scale)
    for j in range(m):
        assert found.real[j] == pytest.approx(distance(x, np.delete(y, j, 0)), abs=1e-7 * scale)


@measures
def test_a_duplicated_image_is_no_obstacle(measure: Measure, distance: Distance) -> None:
    generator = np.random.default_rng(0)
    x, y = draw(generator, 8, 20), draw(generator, 8, 20)
    x[1] = x[0]
    assert measure(x, y).generated[0] == pytest.approx(distance(x[1:], y), rel=1e-8)


@measures
def test_the_jackknife_error_of_a_difference_is_the_spread_over_new_images(
    measure: Measure, distance: Distance
) -> None:
    """2,000 replications of the whole experiment, against the mean jackknife variance of 200 of them."""
    generator = np.random.default_rng(5)
    differences, variances = [], []
    for trial in range(2000):
        inputs, real = draw(generator, 40, 16), draw(generator, 50, 16)
        a = 0.8 * inputs + 0.25 + 0.3 * generator.standard_normal(inputs.shape)
        b = 0.9 * inputs + 0.3 * generator.standard_normal(inputs.shape)
        if trial < 200:
            both = measure(a, real).minus(measure(b, real))
            variances.append(jackknife_error(both) ** 2)
            differences.append(both.value)
        else:
            differences.append(distance(a, real) - distance(b, real))
    spread = np.std(differences, ddof=1)
    # The spread itself is known to 1/sqrt(2 * 2000) = 1.6 %; the jackknife leans a few percent upward.
    assert np.sqrt(np.mean(variances)) == pytest.approx(spread, rel=0.12)


def test_the_input_bootstrap_agrees_with_the_jackknife() -> None:
    generator = np.random.default_rng(6)
    inputs, real = draw(generator, 60, 12), draw(generator, 60, 12)
    a, b = inputs + 0.3, 0.9 * inputs + 0.3 * generator.standard_normal(inputs.shape)
    both = kernel_leave_one_out(a, real).minus(kernel_leave_one_out(b, real))
    bootstrap = bootstrap_error(kernel_distance, a, b, real, generator)
    assert bootstrap == pytest.approx(jackknife_error(both), rel=0.2)


def test_pairing_by_input_makes_the_error_smaller_than_that_of_separate_inputs() -> None:
    generator = np.random.default_rng(7)
    inputs, real = draw(generator, 60, 12), draw(generator, 60, 12)
    a, b = kernel_leave_one_out(inputs + 0.3, real), kernel_leave_one_out(inputs + 0.2, real)
    apart = np.sqrt(jackknife_variance(a.generated) + jackknife_variance(b.generated))
    assert np.sqrt(jackknife_variance(a.minus(b).generated)) < 0.6 * apart


def test_the_jackknife_variance_of_a_mean_is_the_textbook_one() -> None:
    values = np.array([1.0, 4.0, 2.0, 8.0, 5.0])
    without = (values.sum() - values) / 4
    assert jackknife_variance(without) == pytest.approx(values.var(ddof=1) / 5)


@measures
def test_features_that_cannot_be_compared_are_refused(measure: Measure, distance: Distance) -> None:
    good = np.ones((4, 3))
    with pytest.raises(BenchError, match="at least 3"):
        measure(good[:2], good)
    with pytest.raises(BenchError, match="cannot be compared"):
        measure(good, np.ones((4, 2)))
    with pytest.raises(BenchError, match="NaN or infinity"):
        measure(good * np.nan, good)
