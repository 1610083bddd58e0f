"""The input image among the contents: four ways to let it through."""

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
