"""Random streams: pure functions of seed, name and counter; streams do not disturb one another."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.streams import STREAMS, Streams

seeds = st.integers(min_value=0, max_value=2**31)
steps = st.integers(min_value=0, max_value=10**6)


@given(seed=seeds, step=steps, stream=st.sampled_from(STREAMS))
def test_the_same_draw_gives_the_same_numbers(seed: int, step: int, stream: str) -> None:
    first = Streams(seed).numpy(stream, step).integers(0, 2**31, 8)
    second = Streams(seed).numpy(stream, step).integers(0, 2**31, 8)
    assert (first == second).all()


@given(seed=seeds, step=steps)
def test_streams_seeds_and_counters_differ(seed: int, step: int) -> None:
    keys = {Streams(seed).key(stream, step) for stream in STREAMS}
    keys |= {Streams(seed + 1).key("data-order", step), Streams(seed).key("data-order", step + 1)}
    assert len(keys) == len(STREAMS) + 2


def test_a_draw_from_one_stream_shifts_nothing_in_another() -> None:
    streams = Streams(0)
    alone = streams.numpy("data-order", 5).random(4)
    streams.numpy("slot-noise", 5).random(1000)
    assert (streams.numpy("data-order", 5).random(4) == alone).all()


def test_torch_draws_repeat() -> None:
    import torch

    first = torch.randn(16, generator=Streams(3).torch("slot-noise", 1, "fake_B"))
    assert torch.equal(first, torch.randn(16, generator=Streams(3).torch("slot-noise", 1, "fake_B")))
    assert not torch.equal(first, torch.randn(16, generator=Streams(3).torch("slot-noise", 1, "fake_A")))


def test_an_unknown_stream_is_refused() -> None:
    with pytest.raises(ValueError, match="'weather' is not a random stream; there are: initial-weights"):
        Streams(0).key("weather")


def test_the_noise_of_an_image_follows_from_its_name_and_not_from_its_company() -> None:
    streams = Streams(3)
    together = streams.image_noise((2, 4), "A2B", ["a.png", "b.png"])
    assert together.shape == (2, 2, 4)
    assert torch.equal(streams.image_noise((2, 4), "A2B", ["b.png"])[0], together[1])
    assert not torch.equal(streams.image_noise((2, 4), "A2B", ["a.png"], draw=1)[0], together[0])
    assert not torch.equal(streams.image_noise((2, 4), "B2A", ["a.png"])[0], together[0])
