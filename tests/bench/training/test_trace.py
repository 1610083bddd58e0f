"""The trace hash: equal for equal schedules, another when anything that was fed differs."""

import dataclasses

import pytest

from bench.data.order import BatchOrder, Draw
from bench.protocol import ImageSettings
from bench.streams import Streams
from bench.training.logs import EMPTY_TRACE, extend_trace

IMAGES = ImageSettings(size=32, load_size=40)


def draw(step: int = 0, seed: int = 0) -> Draw:
    return BatchOrder((9, 7), IMAGES, 2, Streams(seed)).draw(step)


def changed(part: str, column: str) -> Draw:
    """The draw of step 0 with one value of one column changed."""
    original = draw()
    views = getattr(original, part)
    values = getattr(views, column).copy()
    values[1] = not values[1] if column == "flips" else values[1] + 1
    return dataclasses.replace(original, **{part: dataclasses.replace(views, **{column: values})})


def test_equal_feeding_gives_equal_traces():
    first = extend_trace(extend_trace(EMPTY_TRACE, draw(0), (-1, 4), 2e-4), draw(1), (-1, -1), 1e-4)
    again = extend_trace(extend_trace(EMPTY_TRACE, draw(0), (-1, 4), 2e-4), draw(1), (-1, -1), 1e-4)
    assert first == again
    assert len(first) == 64


@pytest.mark.parametrize("part", ["A", "B"])
@pytest.mark.parametrize("column", ["indices", "tops", "lefts", "flips"])
def test_one_other_index_crop_or_flip_gives_another_trace(part, column):
    assert extend_trace(EMPTY_TRACE, changed(part, column), (), 1.0) != extend_trace(
        EMPTY_TRACE, draw(), (), 1.0
    )


@pytest.mark.parametrize(("swaps", "rate"), [((-1, 3), 1.0), ((-1,), 1.0), ((-1, 2), 0.5)])
def test_another_swap_or_learning_rate_gives_another_trace(swaps, rate):
    assert extend_trace(EMPTY_TRACE, draw(), swaps, rate) != extend_trace(EMPTY_TRACE, draw(), (-1, 2), 1.0)


def test_the_trace_remembers_the_order_of_the_steps():
    forth = extend_trace(extend_trace(EMPTY_TRACE, draw(0), (), 1.0), draw(1), (), 1.0)
    back = extend_trace(extend_trace(EMPTY_TRACE, draw(1), (), 1.0), draw(0), (), 1.0)
    assert forth != back
