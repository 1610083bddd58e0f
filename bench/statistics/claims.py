"""The rule of what may be claimed from how many seeds, and the sentence that claims it.

    1 or 2 seeds    values only
    3 or 4 seeds    points and their range, no p value
    5 or more       interval of the paired difference, and a claim where the p value, corrected by Holm over
                    the comparisons declared beforehand, is at most 0.05

Where a side has no seeds, as images of another program, the translations are taken as they are and compared
over the test images alone; the sentence says that nothing is said of another training.

An error over the test images is estimated from them: below 50 images the sentence says that its p value says
little.

"No difference found" is not "equal": the sentence says which differences would have been missed. `compare`
prints these sentences and reports set a value in bold only where `Claim.favours` names its variant.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bench.names import counted
from bench.statistics.paired import ALPHA

SEEDS_FOR_RANGE = 3
SEEDS_FOR_CLAIM = 5
IMAGES_FOR_TEST = 50
"""Test images from which on an error over images is known well enough to be taken at its word."""
Better = Literal["lower", "higher", "nearer target", "none"]


class Verdict(StrEnum):
    """What the statistics allow to be said of a comparison."""

    VALUES_ONLY = "values only"
    RANGE = "range"
    SUPPORTED = "supported difference"
    NOT_FOUND = "no difference found"


@dataclass(frozen=True)
class Claim:
    """A verdict, the variant it favours, and both in words."""

    verdict: Verdict
    favours: Literal["a", "b"] | None
    """The better side of a supported difference; None where nothing is supported or nothing is better."""
    sentence: str


@dataclass(frozen=True)
class Evidence:
    """Everything that a sentence about variants `a` and `b` may use; differences are a - b.

    With `better` "nearer target" the values are distances from the target value.
    """

    a: str
    b: str
    metric: str
    better: Better
    values_a: tuple[float, ...]
    values_b: tuple[float, ...]
    interval: tuple[float, float] | None = None
    p_adjusted: float | None = None
    comparisons: int = 1
    """Comparisons declared beforehand, this one included."""
    images: int | None = None
    inputs_varied: bool = False
    """Whether the interval allows for other test images."""
    smallest_detectable: float | None = None
    over_images: bool = False
    """Whether the images alone are the sample: nothing is said of another training."""
    factor: int = 1
    """Sentences print every value of the measure times this; `metric` says so."""

    @property
    def differences(self) -> tuple[float, ...]:
        return tuple(x - y for x, y in zip(self.values_a, self.values_b, strict=True))

    @property
    def mean_difference(self) -> float:
        return sum(self.differences) / len(self.differences)


def permitted(seeds: int) -> Verdict | None:
    """The verdict that the number of seeds alone decides; None where a test may decide."""
    if seeds >= SEEDS_FOR_CLAIM:
        return None
    return Verdict.RANGE if seeds >= SEEDS_FOR_RANGE else Verdict.VALUES_ONLY


def claim(evidence: Evidence) -> Claim:
    """What may be claimed from the evidence. An evidence without p value supports no difference."""
    verdict = None if evidence.over_images else permitted(len(evidence.values_a))
    if verdict is Verdict.VALUES_ONLY:
        return Claim(verdict, None, _values_only(evidence))
    if verdict is Verdict.RANGE:
        return Claim(verdict, None, _range(evidence))
    if evidence.p_adjusted is None:
        return Claim(Verdict.VALUES_ONLY, None, _constant(evidence))
    if evidence.p_adjusted > ALPHA:
        return Claim(Verdict.NOT_FOUND, None, _not_found(evidence))
    return Claim(Verdict.SUPPORTED, _favoured(evidence), _supported(evidence))


def _favoured(evidence: Evidence) -> Literal["a", "b"] | None:
    if evidence.better == "none":
        return None
    a_is_higher = evidence.mean_difference > 0
    return "a" if a_is_higher == (evidence.better == "higher") else "b"


def _values_only(e: Evidence) -> str:
    a, b = sum(e.values_a) / len(e.values_a), sum(e.values_b) / len(e.values_b)
    return (
        f"{_title(e)}: {e.a} {_value(e, a)}, {e.b} {_value(e, b)} ({counted(len(e.values_a), 'seed')}). "
        f"Values only: a range needs {SEEDS_FOR_RANGE} seeds, a claim {SEEDS_FOR_CLAIM}."
    )


def _range(e: Evidence) -> str:
    low, high = min(e.differences), max(e.differences)
    agree = "of one sign in every seed" if low > 0 or high < 0 else "not of one sign"
    return (
        f"{_title(e)}: {e.a} minus {e.b} ranges from {_value(e, low)} to {_value(e, high)} over "
        f"{counted(len(e.values_a), 'seed')}, {agree}. A range, not a test: a claim "
        f"needs {SEEDS_FOR_CLAIM} seeds."
    )


def _constant(e: Evidence) -> str:
    if e.over_images:
        a, b = sum(e.values_a) / len(e.values_a), sum(e.values_b) / len(e.values_b)
        return (
            f"{_title(e)}: {e.a} {_value(e, a)}, {e.b} {_value(e, b)}. Values only: the folders do not keep "
            "what a comparison over the images needs, or no image changes the difference."
        )
    seeds = counted(len(e.values_a), "seed")
    if e.mean_difference == 0:
        return (
            f"{_title(e)}: {e.a} and {e.b} have the same value in each of {seeds}; there is nothing to test."
        )
    return (
        f"{_title(e)}: {e.a} minus {e.b} is {_value(e, e.mean_difference)} in each of {seeds}: seeds change "
        "nothing here, so they say nothing about its error. Values only."
    )


def _not_found(e: Evidence) -> str:
    missed = ""
    if e.smallest_detectable is not None:
        missed = (
            " This does not show that they are equal: a true difference under "
            f"{_value(e, e.smallest_detectable)} would have been missed more than one time in five."
        )
    return f"{_title(e)}: no difference found between {e.a} and {e.b} ({_test(e)}).{missed}{_few_images(e)}"


def _supported(e: Evidence) -> str:
    closer = e.better == "nearer target"
    word = ("nearer the target" if closer else "lower") if e.mean_difference < 0 else ""
    word = word or ("farther from the target" if closer else "higher")
    favoured = _favoured(e)
    verdict = "neither direction is better" if favoured is None else f"{getattr(e, favoured)} is better here"
    by = _value(e, abs(e.mean_difference))
    return f"{_title(e)}: {e.a} is {word} than {e.b} by {by} ({_test(e)}); {verdict}.{_few_images(e)}"


def _few_images(e: Evidence) -> str:
    """A remark where the images are part of the test and few."""
    tested = e.over_images or e.inputs_varied
    if not tested or e.images is None or e.images >= IMAGES_FOR_TEST:
        return ""
    return f" Only {counted(e.images, 'test image')}: below {IMAGES_FOR_TEST} such a p value says little."


def _test(e: Evidence) -> str:
    assert e.interval is not None  # given wherever there is a p value
    assert e.p_adjusted is not None
    low, high = e.interval
    images = "" if e.images is None else f", {counted(e.images, 'image')}"
    scope = "" if e.inputs_varied else ", for these test images"
    if e.over_images:
        scope = "; of these translations alone, not of another training"
    seeds = "" if e.over_images else f", {counted(len(e.values_a), 'seed')}"
    over = "" if e.comparisons == 1 else f" after Holm over {e.comparisons} comparisons"
    return (
        f"mean {_value(e, e.mean_difference)}, 95% interval {_value(e, low)} to {_value(e, high)}, "
        f"p = {number(e.p_adjusted, 2)}{over}{seeds}{images}{scope}"
    )


def _title(e: Evidence) -> str:
    distance = ", distance from the target" if e.better == "nearer target" else ""
    return f"{e.metric}{distance}"


def _value(e: Evidence, value: float) -> str:
    return number(e.factor * value)


def number(value: float, digits: int = 3) -> str:
    """A number for a sentence: `digits` significant digits, no trailing zeros, whole where it is large."""
    if 10**digits <= abs(value) < 1e7:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"
