"""Grid artefacts: blocky grids by phase, checkerboards and smooth grids by spectrum."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bench.scoring.metrics.grids import PERIODS, phase_contrast, residual, spectral_peak


def blocks(period: int, size: int = 256) -> Tensor:
    """[1, 1, size, size]: squares of `period` pixels, each of one random value."""
    values = torch.rand(1, 1, size // period, size // period, generator=torch.Generator().manual_seed(3))
    return 40 * values.repeat_interleave(period, dim=2).repeat_interleave(period, dim=3)


def checkerboard(period: int, size: int = 256) -> Tensor:
    """[1, 1, size, size]: squares of half a period, alternately -5 and 5."""
    place = torch.arange(size) // (period // 2)
    return 10.0 * ((place[:, None] + place[None]) % 2)[None, None] - 5


def white_noise(size: int = 256) -> Tensor:
    return 10 * torch.randn(8, 1, size, size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("period", PERIODS)
def test_a_blocky_grid_is_over_a_thousand_at_its_period(period: int) -> None:
    assert phase_contrast(blocks(period), period).item() > 1000


@pytest.mark.parametrize("period", [2, 4, 8])
def test_at_twice_its_period_a_blocky_grid_has_two_phases_of_equal_steepness(period: int) -> None:
    """One of two equal phases over the mean of all others: 2 * period - 1, up to the chance of the blocks."""
    assert phase_contrast(blocks(period), 2 * period).item() == pytest.approx(2 * period - 1, rel=0.2)


@pytest.mark.parametrize("period", PERIODS)
def test_noise_has_no_preferred_phase(period: int) -> None:
    assert phase_contrast(white_noise(), period).max() < 1.05


@pytest.mark.parametrize("period", PERIODS)
def test_a_smooth_picture_has_no_preferred_phase(period: int, scene: Tensor) -> None:
    assert phase_contrast(residual(scene, scene.flip(0)), period).max() < 1.35


@given(shift=st.integers(0, 15), period=st.sampled_from(PERIODS))
@settings(max_examples=20, deadline=None)
def test_the_position_of_a_grid_does_not_matter(shift: int, period: int) -> None:
    assert phase_contrast(blocks(period, 64).roll(shift, dims=3), period).item() > 1000


@pytest.mark.parametrize("period", [2, 4, 8, 16])
def test_a_checkerboard_stands_25_decibels_over_its_ring(period: int) -> None:
    noisy = checkerboard(period) + white_noise()[:1]
    assert spectral_peak(noisy).item() > 25
    assert spectral_peak(white_noise()).max() < 10


def test_a_checkerboard_of_period_4_is_seen_on_a_photograph_and_the_photograph_is_not(scene: Tensor) -> None:
    output = 0.7 * scene + 30
    board = checkerboard(4, 128).expand(2, 3, -1, -1)
    assert spectral_peak(residual(scene, output + board)).min() > 25
    assert spectral_peak(residual(scene, output)).max() < 15


def test_a_smooth_grid_shows_in_the_spectrum_of_masks_and_not_in_their_phases() -> None:
    place = 2 * math.pi * torch.arange(256) / 16
    wave = 0.3 * place.sin()[:, None] * place.cos()[None]
    masks = torch.stack([0.5 + wave, 0.5 - wave])[None] * 255
    assert spectral_peak(masks).item() > 25
    assert phase_contrast(masks, 4).item() < 1.2


def test_a_copy_of_the_input_has_no_grid(scene: Tensor) -> None:
    zero = residual(scene, scene)
    assert phase_contrast(zero, 4).tolist() == [1, 1]
    assert spectral_peak(zero).abs().max() < 1e-6


@given(factor=st.floats(0.5, 20))
@settings(max_examples=10, deadline=None)
def test_strength_of_contrast_does_not_matter(factor: float) -> None:
    noise = white_noise(64)
    assert torch.allclose(spectral_peak(factor * noise), spectral_peak(noise), atol=0.01)
    assert torch.allclose(phase_contrast(factor * noise, 8), phase_contrast(noise, 8), rtol=1e-3)


def test_small_images_have_no_value() -> None:
    assert spectral_peak(torch.zeros(2, 1, 32, 32)).isnan().all()
    assert phase_contrast(torch.zeros(2, 1, 16, 16), 16).isnan().all()


def test_a_period_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="2 pixels or more, not 1"):
        phase_contrast(torch.zeros(1, 1, 16, 16), 1)


def test_planes_without_an_axis_of_masks_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        spectral_peak(torch.zeros(1, 64, 64))
