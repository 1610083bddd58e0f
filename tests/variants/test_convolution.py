"""Winograd's convolution: the same as torch's, forwards and back, whatever the sizes."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from variants.parts.convolution import (
    WinogradConvolution,
    convolve,
    correlate,
    correlate_back,
    filters_kept,
    minimal_filtering,
    winograd_pays,
)

CLOSE = 1e-4
"""Largest error allowed, relative to the deviation of the right result; 5e-5 is seen with 256 channels."""


def case(batch: int, channels: int, outputs: int, height: int, width: int, kernel: int):
    chance = torch.Generator().manual_seed(0)
    image = torch.randn(batch, channels, height, width, generator=chance)
    weight = torch.randn(outputs, channels, kernel, kernel, generator=chance)
    return image.requires_grad_(), (weight / kernel / channels**0.5).requires_grad_()


def error(found: torch.Tensor, right: torch.Tensor) -> float:
    return float((found - right).detach().abs().max() / right.detach().square().mean().sqrt())


@pytest.mark.parametrize(("outputs", "weights"), [(4, 5), (4, 3), (2, 3), (5, 4), (3, 2)])
def test_minimal_filtering_is_correlation(outputs, weights):
    output, of_weights, of_input = minimal_filtering(outputs, weights)
    chance = torch.Generator().manual_seed(0)
    data = torch.randn(outputs + weights - 1, generator=chance, dtype=torch.float64)
    taps = torch.randn(weights, generator=chance, dtype=torch.float64)
    expected = torch.stack([data[i : i + weights] @ taps for i in range(outputs)])
    torch.testing.assert_close(output @ ((of_weights @ taps) * (of_input @ data)), expected)


def test_sizes_without_chosen_points_are_refused():
    with pytest.raises(ValueError, match=r"F\(8, 5\): no 11 points"):
        minimal_filtering(8, 5)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(5, 19), st.integers(5, 19),
    st.sampled_from([(3, 0), (3, 1), (5, 0), (5, 2)]),
)  # fmt: skip
def test_any_sizes_give_torchs_convolution_and_gradients(batch, channels, outputs, height, width, layer):
    kernel, border = layer
    image, weight = case(batch, channels, outputs, height, width, kernel)
    found = WinogradConvolution.apply(image, weight, border)
    right = F.conv2d(image.double(), weight.double(), padding=border)
    gradient = torch.randn(right.shape, generator=torch.Generator().manual_seed(1))
    of_found = torch.autograd.grad(found, (image, weight), gradient)
    of_right = torch.autograd.grad(right, (image, weight), gradient.double())
    for ours, theirs in zip((found, *of_found), (right, *of_right), strict=True):
        assert ours.shape == theirs.shape
        assert error(ours, theirs) < CLOSE


@pytest.mark.parametrize(("kernel", "border", "channels", "size"), [(5, 2, 64, 48), (3, 0, 256, 34)])
def test_the_sizes_it_is_meant_for(kernel, border, channels, size):
    image, weight = case(2, channels, channels, size, size, kernel)
    assert winograd_pays(image, weight)
    bias = torch.randn(channels, generator=torch.Generator().manual_seed(2))
    found = convolve(image, weight, bias, border)
    assert error(found, F.conv2d(image.double(), weight.double(), bias.double(), padding=border)) < CLOSE


def test_the_gradient_may_come_in_any_layout():
    image, weight = case(1, 64, 64, 16, 16, 5)
    gradient = torch.randn(1, 64, 16, 16)
    plain = torch.autograd.grad(convolve(image, weight, None, 2), (image, weight), gradient)
    last = gradient.contiguous(memory_format=torch.channels_last)
    other = torch.autograd.grad(convolve(image, weight, None, 2), (image, weight), last)
    for one, another in zip(plain, other, strict=True):
        torch.testing.assert_close(one, another)


def test_under_bf16_sums_are_in_fp32(monkeypatch):
    monkeypatch.setattr("variants.parts.convolution.multiplies_matrices_in_bf16", lambda: False)
    image, weight = case(1, 256, 256, 16, 16, 5)
    rough = image.detach().bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = convolve(rough, weight, None, 2)
    assert found.dtype == torch.bfloat16
    exact = F.conv2d(rough.double(), weight.double(), padding=2)
    assert error(found.double(), exact.bfloat16().double()) < 2**-5  # a step of bf16 near the largest values


@pytest.mark.parametrize("matrix_units", [True, False])
def test_in_bf16_it_serves_processors_without_matrix_units_for_it(matrix_units, monkeypatch):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"amx_bf16": matrix_units}, raising=False)
    image, weight = case(1, 256, 256, 8, 8, 5)
    assert winograd_pays(image, weight)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert winograd_pays(image, weight) == (not matrix_units)


def test_tiles_are_kept_for_the_way_back_where_they_are_few():
    for size, few in ((16, True), (64, False)):
        image, weight = (each.detach() for each in case(1, 8, 8, size, size, 3))
        result, kept = correlate(image, weight, 1)
        assert (kept is not None) == few
        gradient = torch.randn(result.shape, generator=torch.Generator().manual_seed(1))
        anew = correlate_back(image, weight, 1, gradient)
        for ours, theirs in zip(correlate_back(image, weight, 1, gradient, kept), anew, strict=True):
            assert torch.equal(ours, theirs)


def test_it_serves_neither_float64_nor_few_channels_nor_other_kernels():
    for dtype, channels, kernel in [(torch.float64, 256, 5), (torch.float32, 16, 5), (torch.float32, 256, 7)]:
        image, weight = (each.to(dtype) for each in case(1, channels, channels, 8, 8, kernel))
        assert not winograd_pays(image, weight)
        torch.testing.assert_close(convolve(image, weight, None, 1), F.conv2d(image, weight, padding=1))


def test_one_image_at_a_time_gives_what_a_batch_gives():
    image, weight = case(3, 64, 64, 20, 24, 5)
    whole = convolve(image, weight, None, 2)
    for each, alone in itertools.zip_longest(whole, image):
        torch.testing.assert_close(convolve(alone[None], weight, None, 2)[0], each, rtol=1e-4, atol=1e-4)


def test_kept_filters_change_nothing_and_never_outlive_a_change_of_the_weights():
    image, weight = case(1, 64, 64, 16, 16, 5)
    with filters_kept():
        first = convolve(image, weight, None, 2)
        again = convolve(image, weight, None, 2)
        with torch.no_grad():
            weight.mul_(2)
        doubled = convolve(image, weight, None, 2)
    assert torch.equal(first, again)
    assert torch.equal(doubled, 2 * first)
    assert torch.equal(doubled, convolve(image, weight, None, 2))
