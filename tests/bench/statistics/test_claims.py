"""What may be claimed at which number of seeds, and in which words."""

from dataclasses import replace

import numpy as np
import pytest

from bench.statistics import Comparison, Pair, Side, Verdict, compare, evaluate_control

NOISE = np.array([0.02, -0.01, 0.015, -0.02, 0.005, 0.01])


def pair(difference: float = 0.0, seeds: int = 5, **changes: object) -> Pair:
    b = 1 + NOISE[:seeds]
    a = b + difference + 0.5 * NOISE[:seeds][::-1]
    sides = (Side("slot9", tuple(a)), Side("spatial", tuple(b)))
    made = Pair("fid", "A2B", "toy-stripes", *sides, tuple(range(seeds)), 120, "lower")
    return replace(made, **changes)  # type: ignore[arg-type]


def one(given: Pair) -> Comparison:
    return compare([given])[0]


@pytest.mark.parametrize("seeds", [1, 2])
def test_one_or_two_seeds_give_values_only(seeds: int) -> None:
    outcome = one(pair(5.0, seeds))
    assert outcome.verdict is Verdict.VALUES_ONLY
    assert (outcome.interval, outcome.p_value, outcome.favours) == (None, None, None)
    assert "Values only: a range needs 3 seeds, a claim 5." in outcome.sentence


@pytest.mark.parametrize("seeds", [3, 4])
def test_three_or_four_seeds_give_a_range_and_no_p_value(seeds: int) -> None:
    outcome = one(pair(5.0, seeds))
    assert outcome.verdict is Verdict.RANGE
    assert (outcome.interval, outcome.p_value, outcome.favours) == (None, None, None)
    assert f"over {seeds} seeds, of one sign in every seed. A range, not a test" in outcome.sentence


def test_a_range_over_zero_is_said_to_be_of_no_sign() -> None:
    assert "not of one sign" in one(pair(0.0, 4)).sentence


def test_five_seeds_support_a_clear_difference() -> None:
    outcome = one(pair(-0.5))
    assert outcome.verdict is Verdict.SUPPORTED
    assert outcome.favours == "a"
    assert outcome.interval is not None
    assert outcome.interval[1] < 0
    assert outcome.sentence.startswith("fid A2B on toy-stripes: slot9 is lower than spatial by 0.499 (")
    assert "5 seeds, 120 images, for these test images); slot9 is better here." in outcome.sentence


def test_no_difference_found_says_that_this_is_not_equality_and_what_was_missed() -> None:
    outcome = one(pair(0.0))
    assert outcome.verdict is Verdict.NOT_FOUND
    assert outcome.favours is None
    assert outcome.smallest_detectable is not None
    assert "no difference found between slot9 and spatial" in outcome.sentence
    assert f"not show that they are equal: a true difference under {outcome.smallest_detectable:.3g}" in (
        outcome.sentence
    )


@pytest.mark.parametrize(
    ("better", "favours"), [("lower", "b"), ("higher", "a"), ("none", None)], ids=["lower", "higher", "none"]
)
def test_which_side_a_higher_value_favours_depends_on_the_metric(better: str, favours: str | None) -> None:
    outcome = one(pair(0.5, better=better))
    assert outcome.verdict is Verdict.SUPPORTED
    assert outcome.favours == favours
    assert ("neither direction is better" in outcome.sentence) == (favours is None)


def test_nearer_the_target_compares_distances_from_it() -> None:
    above = one(pair(0.5, better="nearer target", target=1.6))
    assert above.favours == "a"
    assert "slot9 is nearer the target than spatial" in above.sentence
    assert above.mean_a == pytest.approx(1.5, abs=0.02)
    assert one(pair(0.5, better="nearer target", target=1.0)).favours == "b"


def test_holm_over_the_declared_comparisons_can_take_a_claim_back() -> None:
    weak = pair(0.012)
    alone = one(weak)
    among = compare([weak, *[pair(0.0, metric=f"other{k}") for k in range(9)]])[0]
    assert alone.verdict is Verdict.SUPPORTED
    assert among.verdict is Verdict.NOT_FOUND
    assert among.p_value == alone.p_value
    assert "after Holm over 10 comparisons" in among.sentence


