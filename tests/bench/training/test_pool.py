"""The image pool: what is shown to the discriminators."""

import numpy as np
import pytest
import torch

from bench.streams import Streams
from bench.training.discriminators import KEPT, ImagePool


def numbered(*values: int) -> torch.Tensor:
    """Images that can be told apart: constant, each of its own value."""
    return torch.stack([torch.full((3, 2, 2), float(value)) for value in values])


def chance(step: int) -> np.random.Generator:
    return Streams(0).numpy("image-pool", step, "A")


def run(pool: ImagePool, steps: range) -> list[tuple[float, tuple[int, ...]]]:
    """(value shown, swaps) of every step, where step n brings the image of value n."""
    outcome = []
    for step in steps:
        shown = pool.exchange(numbered(step), chance(step))
        outcome.append((shown.images.unique().item(), shown.swaps))
    return outcome


def test_a_pool_that_is_not_full_shows_every_image_as_it_came():
    assert run(ImagePool(5), range(5)) == [(float(step), (KEPT,)) for step in range(5)]


def test_without_capacity_every_image_is_shown_as_it_came():
    assert run(ImagePool(0), range(20)) == [(float(step), (KEPT,)) for step in range(20)]


def test_a_full_pool_exchanges_half_of_the_images_for_earlier_ones():
    outcome = run(ImagePool(10), range(1010))[10:]
    exchanged = [(step, value, swaps) for step, (value, swaps) in enumerate(outcome, 10) if swaps != (KEPT,)]
    assert 450 < len(exchanged) < 550
    assert all(value < step for step, value, _ in exchanged)
    assert {swaps[0] for _, _, swaps in exchanged} == set(range(10))


def test_an_image_is_shown_again_at_most_once():
    values = [value for value, swaps in run(ImagePool(10), range(300)) if swaps != (KEPT,)]
    assert len(values) == len(set(values))


def test_decisions_depend_on_the_stream_and_never_on_the_images():
    first, second = ImagePool(3), ImagePool(3)
    swaps_first = [first.exchange(numbered(1), chance(step)).swaps for step in range(50)]
    swaps_second = [second.exchange(torch.randn(1, 3, 4, 4), chance(step)).swaps for step in range(50)]
    assert swaps_first == swaps_second


def test_a_batch_is_decided_image_by_image():
    pool = ImagePool(2)
    pool.exchange(numbered(0, 1), chance(0))
    shown = pool.exchange(numbered(2, 3, 4, 5, 6, 7), chance(1))
    assert len(shown.swaps) == 6
    for place, swap in enumerate(shown.swaps):
        assert (shown.images[place].unique().item() == place + 2) == (swap == KEPT)


@pytest.mark.parametrize("interruption", [0, 2, 7])
def test_a_pool_taken_from_a_checkpoint_goes_on_as_if_nothing_had_been(interruption):
    whole = run(ImagePool(4), range(30))
    before, after = ImagePool(4), ImagePool(4)
    first_part = run(before, range(interruption))
    after.load_state_dict(before.state_dict())
    assert first_part + run(after, range(interruption, 30)) == whole
