"""Differentiable augmentation: what a discriminator is shown in place of an image.

Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training" (arXiv 2006.10738), section 4:
colour (brightness within [-0.5, 0.5], saturation within [0, 2], contrast within [0.5, 1.5]), translation
(within 1/8 of the image size, filled with zeros) and cutout (a square of half the image size set to zero).
Real and translated images are augmented alike, and gradients reach the generator through the augmentation.
Zero is the mid grey of images in [-1, 1].
"""

from collections.abc import Sequence

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

DRAWS = 7
"""Uniform draws in [0, 1) for an image: brightness, saturation, contrast, shift down and right, row and
column of the cutout. All are drawn whatever is used, so that one kind shifts nothing in another."""
REACH = 8
"""An image is shifted by at most its size over this."""


def augment(images: Tensor, draws: NDArray, kinds: Sequence[str]) -> Tensor:
    """Images [b, 3, h, w] in [-1, 1], changed by those of `colour`, `translation`, `cutout` that are named.

    `draws` [b, 7] decide, as `DRAWS` says. Values may leave [-1, 1], as in the paper.
    """
    if "colour" in kinds:
        images = recoloured(images, draws[:, :3])
    if "translation" in kinds:
        images = torch.stack([shifted(*each) for each in zip(images, *draws[:, 3:5].T, strict=True)])
    if "cutout" in kinds:
        images = torch.stack([cut_out(*each) for each in zip(images, *draws[:, 5:].T, strict=True)])
    return images


def recoloured(images: Tensor, draws: NDArray) -> Tensor:
    """Brightness, then saturation about the grey of each pixel, then contrast about the image's mean."""
    brightness, saturation, contrast = (
        torch.from_numpy(column).to(images).view(-1, 1, 1, 1)
        for column in (draws[:, 0] - 0.5, 2 * draws[:, 1], draws[:, 2] + 0.5)
    )
    images = images + brightness
    grey = images.mean(dim=1, keepdim=True)
    images = grey + saturation * (images - grey)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return mean + contrast * (images - mean)


def shifted(image: Tensor, down: float, right: float) -> Tensor:
    """An image [3, h, w] moved by whole pixels of its size over 8 at most either way, zeros coming in."""
    rows, columns = (
        whole(draw, 2 * round(side / REACH) + 1) - round(side / REACH)
        for draw, side in zip((down, right), image.shape[1:], strict=True)
    )
    # Negative padding takes away.
    return F.pad(image, (columns, -columns, rows, -rows))


def cut_out(image: Tensor, row: float, column: float) -> Tensor:
    """An image [3, h, w] with a rectangle of half its height and width set to zero, its centre anywhere."""
    kept = torch.ones_like(image[0])
    height, width = kept.shape
    top, left = whole(row, height) - height // 4, whole(column, width) - width // 4
    kept[max(0, top) : max(0, top + height // 2), max(0, left) : max(0, left + width // 2)] = 0
    return image * kept


def whole(draw: float, count: int) -> int:
    """One of `count` whole numbers from 0, equally likely, by a draw in [0, 1)."""
    return min(int(draw * count), count - 1)
