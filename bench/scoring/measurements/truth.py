"""Measurements that need the right answer: masks against objects, output against the true counterfactual."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score
from torch import Tensor

DILATION = 3
"""Pixels around the foreground that count as neither: masks and antialiasing are soft there."""

Labels = NDArray[np.integer]
Region = NDArray[np.bool_]


def outside(foreground: Region) -> Region:
    """The background [b, h, w]: all that is more than three pixels away from the foreground [b, h, w]."""
    window = (1, 2 * DILATION + 1, 2 * DILATION + 1)
    grown = maximum_filter(foreground.astype(np.uint8), size=window, mode="constant")
    return np.asarray(grown == 0)


def segmentation(masks: Tensor) -> NDArray[np.uint8]:
    """The index of the largest mask at every pixel, [b, h, w]; of equal masks the first."""
    return masks.cpu().numpy().argmax(axis=1).astype(np.uint8)


def iou_table(labels: Labels, others: Labels) -> NDArray[np.float64]:
    """IoU of every label of [h, w] with every label of another [h, w]: a table [labels, others].

    Labels are counted from 0 to the largest present; a pair of absent ones is 0.
    """
    rows, columns = int(labels.max()) + 1, int(others.max()) + 1
    pairs = labels.ravel().astype(np.int64) * columns + others.ravel()
    both = np.bincount(pairs, minlength=rows * columns).reshape(rows, columns)
    union = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
    return both / np.maximum(union, 1)


def region_iou(region: Region, other: Region) -> float:
    """Intersection over union of two regions [h, w]: 0 to 1, higher is better; NaN where both are empty."""
    union = int((region | other).sum())
    return int((region & other).sum()) / union if union else math.nan


def foreground_iou(masks: Tensor, background: int, foreground: NDArray[np.bool_]) -> NDArray[np.float64]:
    """IoU of (1 - mask of the input image >= 1/2) and the foreground [b, h, w]: [b], 0 to 1."""
    changed = (masks[:, background] <= 0.5).cpu().numpy()
    return np.array([region_iou(*pair) for pair in zip(changed, foreground, strict=True)])


def best_mask_iou(regions: Labels, foreground: Region) -> float:
    """Largest IoU of the region of a single mask and the foreground: 0 to 1, higher is better.

    regions [h, w] from `segmentation`, foreground [h, w]. Chosen with the answer at hand: an upper bound that
    tells whether any one mask has found the foreground. NaN where there is no foreground.
    """
    return (
        float(iou_table(regions, foreground.astype(np.uint8))[:, 1].max()) if foreground.any() else math.nan
    )


def matched_iou(regions: Labels, objects: Labels) -> float:
    """Mean IoU of the objects with the regions matched to them one to one: 0 to 1, higher is better.

    regions [h, w] mask indices, objects [h, w] with 0 for background. The matching maximises the sum
    (Hungarian, scipy); an object left without a region counts 0. NaN where there is no object.
    """
    labels = np.unique(objects)
    labels = labels[labels > 0]
    if not len(labels):
        return math.nan
    table = iou_table(objects, regions)[labels]
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(table[rows, columns].sum() / len(labels))


def foreground_ari(regions: Labels, objects: Labels) -> float:
    """Adjusted Rand index of regions and objects [h, w] over the pixels of objects: up to 1, 0 by chance.

    FG-ARI of the object-discovery literature (Greff et al. 2019; Locatello et al. 2020), by scikit-learn. It
    does not punish regions that reach into the background. NaN with fewer than two objects, where there is
    nothing to tell apart.
    """
    inside = objects > 0
    if len(np.unique(objects[inside])) < 2:
        return math.nan
    return float(adjusted_rand_score(objects[inside], regions[inside]))
