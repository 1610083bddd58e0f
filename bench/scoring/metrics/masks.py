"""Masks: how they divide the image, whether they see it, and whether they carry a grid."""

import math

import torch
import torch.nn.functional as functional
from torch import Tensor

from bench.runs.metrics import DEAD_DEVIATION
from bench.scoring.metric import metric
from bench.scoring.metrics.grids import all_grids, grid_metrics
from variants.parts import masks as mask_statistics
from variants.parts.masks import mask_shares


def mask_head_in_words(spatial_deviation: float) -> str | None:
    """What to say of a mask head by its `mask_spatial_deviation`: a sentence if it is dead, else None.

    >>> mask_head_in_words(1.5e-7)
    'dead head: the masks are constant in space (deviation 1.5e-07, under 0.001)'
    """
    if spatial_deviation >= DEAD_DEVIATION:
        return None
    return (
        f"dead head: the masks are constant in space (deviation {spatial_deviation:.2g}, "
        f"under {DEAD_DEVIATION:g})"
    )


@metric(
    "mask_spatial_deviation",
    title="Spatial deviation of the masks",
    short_title="spatial deviation",
    unit="1",
    better="none",
    table="masks",
    formula="mean over masks of the standard deviation over pixels; a head under 0.001 is dead",
    bounds=(0, math.inf),
    says=mask_head_in_words,
)
def mask_spatial_deviation(masks: Tensor) -> Tensor:
    """Mean over masks [b, k, h, w] of their standard deviation over pixels: [b]."""
    return torch.stack(mask_statistics.mask_deviations(masks).unbind(dim=1)).mean(dim=0)


@metric(
    "mask_entropy",
    title="Mask entropy",
    short_title="entropy",
    unit="1",
    better="none",
    table="masks",
    formula="mean over pixels of the entropy of the mask shares, over log K: 0 one-hot, 1 uniform",
    source="Shannon 1948",
    bounds=(0, 1),
)
def mask_entropy(masks: Tensor) -> Tensor:
    """Entropy of the shares of masks [b, k, h, w], over log k: [b], 0 to 1."""
    return mask_statistics.mask_entropy(masks)


@metric(
    "mask_effective_number",
    title="Effective number of masks",
    short_title="effective number",
    unit="masks",
    better="none",
    table="masks",
    formula="exp(entropy of the coverage): how many masks are in use",
    source="Hill 1973",
    bounds=(1, math.inf),
)
def mask_effective_number(masks: Tensor) -> Tensor:
    """How many of masks [b, k, h, w] are in use: [b], 1 to k."""
    return mask_statistics.mask_effective_number(masks)


@metric(
    "mask_overlap",
    title="Mask overlap",
    short_title="overlap",
    unit="1",
    better="lower",
    table="masks",
    formula="mean over pairs of masks of sum min / sum max over pixels: 0 disjoint, 1 equal",
    source="Ruzicka 1958",
    when="there is one mask",
    bounds=(0, 1),
)
def mask_overlap(masks: Tensor) -> Tensor:
    """Mean soft intersection over union of all pairs of masks [b, k, h, w]: [b], 0 (disjoint) to 1 (equal).

    sum of min(a, b) over sum of max(a, b), over pixels, of the shares; pairs of empty masks count 0. Lower
    means that the masks divide the image among them. NaN for a single mask.
    """
    flat = mask_shares(masks).flatten(2)
    count = flat.shape[1]
    if count < 2:
        return flat.new_full((len(flat),), torch.nan)
    first, second = torch.triu_indices(count, count, offset=1, device=masks.device)
    area = flat.sum(dim=2)
    both = area[:, first] + area[:, second]
    # |a - b| = max - min and a + b = max + min.
    apart = torch.stack([functional.pdist(masks_of_image, p=1) for masks_of_image in flat])
    overlap = ((both - apart) / (both + apart).clamp_min(1e-12)).clamp(0, 1)
    return overlap.mean(dim=1)


@metric(
    "mask_binarity",
    title="Mask binarity",
    short_title="binarity",
    unit="1",
    better="none",
    table="masks",
    formula="mean over pixels of the largest share",
    bounds=(0, 1),
)
def mask_binarity(masks: Tensor) -> Tensor:
    """Mean over pixels of the largest share of masks [b, k, h, w]: [b], 1/k (uniform) to 1 (one-hot)."""
    return mask_shares(masks).amax(dim=1).mean(dim=(1, 2))


