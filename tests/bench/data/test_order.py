"""The order of batches: what an epoch holds, and that a step's draw depends on nothing but the step."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.dataset import Dataset, Domain, Split
from bench.data.order import BatchOrder, Draw, fetch
from bench.protocol import ImageSettings
from bench.streams import Streams

COUNTS = st.integers(1, 20)
SEEDS = st.integers(0, 5)


def order(sizes: tuple[int, int], batch: int = 1, seed: int = 0, **images: object) -> BatchOrder:
    settings = ImageSettings.model_validate({"size": 16, "load_size": 20} | images)
    return BatchOrder(sizes, settings, batch, Streams(seed))


def indices(draws: list[Draw], domain: str) -> list[int]:
    return [int(index) for draw in draws for index in getattr(draw, domain).indices]


@given(COUNTS, COUNTS, SEEDS, st.integers(0, 3))
def test_random_pairing_shows_every_image_of_a_equally_often_in_an_epoch(nA, nB, seed, epoch):
    batches = order((nA, nB), seed=seed)
    length = max(nA, nB)
    assert batches.epoch_length == length
    seen = Counter(indices([batches.draw(step) for step in range(epoch * length, (epoch + 1) * length)], "A"))
    assert set(seen) == set(range(nA))
    assert max(seen.values()) - min(seen.values()) <= 1


@given(COUNTS, COUNTS, SEEDS)
def test_random_pairing_draws_b_from_all_of_b(nA, nB, seed):
    batches = order((nA, nB), seed=seed)
    assert set(indices([batches.draw(step) for step in range(nB * 20)], "B")) <= set(range(nB))


def test_random_pairing_draws_b_uniformly():
    batches = order((4, 4), batch=100)
    seen = np.bincount(indices([batches.draw(step) for step in range(20)], "B"), minlength=4)
    assert np.all(np.abs(seen - 500) < 5 * np.sqrt(2000 * 0.25 * 0.75))


def test_epochs_are_shuffled_afresh():
    batches = order((30, 30), batch=30)
    first, second = batches.draw(0).A.indices, batches.draw(1).A.indices
    assert sorted(first) == sorted(second)
    assert not np.array_equal(first, second)


@given(COUNTS, COUNTS, SEEDS)
def test_fixed_pairing_shows_the_ith_with_the_ith_and_ends_with_the_smaller_domain(nA, nB, seed):
    batches = order((nA, nB), seed=seed, pairing="fixed")
    length = min(nA, nB)
    draws = [batches.draw(step) for step in range(2 * length)]
    assert indices(draws, "A") == indices(draws, "B") == list(range(length)) * 2


@given(COUNTS, COUNTS, SEEDS, st.integers(0, 60), st.integers(1, 4))
def test_a_resumed_order_equals_an_uninterrupted_one(nA, nB, seed, step, batch):
    uninterrupted = order((nA, nB), batch, seed)
    for earlier in range(step):
        uninterrupted.draw(earlier)
    assert uninterrupted.draw(step).record() == order((nA, nB), batch, seed).draw(step).record()


@given(COUNTS, COUNTS, SEEDS, st.integers(1, 6))
def test_the_batch_size_changes_only_how_samples_are_grouped(nA, nB, seed, batch):
    singly, grouped = order((nA, nB), 1, seed), order((nA, nB), batch, seed)
    for step in range(3):
        parts = [singly.draw(step * batch + position) for position in range(batch)]
        whole = grouped.draw(step)
        for domain in ("A", "B"):
            for column in ("indices", "tops", "lefts", "flips"):
                joined = np.concatenate([getattr(getattr(part, domain), column) for part in parts])
                np.testing.assert_array_equal(joined, getattr(getattr(whole, domain), column))


@given(SEEDS, st.integers(0, 8))
def test_crops_stay_inside_the_loaded_image(seed, room):
    draw = order((5, 5), 50, seed, load_size=16 + room).draw(3)
    for views in (draw.A, draw.B):
        assert views.tops.min() >= 0
        assert views.lefts.min() >= 0
        assert views.tops.max() <= room
        assert views.lefts.max() <= room


def test_crops_reach_both_edges_and_flips_both_ways():
    draw = order((5, 5), 300).draw(0)
    assert set(draw.A.tops) == set(draw.B.lefts) == {0, 1, 2, 3, 4}
    assert set(draw.A.flips) == set(draw.B.flips) == {False, True}


def test_flips_are_never_drawn_where_the_protocol_forbids_them():
    assert not order((5, 5), 100, flip=False).draw(0).A.flips.any()


def test_seeds_differ_and_so_do_steps():
    records = {order((50, 50), 2, seed).draw(step).record() for seed in range(3) for step in range(5)}
    assert len(records) == 15


def test_the_record_tells_every_part_of_the_draw():
    draw = order((50, 50), 3).draw(7)
    numbers = np.frombuffer(draw.record(), dtype="<i8")
    assert list(numbers[:2]) == [7, 16]
    assert list(numbers[2:5]) == list(draw.A.indices)
    assert list(numbers[-3:]) == list(draw.B.flips.astype(int))
    assert len(numbers) == 2 + 2 * 4 * 3


def test_sizes_of_zero_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        order((0, 3))


def test_fetch_crops_and_flips_as_drawn():
    pixels = np.random.default_rng(0).integers(0, 256, (6, 20, 20, 3), dtype=np.uint8)
    empty = Split(np.zeros((0, 16, 16, 3), np.uint8), ())
    names = tuple(f"{i}.png" for i in range(6))
    domain = Domain(Split(pixels, names), empty, empty)
    draw = order((6, 6), 40).draw(0)
    A, B = fetch(Dataset("d", domain, domain, "0" * 64, {}), draw)
    assert A.shape == B.shape == (40, 16, 16, 3)
    for place in range(40):
        top, left = draw.A.tops[place], draw.A.lefts[place]
        crop = pixels[draw.A.indices[place]][top : top + 16, left : left + 16]
        np.testing.assert_array_equal(A[place], crop[:, ::-1] if draw.A.flips[place] else crop)
