"""Colourfulness and noise on pictures whose value is known."""

import math

import pytest
import torch
from torch import Tensor

from bench.scoring.metrics.colour import LUMA, colourfulness, levels, luma, noise_deviation


def test_a_grey_picture_has_no_colourfulness(scene: Tensor) -> None:
    grey = scene.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    assert colourfulness(grey).abs().max() < 1e-4


def test_a_flat_red_picture_has_the_closed_form_colourfulness() -> None:
    red = torch.tensor([255.0, 0.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    # rg = 255 and yb = 127.5 everywhere: only the mean term is left.
    assert colourfulness(red).item() == pytest.approx(0.3 * math.hypot(255, 127.5), rel=1e-6)


def test_a_saturated_picture_is_more_colourful_than_its_pale_copy(scene: Tensor) -> None:
    grey = scene.mean(dim=1, keepdim=True)
    pale = grey + 0.5 * (scene - grey)
    assert torch.allclose(colourfulness(pale), 0.5 * colourfulness(scene), rtol=1e-4)


def test_colourfulness_equals_an_independent_formula(scene: Tensor) -> None:
    red, green, blue = scene[0].numpy()
    first, second = red - green, 0.5 * (red + green) - blue
    expected = math.hypot(first.std(), second.std()) + 0.3 * math.hypot(first.mean(), second.mean())
    assert colourfulness(scene)[0].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("sigma", [2.0, 5.0, 15.0])
def test_added_gaussian_noise_is_measured_at_its_deviation(sigma: float, generator: torch.Generator) -> None:
    rows = torch.linspace(40, 200, 256)
    smooth = (rows[:, None] / 2 + rows[None] / 2).expand(4, 3, 256, 256)
    noise = sigma * torch.randn(4, 1, 256, 256, generator=generator)
    assert noise_deviation(smooth + noise).numpy() == pytest.approx(sigma, rel=0.03)


def test_noise_of_each_channel_is_measured_in_luma(generator: torch.Generator) -> None:
    noise = 127 + 10 * torch.randn(2, 3, 256, 256, generator=generator)
    expected = 10 * math.sqrt(sum(weight**2 for weight in LUMA))
    assert noise_deviation(noise).numpy() == pytest.approx(expected, rel=0.03)


def test_a_linear_ramp_is_free_of_noise() -> None:
    ramp = torch.arange(64.0).expand(1, 3, 64, 64)
    assert noise_deviation(ramp).item() < 1e-4


def test_levels_are_the_pixels_themselves() -> None:
    pixels = torch.randint(0, 256, (2, 8, 8, 3), dtype=torch.uint8).numpy()
    assert torch.equal(levels(pixels).permute(0, 2, 3, 1), torch.from_numpy(pixels).float())


def test_images_of_a_wrong_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \[2, 16, 16\]; expected \[b, 3, h, w\]"):
        luma(torch.zeros(2, 16, 16))


def test_images_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        colourfulness(torch.full((1, 3, 8, 8), torch.nan))
