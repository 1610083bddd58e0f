"""Masks [b, k, h, w]: how the input image comes among them, and what they look like in one number an image.

Masks are weights >= 0 of k contents. Where a statistic speaks of shares, the masks of a pixel are divided by
their sum first, so that unnormalised masks can be compared with convex ones; a pixel whose masks are all zero
counts as belonging to no mask.
"""

import math
from typing import Literal

import torch
from torch import Tensor

Background = Literal["reuse", "own", "none", "head"]
Place = Literal["first", "last"]


def contents_needed(masks: int, background: Background) -> int:
    """How many content images the trunk must make for so many masks of the head."""
    return masks - 1 if background == "own" else masks


def background_index(masks: int, background: Background, place: Place) -> int | None:
    """Index of the input among contents and masks; None where it is not among them."""
    if background == "none":
        return None
    if place == "first":
        return 0
    return contents_needed(masks, background)


def with_background(
    contents: Tensor,
    masks: Tensor,
    image: Tensor,
    background: Background,
    place: Place,
    foreground: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Contents [b, k, 3, h, w] and masks [b, k, h, w] with the input put first or last.

    `reuse`: the mask at that end weighs a content and, a second time, the input, so that the masks sum to
    more than 1 (the published main model). `own`: one mask weighs the input and nothing else. `none`: the
    input is left out. `head`: content k gets the share `foreground[:, k]` of mask k, [b, k] in [0, 1], and
    the input what remains of all masks.
    """
    if background == "none":
        return contents, masks
    if background == "reuse":
        masks = joined(masks[:, :1] if place == "first" else masks[:, -1:], masks, place)
    if background == "head":
        assert foreground is not None  # a slot head with background=head gives it
        kept = masks * foreground[:, :, None, None]
        masks = joined((masks - kept).sum(dim=1, keepdim=True), kept, place)
    return joined(image.unsqueeze(1), contents, place), masks


def joined(one: Tensor, others: Tensor, place: Place) -> Tensor:
    """`one` [b, 1, ...] put first or last among `others` [b, k, ...]."""
    return torch.cat([one, others] if place == "first" else [others, one], dim=1)


DEAD_DEVIATION = 1e-3
"""A mask head whose spatial deviation is below this is called dead: its masks say the same everywhere."""
AWAKE_DEVIATION = 1e-2
"""From here on masks move an output by more than a level of 255 where contents differ by half the range."""

_TINY = 1e-12


def mask_shares(masks: Tensor) -> Tensor:
    """The masks [b, k, h, w] divided by their sum at every pixel: in [0, 1], summing to 1 (or all 0)."""
    _check(masks)
    masks = masks.clamp_min(0)
    return masks / masks.sum(dim=1, keepdim=True).clamp_min(_TINY)


def mask_coverage(masks: Tensor) -> Tensor:
    """Mean share of every mask [b, k]: the part of the image it covers, in [0, 1]."""
    return mask_shares(masks).mean(dim=(2, 3))


def mask_entropy(masks: Tensor) -> Tensor:
    """Mean over pixels of the entropy of the shares, over log k: 0 for one-hot masks, 1 for uniform ones.

    With a single mask there is nothing to choose from and the entropy is 0.
    """
    count = masks.shape[1]
    entropy = torch.special.entr(mask_shares(masks)).sum(dim=1).mean(dim=(1, 2))
    return entropy / math.log(count) if count > 1 else torch.zeros_like(entropy)


def mask_effective_number(masks: Tensor) -> Tensor:
    """exp(entropy of the coverage): how many masks are in use, from 1 to k (a Hill number of order 1)."""
    coverage = mask_coverage(masks)
    coverage = coverage / coverage.sum(dim=1, keepdim=True).clamp_min(_TINY)
    return torch.special.entr(coverage).sum(dim=1).exp()


def mask_deviations(masks: Tensor) -> Tensor:
    """Standard deviation over the pixels of every mask [b, k], in the masks' own unit."""
    _check(masks)
    centred = masks - masks.mean(dim=(2, 3), keepdim=True)
    return centred.square_().mean(dim=(2, 3)).sqrt()


def mask_spatial_deviation(masks: Tensor) -> Tensor:
    """Mean over the masks of `mask_deviations`: 0 for masks that are constant in space.

    A head below `DEAD_DEVIATION` attends to nothing: the output is a fixed mixture of the contents.
    """
    return mask_deviations(masks).mean(dim=1)


def mask_background(masks: Tensor, background: int) -> Tensor:
    """Mean over the pixels of the mask with index `background`, that of the input image.

    Near 1 the output is the input (identity collapse). The raw mask is used, not its share.
    """
    _check(masks)
    return masks[:, background].mean(dim=(1, 2))


def _check(masks: Tensor) -> None:
    if masks.ndim != 4:
        raise ValueError(f"masks have shape {list(masks.shape)}; expected [b, k, h, w]")
