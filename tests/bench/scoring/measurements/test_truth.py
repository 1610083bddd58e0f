"""Masks against objects whose place is known."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.scoring.metrics.truth import (
    best_mask_iou,
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
