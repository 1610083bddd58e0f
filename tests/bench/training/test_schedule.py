"""The schedule: steps, learning rate, and when things happen."""

from hypothesis import given
from hypothesis import strategies as st

from bench.protocol import TrainSettings
from bench.training.schedule import Schedule


def schedule(images: int, **settings) -> Schedule:
    return Schedule(images, TrainSettings(images_seen=images, **settings))


def test_the_rate_is_constant_for_its_share_then_falls_linearly_towards_zero():
    course = schedule(8, constant_share=0.5, learning_rate=1.0)
    assert [course.learning_rate(step) for step in range(1, 9)] == [1, 1, 1, 1, 1, 0.75, 0.5, 0.25]


def test_a_constant_schedule_never_falls():
    course = schedule(7, constant_share=1.0, learning_rate=0.5)
    assert {course.learning_rate(step) for step in range(1, 8)} == {0.5}


def test_the_rate_depends_on_images_seen_not_on_the_batch():
    single, quadruple = schedule(80, batch=1), schedule(80, batch=4)
    for step in range(1, 21):
        assert quadruple.learning_rate(step) == single.learning_rate(4 * step - 3)


def test_the_last_batch_may_exceed_the_images_to_see():
    course = schedule(10, batch=4)
    assert course.steps == 3
    assert course.images_seen(3) == 12


@given(images=st.integers(1, 500), batch=st.integers(1, 9), share=st.floats(0, 1))
def test_the_rate_stays_positive_and_never_rises(images, batch, share):
    course = schedule(images, batch=batch, constant_share=share)
    rates = [course.learning_rate(step) for step in range(1, course.steps + 1)]
    assert all(rate > 0 for rate in rates)
    assert rates == sorted(rates, reverse=True)


@given(images=st.integers(1, 300), validations=st.integers(1, 20))
def test_validations_are_spread_evenly_and_the_last_step_is_one_of_them(images, validations):
    course = schedule(images, validations=validations)
    steps = [step for step in range(1, images + 1) if course.is_validated(step)]
    gaps = {later - earlier for earlier, later in zip([0, *steps], steps, strict=False)}
    assert steps[-1] == images
    assert len(steps) == min(images, validations)
    assert max(gaps) - min(gaps) <= 1


def test_every_so_many_steps_are_logged_and_the_last_one():
    course = schedule(11, log_every=4)
    assert [step for step in range(1, 12) if course.is_logged(step)] == [4, 8, 11]
