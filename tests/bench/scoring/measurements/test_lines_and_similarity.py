"""Edge correlation, structure, MS-SSIM, SSIM and PSNR on pictures whose value is known."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    structural_similarity_index_measure,
)

from bench.scoring.metrics.change import draw_deviation, mean_change, unchanged
from bench.scoring.metrics.colour import luma
from bench.scoring.metrics.lines import edge_correlation, sobel_magnitude
from bench.scoring.metrics.similarity import ms_ssim, psnr, scale_weights, ssim, structure

Measure = Callable[[Tensor, Tensor], Tensor]


@pytest.fixture
def texture(generator: torch.Generator) -> Tensor:
    """[2, 3, 128, 128]: squares of 4 pixels, strong contrast everywhere."""
    squares = 255 * torch.rand(2, 3, 32, 32, generator=generator)
    return squares.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


@pytest.mark.parametrize("measure", [edge_correlation, structure, ms_ssim, ssim])
def test_a_copy_of_the_input_is_perfect(measure: Measure, scene: Tensor) -> None:
    assert measure(scene, scene.clone()).numpy() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("measure", [edge_correlation, structure])
def test_brightness_and_contrast_change_no_lines(measure: Measure, texture: Tensor) -> None:
    assert measure(texture, 0.6 * texture + 40).numpy() == pytest.approx(1, abs=2e-2)


@pytest.mark.parametrize("measure", [edge_correlation, structure, ms_ssim])
def test_another_picture_has_other_lines(
    measure: Measure, texture: Tensor, generator: torch.Generator
) -> None:
    noise = 255 * torch.rand(texture.shape, generator=generator)
    assert measure(texture, noise).max() < 0.2


def test_inverted_contrast_keeps_edges_but_not_structure(texture: Tensor) -> None:
    assert edge_correlation(texture, 255 - texture).min() > 0.999
    assert structure(texture, 255 - texture).max() < -0.8


def test_edge_correlation_is_numpy_correlation_of_sobel_lengths(scene: Tensor) -> None:
    other = scene.roll(5, dims=3)
    first, second = (sobel_magnitude(luma(image)[:1])[0].flatten().numpy() for image in (scene, other))
    expected = np.corrcoef(first, second)[0, 1]
    assert edge_correlation(scene, other)[0].item() == pytest.approx(expected, abs=1e-4)


def test_edges_outside_a_region_are_judged_without_it(scene: Tensor, generator: torch.Generator) -> None:
    repainted = scene.clone()
    repainted[:, :, 40:80, 40:80] = 255 * torch.rand(2, 3, 40, 40, generator=generator)
    background = torch.ones(2, 128, 128, dtype=torch.bool)
    background[:, 38:82, 38:82] = False
    assert edge_correlation(scene, repainted).max() < 0.9
    assert edge_correlation(scene, repainted, background).numpy() == pytest.approx(1, abs=1e-5)


def test_edges_of_a_flat_picture_are_undefined(scene: Tensor) -> None:
    assert edge_correlation(scene, torch.full_like(scene, 90)).isnan().all()


def test_structure_equals_its_definition_window_by_window(generator: torch.Generator) -> None:
    first = torch.randn(1, 1, 40, 40, generator=generator) * 40 + 127
    second = 0.5 * first + 20 * torch.randn(1, 1, 40, 40, generator=generator)
    expected = _structure_by_loops(first[0, 0].double().numpy(), second[0, 0].double().numpy())
    images = (plane.expand(1, 3, 40, 40) for plane in (first, second))
    assert structure(*images).item() == pytest.approx(expected, abs=1e-4)


def _structure_by_loops(x: np.ndarray, y: np.ndarray) -> float:
    place = np.arange(11) - 5
    window = np.exp(-(place[:, None] ** 2 + place[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    constant = (0.03 * 255) ** 2 / 2
    values = []
    for row in range(x.shape[0] - 10):
        for column in range(x.shape[1] - 10):
            a, b = (plane[row : row + 11, column : column + 11] for plane in (x, y))
            a, b = a - (window * a).sum(), b - (window * b).sum()
            deviations = math.sqrt((window * a * a).sum() * (window * b * b).sum())
            values.append(((window * a * b).sum() + constant) / (deviations + constant))
    return float(np.mean(values))


@pytest.mark.parametrize("side", [64, 100, 128])
def test_ssim_and_ms_ssim_equal_torchmetrics(side: int, scene: Tensor, generator: torch.Generator) -> None:
    clean = scene[..., :side, :]
    noisy = (clean + 12 * torch.randn(clean.shape, generator=generator)).clamp(0, 255)
    planes = [luma(image)[:, None].double() for image in (noisy, clean)]
    expected = structural_similarity_index_measure(*planes, data_range=255.0, reduction="none")
    assert ssim(noisy, clean).numpy() == pytest.approx(expected.flatten().numpy(), abs=2e-5)
    expected = multiscale_structural_similarity_index_measure(
        *planes, data_range=255.0, betas=scale_weights(side), normalize="relu", reduction="none"
    )
    assert ms_ssim(noisy, clean).numpy() == pytest.approx(expected.flatten().numpy(), abs=2e-5)


def test_ms_ssim_of_five_scales_equals_torchmetrics(texture: Tensor) -> None:
    large = texture.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    changed = 0.7 * large + 0.3 * large.roll(3, dims=2) + 10
    planes = [luma(image)[:, None].double() for image in (changed, large)]
    expected = multiscale_structural_similarity_index_measure(*planes, data_range=255.0, reduction="none")
    assert ms_ssim(large, changed).numpy() == pytest.approx(expected.flatten().numpy(), abs=2e-5)


@pytest.mark.parametrize(("side", "scales"), [(8, 0), (16, 1), (64, 3), (128, 4), (176, 5), (256, 5)])
def test_ms_ssim_takes_the_scales_that_fit(side: int, scales: int) -> None:
    weights = scale_weights(side)
    assert len(weights) == scales
    assert sum(weights) == pytest.approx(1 if scales else 0)


def test_ms_ssim_works_at_64_pixels_and_is_undefined_at_8(scene: Tensor) -> None:
    assert ms_ssim(scene[..., :64, :64], scene[..., :64, :64]).numpy() == pytest.approx(1, abs=1e-5)
    assert ms_ssim(scene[..., :8, :8], scene[..., :8, :8]).isnan().all()


@pytest.mark.parametrize("difference", [1.0, 4.0, 32.0])
def test_psnr_of_a_constant_difference_is_its_closed_form(difference: float) -> None:
    image = torch.full((2, 3, 16, 16), 100.0)
    assert psnr(image + difference, image).numpy() == pytest.approx(20 * math.log10(255 / difference))


def test_psnr_of_equal_images_is_that_of_rounding() -> None:
    image = torch.full((1, 3, 16, 16), 100.0)
    assert psnr(image, image).item() == pytest.approx(10 * math.log10(255**2 * 12))


def test_psnr_inside_a_region_ignores_the_rest() -> None:
    image = torch.zeros(1, 3, 16, 16)
    other = image.clone()
    other[..., :8] = 200
    right = torch.zeros(1, 16, 16, dtype=torch.bool)
    right[..., 8:] = True
    assert psnr(other, image, right).item() == pytest.approx(psnr(image, image).item())
    assert psnr(other, image, torch.zeros_like(right)).isnan().all()


def test_a_copy_is_unchanged_and_three_levels_are_a_change(scene: Tensor) -> None:
    outputs = torch.stack([scene[0], scene[1] + 3])
    assert mean_change(scene, outputs).tolist() == pytest.approx([0, 3])
    assert unchanged(scene, outputs).tolist() == [1, 0]
    assert unchanged(scene, scene + 2).tolist() == [1, 1]


def test_spread_over_draws_is_the_deviation_over_draws(scene: Tensor) -> None:
    assert draw_deviation(torch.stack([scene, scene, scene])).abs().max() == 0
    assert draw_deviation(torch.stack([scene - 3, scene, scene + 3])).numpy() == pytest.approx(3, rel=1e-5)


def test_one_draw_has_no_spread(scene: Tensor) -> None:
    with pytest.raises(ValueError, match="r >= 2"):
        draw_deviation(scene[None])


def test_images_of_two_sizes_are_refused(scene: Tensor) -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        structure(scene, scene[..., :64, :64])
