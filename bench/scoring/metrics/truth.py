"""Measurements that need the right answer: masks against objects, output against the true counterfactual."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, average_precision_score
from torch import Tensor

from bench.scoring.metric import LEVELS, metric
from bench.scoring.metrics.change import mean_change
from bench.scoring.metrics.lines import edge_correlation
from bench.scoring.metrics.similarity import WINDOW, psnr, ssim

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


@metric(
    "counterfactual_l1",
    title="Distance to the counterfactual, L1",
    short_title="L1 to truth",
    unit=LEVELS,
    better="lower",
    table="truth",
    formula="mean of |output - true counterfactual|",
    bounds=(0, 255),
)
def counterfactual_l1(output: Tensor, counterfactual: Tensor) -> Tensor:
    """Mean absolute difference from the right translation, images [b, 3, h, w] in levels: [b]."""
    return mean_change(output, counterfactual)


@metric(
    "counterfactual_psnr",
    title="Distance to the counterfactual, PSNR",
    short_title="PSNR to truth",
    unit="dB",
    better="higher",
    table="truth",
    formula="10 log10(255^2 / max(mean square error, 1/12)): at most 58.9",
    bounds=(0, 59),
)
def counterfactual_psnr(output: Tensor, counterfactual: Tensor) -> Tensor:
    """PSNR to the right translation, images [b, 3, h, w] in levels: [b]."""
    return psnr(output, counterfactual)


@metric(
    "counterfactual_ssim",
    title="Distance to the counterfactual, SSIM",
    short_title="SSIM to truth",
    unit="1",
    better="higher",
    table="truth",
    formula="SSIM of the luma of output and true counterfactual",
    source="Wang et al. 2004",
    when=f"the image is smaller than {WINDOW} pixels",
    bounds=(-1, 1),
)
def counterfactual_ssim(output: Tensor, counterfactual: Tensor) -> Tensor:
    """SSIM to the right translation, images [b, 3, h, w] in levels: [b]."""
    return ssim(output, counterfactual)


@metric(
    "background_psnr",
    title="Background PSNR",
    short_title="background PSNR",
    unit="dB",
    better="higher",
    table="truth",
    formula="PSNR to the counterfactual, of photographs to the source, more than 3 pixels outside the "
    "foreground: at most 58.9",
    when="the foreground fills the image",
    bounds=(0, 59),
)
def background_psnr(
    output: Tensor, source: Tensor, surroundings: Tensor, counterfactual: Tensor | None = None
) -> Tensor:
    """PSNR to what is right away from the foreground, images [b, 3, h, w] in levels: [b]."""
    return psnr(output, source if counterfactual is None else counterfactual, surroundings)


@metric(
    "edge_correlation_background",
    title="Edge correlation of the background",
    short_title="background edges",
    unit="1",
    better="higher",
    table="truth",
    formula="edge correlation more than 3 pixels outside the foreground",
    source="as edge_correlation",
    when="the foreground fills the image, or the background is flat",
    bounds=(-1, 1),
)
def edge_correlation_background(source: Tensor, output: Tensor, surroundings: Tensor) -> Tensor:
    """Whether lines away from the foreground are kept, images [b, 3, h, w] in levels: [b]."""
    return edge_correlation(source, output, surroundings)


@metric(
    "foreground_iou",
    title="Foreground IoU",
    short_title="foreground IoU",
    unit="1",
    better="higher",
    table="truth",
    formula="intersection over union of (1 - background mask >= 1/2) and the foreground",
    source="Jaccard 1901",
    bounds=(0, 1),
)
def foreground_iou(masks: Tensor, background: int, foreground: NDArray[np.bool_]) -> Tensor:
    """IoU of (1 - mask of the input image >= 1/2) and the foreground [b, h, w]: [b], 0 to 1."""
    changed = (masks[:, background] <= 0.5).cpu().numpy()
    return torch.tensor([region_iou(*pair) for pair in zip(changed, foreground, strict=True)])


@metric(
    "best_mask_iou",
    title="Best single mask's IoU",
    short_title="best mask IoU",
    unit="1",
    better="higher",
    table="truth",
    formula="largest IoU of the region of one mask (the pixels where it is the largest) and the foreground",
    source="Jaccard 1901",
    bounds=(0, 1),
)
def best_mask_iou(regions: Labels, foreground: NDArray[np.bool_]) -> Tensor:
    """Largest IoU of the region of a single mask and the foreground, both [b, h, w]: [b], 0 to 1.

    Chosen with the answer at hand: an upper bound that tells whether any one mask has found the foreground.
    NaN where there is no foreground.
    """
    return torch.tensor([_best_iou(*pair) for pair in zip(regions, foreground, strict=True)])


def iou_of_best_mask(masks: Tensor, foreground: NDArray[np.bool_]) -> Tensor:
    """`best_mask_iou` of masks [b, k, h, w] themselves."""
    return best_mask_iou(segmentation(masks), foreground)


def _best_iou(regions: Labels, foreground: Region) -> float:
    if not foreground.any():
        return math.nan
    return float(iou_table(regions, foreground.astype(np.uint8))[:, 1].max())


@metric(
    "foreground_ap",
    title="Average precision of the foreground mask",
    short_title="foreground AP",
    unit="1",
    better="higher",
    table="truth",
    formula="area under precision over recall of 1 - background mask against the foreground, over all "
    "thresholds; for masks that say the same everywhere the share of the foreground",
    source="Everingham et al. 2010, without interpolation",
    bounds=(0, 1),
)
def foreground_ap(masks: Tensor, background: int, foreground: NDArray[np.bool_]) -> Tensor:
    """Average precision of 1 - mask of the input image [b, k, h, w] for the foreground [b, h, w]: [b]."""
    changed = 1 - masks[:, background].cpu().numpy()
    return torch.tensor([_average_precision(*pair) for pair in zip(changed, foreground, strict=True)])


@metric(
    "best_mask_ap",
    title="Best single mask's average precision",
    short_title="best mask AP",
    unit="1",
    better="higher",
    table="truth",
    formula="largest average precision of one mask for the foreground, over all thresholds",
    source="Everingham et al. 2010, without interpolation",
    bounds=(0, 1),
)
def best_mask_ap(masks: Tensor, foreground: NDArray[np.bool_]) -> Tensor:
    """Largest average precision of one of the masks [b, k, h, w] for the foreground [b, h, w]: [b].

    As `best_mask_iou` chosen with the answer at hand, and without its threshold: a mask need not be larger
    than the others where the foreground is, only larger there than elsewhere.
    """
    return torch.tensor(
        [
            max(_average_precision(mask, region) for mask in each)
            for each, region in zip(masks.cpu().numpy(), foreground, strict=True)
        ]
    )


def _average_precision(weights: NDArray[np.floating], region: Region) -> float:
    if not region.any():
        return math.nan
    return float(average_precision_score(region.ravel(), weights.ravel()))


@metric(
    "best_mask_constancy",
    title="Constancy of the best mask",
    short_title="same slot",
    unit="share",
    better="higher",
    table="truth",
    formula="share of images whose best mask, by IoU with the foreground, is the one that is best most often",
    when="no image has a foreground",
    bounds=(0, 1),
)
class BestMaskConstancy:
    """Whether the same slot finds the foreground from image to image, over a whole split.

    Near 1 the masks have meanings: content k is always the foreground's. By chance 1/k or a little more.
    """

    def __init__(self) -> None:
        self._best: list[int] = []

    def add(self, regions: Labels, foreground: NDArray[np.bool_]) -> None:
        """Take in the regions and foregrounds [b, h, w] of some more images."""
        for region, wanted in zip(regions, foreground, strict=True):
            if wanted.any():
                self._best.append(int(iou_table(region, wanted.astype(np.uint8))[:, 1].argmax()))

    def value(self) -> float | None:
        """The share, 0 to 1; None where no image has a foreground."""
        return float(np.bincount(self._best).max() / len(self._best)) if self._best else None


@metric(
    "matched_iou",
    title="Matched mean IoU",
    short_title="matched IoU",
    unit="1",
    better="higher",
    table="truth",
    formula="mean IoU of the objects with the regions matched to them one to one; unmatched objects count 0",
    source="Kuhn 1955 (Hungarian matching)",
    bounds=(0, 1),
)
def matched_iou(regions: Labels, objects: Labels) -> Tensor:
    """Mean IoU of the objects with the regions matched to them one to one, both [b, h, w]: [b], 0 to 1.

    Regions are mask indices, objects have 0 for background. The matching maximises the sum (Hungarian,
    scipy); an object left without a region counts 0. NaN where there is no object.
    """
    return torch.tensor([_matched_iou(*pair) for pair in zip(regions, objects, strict=True)])


def _matched_iou(regions: Labels, objects: Labels) -> float:
    labels = np.unique(objects)
    labels = labels[labels > 0]
    if not len(labels):
        return math.nan
    table = iou_table(objects, regions)[labels]
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(table[rows, columns].sum() / len(labels))


@metric(
    "foreground_ari",
    title="FG-ARI",
    unit="1",
    better="higher",
    table="truth",
    formula="adjusted Rand index of regions and objects over the pixels of objects; 0 by chance",
    source="Greff et al. 2019; Hubert and Arabie 1985",
    when="the image has fewer than 2 objects",
    bounds=(-1, 1),
)
def foreground_ari(regions: Labels, objects: Labels) -> Tensor:
    """Adjusted Rand index of regions and objects [b, h, w] over the pixels of objects: [b], 0 by chance.

    FG-ARI of the object-discovery literature (Greff et al. 2019; Locatello et al. 2020), by scikit-learn. It
    does not punish regions that reach into the background. NaN with fewer than two objects, where there is
    nothing to tell apart.
    """
    return torch.tensor([_ari_of_objects(*pair) for pair in zip(regions, objects, strict=True)])


def _ari_of_objects(regions: Labels, objects: Labels) -> float:
    inside = objects > 0
    if len(np.unique(objects[inside])) < 2:
        return math.nan
    return float(adjusted_rand_score(objects[inside], regions[inside]))
