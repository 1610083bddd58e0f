"""Masks beyond the statistics that training follows (those are in `variants.parts.masks`)."""

import torch
import torch.nn.functional as functional
from torch import Tensor

from variants.parts.masks import mask_shares


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


def mask_binarity(masks: Tensor) -> Tensor:
    """Mean over pixels of the largest share of masks [b, k, h, w]: [b], 1/k (uniform) to 1 (one-hot)."""
    return mask_shares(masks).amax(dim=1).mean(dim=(1, 2))


def mask_sum_error(masks: Tensor) -> Tensor:
    """Mean over pixels of |sum of the masks - 1|, masks [b, k, h, w]: [b], 0 for a convex combination."""
    return (masks.sum(dim=1) - 1).abs().mean(dim=(1, 2))


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
