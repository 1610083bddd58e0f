"""Masks against objects whose place is known."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.scoring.metrics.truth import (
    BestMaskConstancy,
    background_psnr,
    best_mask_ap,
    best_mask_iou,
    foreground_ap,
    foreground_ari,
    foreground_iou,
    iou_table,
    matched_iou,
    outside,
    region_iou,
    segmentation,
)


def of_one(measure: Callable[..., torch.Tensor], labels: np.ndarray, right: np.ndarray) -> float:
    """What a measure of batches gives for one image."""
    return measure(labels.reshape(1, *right.shape), right[None]).item()


@pytest.fixture
def objects() -> np.ndarray:
    """[16, 16]: object 1 on the left quarter, object 2 on the right quarter, background between."""
    labels = np.zeros((16, 16), np.uint8)
    labels[:, :4] = 1
    labels[:, 12:] = 2
    return labels


def masks_of(labels: np.ndarray, count: int) -> torch.Tensor:
    return (
        torch.nn.functional.one_hot(torch.from_numpy(labels.astype(np.int64)), count).permute(2, 0, 1)[None]
        * 1.0
    )


def test_masks_that_are_the_objects_are_perfect(objects: np.ndarray) -> None:
    masks = masks_of(objects, 3)
    regions = segmentation(masks)
    assert foreground_iou(masks, 0, objects[None] > 0).tolist() == [1]
    assert of_one(matched_iou, regions, objects) == 1
    assert of_one(foreground_ari, regions, objects) == 1
    assert of_one(best_mask_iou, regions, objects > 0) == 0.5


def test_best_single_mask_is_perfect_when_one_mask_is_the_foreground(objects: np.ndarray) -> None:
    regions = (objects > 0).astype(np.uint8)
    assert of_one(best_mask_iou, regions, objects > 0) == 1


def test_one_region_for_everything(objects: np.ndarray) -> None:
    regions = np.zeros((16, 16), np.int64)
    # One object is matched with an IoU of a quarter, the other is left over.
    assert of_one(matched_iou, regions, objects) == pytest.approx(0.25 / 2)
    assert of_one(foreground_ari, regions, objects) == 0


def test_a_background_mask_of_one_finds_no_foreground(objects: np.ndarray) -> None:
    masks = torch.zeros(1, 3, 16, 16)
    masks[:, 0] = 1
    assert foreground_iou(masks, 0, objects[None] > 0).tolist() == [0]


def test_regions_that_cut_both_objects_alike_are_at_chance(objects: np.ndarray) -> None:
    regions = np.zeros((16, 16), np.int64)
    regions[8:] = 1
    assert of_one(foreground_ari, regions, objects) == pytest.approx(0, abs=0.02)


@given(order=st.permutations(range(3)))
@settings(max_examples=6, deadline=None)
def test_names_of_the_masks_do_not_matter(order: list[int]) -> None:
    labels = np.zeros((16, 16), np.uint8)
    labels[2:7, 2:7] = 1
    labels[9:14, 5:15] = 2
    renamed = np.array(order)[labels]
    assert of_one(matched_iou, renamed, labels) == 1
    assert of_one(foreground_ari, renamed, labels) == 1


def test_without_objects_there_is_nothing_to_match() -> None:
    empty = np.zeros((8, 8), np.uint8)
    assert math.isnan(of_one(matched_iou, empty, empty))
    assert math.isnan(of_one(foreground_ari, empty, empty))
    assert math.isnan(region_iou(empty > 0, empty > 0))
    assert math.isnan(of_one(best_mask_iou, empty, empty > 0))


@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_the_table_of_ious_holds_the_iou_of_every_pair(seed: int) -> None:
    chance = np.random.default_rng(seed)
    labels, others = chance.integers(0, 4, (2, 8, 8))
    table = iou_table(labels, others)
    for row, column in np.ndindex(table.shape):
        expected = region_iou(labels == row, others == column)
        assert table[row, column] == pytest.approx(0 if math.isnan(expected) else expected)


def test_one_object_cannot_be_confused_with_another() -> None:
    labels = np.zeros((8, 8), np.uint8)
    labels[2:4] = 1
    assert math.isnan(of_one(foreground_ari, labels, labels))
    assert of_one(matched_iou, labels, labels) == 1


def test_the_background_keeps_three_pixels_away_from_the_foreground() -> None:
    foreground = np.zeros((1, 16, 16), np.bool_)
    foreground[0, 8, 8] = True
    background = outside(foreground)
    assert not background[0, 5:12, 5:12].any()
    assert (~background).sum() == 49


@settings(deadline=None)
@given(scale=st.floats(0.01, 0.4), seed=st.integers(0, 2**16))
def test_average_precision_asks_for_order_and_not_for_a_threshold(scale: float, seed: int) -> None:
    right = np.random.default_rng(seed).random((1, 8, 8)) < 0.3
    right[0, 0, 0] = True
    faint = torch.from_numpy(right * scale)  # nowhere the largest mask
    masks = torch.stack([1 - faint, faint], dim=1)
    assert foreground_ap(masks, 0, right).item() == pytest.approx(1)
    assert best_mask_ap(masks, right).item() == pytest.approx(1)
    assert foreground_iou(masks, 0, right).item() == 0


def test_masks_that_say_the_same_everywhere_have_the_precision_of_chance(objects: np.ndarray) -> None:
    masks = torch.full((1, 5, 16, 16), 0.2)
    foreground = objects[None] > 0
    assert foreground_ap(masks, 4, foreground).item() == pytest.approx(foreground.mean())
    assert best_mask_ap(masks, foreground).item() == pytest.approx(foreground.mean())


def test_without_a_foreground_there_is_no_average_precision() -> None:
    nothing = np.zeros((1, 16, 16), dtype=bool)
    assert math.isnan(best_mask_ap(torch.rand(1, 3, 16, 16), nothing).item())


def test_a_slot_that_is_always_the_best_is_constant_whatever_the_batches(objects: np.ndarray) -> None:
    foreground = objects > 0
    ordered, exchanged = (foreground * 1).astype(np.uint8), (~foreground * 1).astype(np.uint8)
    same, other = BestMaskConstancy(), BestMaskConstancy()
    same.add(np.stack([ordered, ordered]), np.stack([foreground, foreground]))
    same.add(ordered[None], foreground[None])
    assert same.value() == 1
    for regions in (ordered, exchanged, ordered, exchanged):
        other.add(regions[None], foreground[None])
    assert other.value() == 0.5
    assert BestMaskConstancy().value() is None


def test_the_background_of_a_photograph_is_held_against_the_photograph() -> None:
    source = torch.rand(1, 3, 16, 16) * 255
    output, counterfactual = source.clone(), torch.rand(1, 3, 16, 16) * 255
    output[..., :4] = 0
    surroundings = torch.ones(1, 16, 16, dtype=torch.bool)
    surroundings[..., :4] = False
    assert background_psnr(output, source, surroundings).item() > 58
    assert background_psnr(output, source, surroundings, counterfactual).item() < 20
