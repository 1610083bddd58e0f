"""Images to tensors and back."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.data.tensors import quantise, to_tensor
from bench.errors import BenchError


def test_every_value_survives_the_way_to_a_tensor_and_back():
    values = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    np.testing.assert_array_equal(quantise(to_tensor(values)), values)


def test_the_ends_of_the_range_are_minus_one_and_one():
    tensor = to_tensor(np.array([[[[0, 255, 51]]]], dtype=np.uint8))
    assert tensor.shape == (1, 3, 1, 1)
    assert tensor.dtype == torch.float32
    torch.testing.assert_close(tensor.flatten(), torch.tensor([-1.0, 1.0, -0.6]))


def test_a_tensor_owns_its_memory():
    pixels = np.zeros((1, 2, 2, 3), dtype=np.uint8)
    pixels.flags.writeable = False
    to_tensor(pixels).add_(1)
    assert not pixels.any()


@given(st.integers(0, 2**31))
def test_quantising_equals_writing_a_png_and_reading_it(seed):
    image = torch.empty(1, 3, 8, 8).uniform_(-1.5, 1.5, generator=torch.Generator().manual_seed(seed))
    quantised = quantise(image)
    file = io.BytesIO()
    Image.fromarray(quantised[0]).save(file, "png")
    np.testing.assert_array_equal(np.asarray(Image.open(file)), quantised[0])
    assert np.abs(quantised / 127.5 - 1 - image.clamp(-1, 1).permute(0, 2, 3, 1).numpy()).max() <= 0.5 / 127.4


def test_rounding_is_to_the_nearest_value():
    values = torch.tensor([0.6, 1.4, 254.6]).div(127.5).sub(1).reshape(1, 3, 1, 1)
    assert quantise(values).flatten().tolist() == [1, 1, 255]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_are_refused_and_counted(bad):
    image = torch.zeros(1, 3, 2, 2)
    image[0, 0, 0] = bad
    with pytest.raises(BenchError, match=r"2 of 12 values .* not finite"):
        quantise(image)