@metric(
    "mask_sum_error",
    title="Mask sum error",
    short_title="sum error",
    unit="1",
    better="lower",
    table="masks",
    formula="mean over pixels of |sum of the masks - 1|: 0 for a convex combination",
    bounds=(0, math.inf),
)
def mask_sum_error(masks: Tensor) -> Tensor:
    """Mean over pixels of |sum of the masks - 1|, masks [b, k, h, w]: [b], 0 for a convex combination."""
    return (masks.sum(dim=1) - 1).abs().mean(dim=(1, 2))


@metric(
    "mask_background",
    title="Background mask",
    short_title="background",
    unit="1",
    better="none",
    table="masks",
    formula="mean of the mask of the input image; near 1 the output is the input",
    source="Tang et al. 2021",
)
def mask_background(masks: Tensor, background: int) -> Tensor:
    """Mean of the mask of the input image, masks [b, k, h, w]: [b]."""
    return mask_statistics.mask_background(masks, background)


@metric(
    "mask_input_dependence",
    title="Input dependence of the masks",
    short_title="input dependence",
    unit="share of variance",
    better="higher",
    table="masks",
    formula="variance over images at a pixel / total variance; near 0: a fixed positional grid",
    source="analysis of variance, Fisher 1925",
    when="the masks are constant, or there are fewer than 2 images",
    bounds=(0, 1),
)
class InputDependence:
    """Share of the masks' variance that comes from the image, over a whole split, fed batch by batch.

    With m[n, k, x] the mask k of image n at pixel x: the sum over k and x of var_n(m), over the sum over
    k and x of the mean over n of (m - mean of mask k over images and pixels)^2. 1 when the masks follow the
    image alone, near 0 when every image gets the same map: a fixed positional grid. Holds two maps, whatever
    the number of images.
    """

    def __init__(self) -> None:
        self._count = 0
        self._sum: Tensor | None = None
        self._squares: Tensor | None = None

    def add(self, masks: Tensor) -> None:
        """Take in the masks [b, k, h, w] of some more images."""
        total = masks.sum(dim=0, dtype=torch.float64)
        squares = torch.zeros_like(total)
        for image in masks:
            squares += image.double().square_()
        self._sum = total if self._sum is None else self._sum + total
        self._squares = squares if self._squares is None else self._squares + squares
        self._count += len(masks)

    def value(self) -> float | None:
        """The share, 0 to 1; None for fewer than 2 images, or masks that vary neither in space nor images."""
        if self._sum is None or self._squares is None or self._count < 2:
            return None
        mean = self._sum / self._count
        second = self._squares / self._count
        over_images = (second - mean.square()).clamp_min(0).sum()
        grand = mean.mean(dim=(1, 2), keepdim=True)
        total = (second - 2 * grand * mean + grand.square()).clamp_min(0).sum()
        # Deviations under a millionth are rounding of single precision, not a map.
        if float(total / mean.numel()) < 1e-12:
            return None
        return min(1.0, float(over_images / total))


@metric(
    "mask_coverage",
    title="Coverage of mask k",
    short_title="coverage",
    unit="1",
    better="none",
    table="masks",
    formula="mean share of mask k, counted from 0; a column of images.csv for every mask",
    bounds=(0, 1),
    per_mask=True,
)
def mask_coverage(masks: Tensor) -> Tensor:
    """Mean share of each of masks [b, k, h, w]: [b, k]."""
    return mask_statistics.mask_coverage(masks)


@metric(
    "mask_deviation",
    title="Spatial deviation of mask k",
    short_title="deviation",
    unit="1",
    better="none",
    table="masks",
    formula="standard deviation of mask k over pixels; a column of images.csv for every mask",
    bounds=(0, math.inf),
    per_mask=True,
)
def mask_deviation(masks: Tensor) -> Tensor:
    """Standard deviation over pixels of each of masks [b, k, h, w]: [b, k]."""
    return mask_statistics.mask_deviations(masks)


@grid_metrics("mask_grid", "the masks", "mask-grids")
def mask_grids(masks: Tensor, period: int | None = None) -> dict[str, Tensor]:
    """Grids in the masks [b, k, h, w] themselves: name -> [b]; `period` is the generator's own."""
    return all_grids("mask_grid", 255 * masks, period)