def test_comparisons_without_a_test_do_not_count_as_declared() -> None:
    tested, _ = compare([pair(-0.5), pair(-0.5, seeds=3)])
    assert tested.p_adjusted == tested.p_value


def test_the_images_enter_the_interval_of_a_mean_over_images() -> None:
    generator = np.random.default_rng(0)
    images = generator.standard_normal((5, 30))
    a, b = Side.of_images("slot9", images + np.arange(30)), Side.of_images("spatial", images)
    outcome = one(pair(a=a, b=b))
    assert outcome.error is not None
    assert outcome.error.input_variance == pytest.approx(np.arange(30).var(ddof=1) / 30)
    assert "for these test images" not in outcome.sentence


@pytest.mark.parametrize(("images", "few"), [(4, True), (49, True), (50, False), (120, False)])
def test_a_test_over_a_handful_of_images_says_that_it_says_little(images: int, few: bool) -> None:
    draws, others = np.random.default_rng(1).normal(0, 0.1, (2, 5, images))
    said = f"Only {images} test images: below 50 such a p value says little."
    for difference in (5.0, 0.0):
        sides = Side.of_images("slot9", draws + difference), Side.of_images("spatial", others)
        outcome = one(pair(a=sides[0], b=sides[1], images=images))
        assert (said in outcome.sentence) is few
        alone = replace(pair(a=sides[0], b=sides[1], images=images), seeds=(), as_they_are=True)
        assert (said in one(alone).sentence) is few


def test_images_that_are_no_part_of_the_test_are_not_spoken_of() -> None:
    assert "says little" not in one(pair(-0.5, images=4)).sentence


def test_what_no_seed_changes_is_reported_without_a_test() -> None:
    a, b = Side("slot9", (2.0,) * 5), Side("spatial", (1.0,) * 5)
    assert "is 1 in each of 5 seeds" in one(pair(a=a, b=b)).sentence
    same = one(pair(a=a, b=replace(a, name="spatial")))
    assert (same.verdict, same.p_value) == (Verdict.VALUES_ONLY, None)
    assert "the same value in each of 5 seeds" in same.sentence


def test_a_factor_changes_what_is_printed_and_nothing_that_is_stored() -> None:
    raw, printed = one(pair(-0.5)), one(pair(-0.5, factor=100))
    assert printed.mean_difference == raw.mean_difference
    assert "fid ×100 A2B on toy-stripes: slot9 is lower than spatial by 49.9 (" in printed.sentence


def test_pairs_that_are_not_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="one value for each of seeds"):
        pair(seeds=5, b=Side("spatial", (1.0,)))
    with pytest.raises(ValueError, match="no target is given"):
        pair(better="nearer target")
    with pytest.raises(ValueError, match="NaN or infinite"):
        pair(b=Side("spatial", (1.0, 1.0, 1.0, 1.0, float("nan"))))


def test_the_control_allows_as_many_claims_as_chance_explains() -> None:
    fine = evaluate_control([0.5] * 19 + [0.01], seeds=5)
    assert (fine.claims, fine.allowed, fine.passed) == (1, 3, True)
    assert "1 difference claimed in 20 comparisons of a variant with itself" in fine.sentence
    assert "each tested at 5 % by itself: as chance allows (up to 3)." in fine.sentence
    broken = evaluate_control([0.01] * 4 + [0.5] * 16, seeds=5)
    assert not broken.passed
    assert "more than chance allows (3): repeat it" in broken.sentence
    assert "nothing to claim" in evaluate_control([], seeds=5).sentence


def test_a_control_of_too_few_seeds_says_that_it_tests_nothing() -> None:
    few = evaluate_control([], seeds=4)
    assert "no claim is made from 4 seeds on either side, so none could be false" in few.sentence
