"""Mask statistics, attention effect: uniform, one-hot, fixed grids, unnormalised masks."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bench.scoring.metrics.attention import with_other_masks, without_space
from bench.scoring.metrics.masks import InputDependence, mask_binarity, mask_overlap, mask_sum_error
from variants.contract import compose
from variants.parts import masks as mask_statistics


def uniform(count: int = 5) -> Tensor:
    return torch.full((2, count, 16, 16), 1 / count)


def one_hot(count: int = 4) -> Tensor:
    """[2, 4, 16, 16]: four vertical strips, each of one mask."""
    strip = torch.arange(16) // (16 // count)
    return torch.nn.functional.one_hot(strip, count).T[None, :, None, :].expand(2, -1, 16, -1).float()


def softmax_masks(seed: int, count: int = 4, images: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(images, count, 16, 16, generator=generator).mul(2).softmax(dim=1)


def test_uniform_masks() -> None:
    masks = uniform(5)
    assert mask_statistics.mask_entropy(masks).tolist() == pytest.approx([1, 1])
    assert mask_statistics.mask_effective_number(masks).tolist() == pytest.approx([5, 5])
    assert mask_statistics.mask_spatial_deviation(masks).tolist() == pytest.approx([0, 0], abs=1e-7)
    assert mask_statistics.mask_background(masks, 4).tolist() == pytest.approx([0.2, 0.2])
    assert mask_overlap(masks).tolist() == pytest.approx([1, 1], abs=1e-5)
    assert mask_binarity(masks).tolist() == pytest.approx([0.2, 0.2])
    assert mask_sum_error(masks).tolist() == pytest.approx([0, 0], abs=1e-6)


def test_one_hot_masks() -> None:
    masks = one_hot(4)
    assert mask_statistics.mask_entropy(masks).tolist() == [0, 0]
    assert mask_statistics.mask_effective_number(masks).tolist() == pytest.approx([4, 4])
    assert mask_statistics.mask_coverage(masks)[0].tolist() == pytest.approx([0.25] * 4)
    assert mask_statistics.mask_spatial_deviation(masks).tolist() == pytest.approx([math.sqrt(3) / 4] * 2)
    assert mask_overlap(masks).tolist() == [0, 0]
    assert mask_binarity(masks).tolist() == [1, 1]


def test_one_mask_that_covers_all_is_one_effective_mask() -> None:
    masks = torch.zeros(1, 9, 8, 8)
    masks[:, 3] = 1
    assert mask_statistics.mask_effective_number(masks).item() == pytest.approx(1)


def test_a_single_mask_has_no_overlap_and_no_entropy() -> None:
    assert mask_overlap(torch.ones(1, 1, 8, 8)).isnan().all()
    assert mask_statistics.mask_entropy(torch.full((1, 1, 8, 8), 0.3)).item() == 0


def test_unnormalised_masks_are_compared_by_their_shares_and_their_sum_is_told() -> None:
    masks = softmax_masks(0)
    assert torch.allclose(mask_statistics.mask_entropy(3 * masks), mask_statistics.mask_entropy(masks))
    assert torch.allclose(mask_binarity(3 * masks), mask_binarity(masks))
    assert mask_sum_error(3 * masks).tolist() == pytest.approx([2, 2], abs=1e-5)


def test_masks_that_are_all_zero_give_finite_statistics() -> None:
    masks = torch.zeros(1, 3, 8, 8)
    assert mask_statistics.mask_entropy(masks).item() == 0
    assert mask_binarity(masks).item() == 0
    assert mask_overlap(masks).item() == 0


@given(seed=st.integers(0, 1000), order=st.permutations(range(4)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_masks_does_not_matter(seed: int, order: list[int]) -> None:
    masks = softmax_masks(seed)
    for measure in (
        mask_statistics.mask_entropy,
        mask_statistics.mask_effective_number,
        mask_overlap,
        mask_binarity,
    ):
        assert torch.allclose(measure(masks[:, order]), measure(masks), atol=1e-5)


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_statistics_stay_in_their_ranges(seed: int) -> None:
    masks = softmax_masks(seed)
    assert (mask_statistics.mask_entropy(masks) <= 1 + 1e-6).all()
    assert (mask_statistics.mask_effective_number(masks) <= 4 + 1e-5).all()
    assert (mask_binarity(masks) >= 0.25).all()
    assert ((mask_overlap(masks) >= 0) & (mask_overlap(masks) <= 1)).all()


def test_overlap_is_the_soft_intersection_over_union_of_pairs() -> None:
    masks = softmax_masks(5, count=3, images=1)[0]
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = sum(
        float(torch.minimum(masks[i], masks[j]).sum() / torch.maximum(masks[i], masks[j]).sum())
        for i, j in pairs
    )
    assert mask_overlap(masks[None]).item() == pytest.approx(expected / 3, rel=1e-4)


def test_a_fixed_grid_of_masks_does_not_depend_on_the_input() -> None:
    grid = one_hot(4)[:1]
    dependence = InputDependence()
    dependence.add(grid.expand(6, -1, -1, -1))
    assert dependence.value() == pytest.approx(0, abs=1e-12)


def test_independent_random_masks_depend_on_the_input_alone() -> None:
    dependence = InputDependence()
    for seed in range(20):
        dependence.add(softmax_masks(seed, images=20))
    assert dependence.value() == pytest.approx(1, abs=0.01)


def test_a_grid_with_noise_depends_on_the_input_by_the_share_of_the_noise() -> None:
    grid = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(300, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    dependence = InputDependence()
    dependence.add(2 * grid + noise)
    assert dependence.value() == pytest.approx(1 / 5, rel=0.1)


def test_input_dependence_does_not_depend_on_the_batches() -> None:
    masks = softmax_masks(2, images=7)
    whole, parts = InputDependence(), InputDependence()
    whole.add(masks)
    for part in masks.split([1, 4, 2]):
        parts.add(part)
    assert parts.value() == pytest.approx(whole.value(), rel=1e-9)


def test_input_dependence_of_uniform_masks_or_one_image_is_undefined() -> None:
    flat, single = InputDependence(), InputDependence()
    flat.add(uniform())
    single.add(softmax_masks(0, images=1))
    assert flat.value() is None
    assert single.value() is None
    assert InputDependence().value() is None


def test_uniform_masks_have_no_attention_effect() -> None:
    contents = torch.rand(2, 5, 3, 16, 16)
    real = compose(contents, uniform(5))
    assert torch.allclose(without_space(contents, uniform(5)), real, atol=1e-6)
    assert torch.allclose(with_other_masks(contents, uniform(5).flip(0)), real, atol=1e-6)


def test_one_hot_masks_of_constant_contents_become_their_mean() -> None:
    contents = torch.arange(4.0).view(1, 4, 1, 1, 1).expand(2, 4, 3, 16, 16)
    assert torch.allclose(without_space(contents, one_hot(4)), torch.full((2, 3, 16, 16), 1.5))


def test_masks_of_another_image_are_used_as_they_are() -> None:
    contents = torch.arange(4.0).view(1, 4, 1, 1, 1).expand(2, 4, 3, 16, 16)
    mirrored = one_hot(4).flip(3)
    assert torch.equal(with_other_masks(contents, mirrored), compose(contents, one_hot(4)).flip(3))


def test_masks_without_a_batch_axis_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \[b, k, h, w\]"):
        mask_statistics.mask_entropy(torch.zeros(4, 16, 16))
