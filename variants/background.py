"""The input image among the contents: three ways to let it through."""

from typing import Literal

import torch
from torch import Tensor

Background = Literal["reuse", "own", "none"]
Place = Literal["first", "last"]


def contents_needed(masks: int, background: Background) -> int:
    """How many content images the trunk must make for so many masks."""
    return masks - 1 if background == "own" else masks


def background_index(masks: int, background: Background, place: Place) -> int | None:
    """Index of the input among contents and masks; None where it is not among them."""
    if background == "none":
        return None
    if place == "first":
        return 0
    return masks if background == "reuse" else masks - 1


def with_background(
    contents: Tensor, masks: Tensor, image: Tensor, background: Background, place: Place
) -> tuple[Tensor, Tensor]:
    """Contents [b, k, 3, h, w] and masks [b, k, h, w] with the input put first or last.

    `reuse`: the mask at that end weighs a content and, a second time, the input, so that the masks sum to
    more than 1 (the published main model). `own`: one mask weighs the input and nothing else. `none`: the
    input is left out.
    """
    if background == "none":
        return contents, masks
    if background == "reuse":
        twice = masks[:, :1] if place == "first" else masks[:, -1:]
        masks = torch.cat([twice, masks] if place == "first" else [masks, twice], dim=1)
    source = image.unsqueeze(1)
    contents = torch.cat([source, contents] if place == "first" else [contents, source], dim=1)
    return contents, masks
