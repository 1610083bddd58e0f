"""How far two images are apart, and whether the output is simply the input."""

import torch
from torch import Tensor

from bench.scoring.measurements.images import require_images
from bench.statistics.copying import UNCHANGED


def mean_change(image: Tensor, other: Tensor) -> Tensor:
    """Mean absolute difference of images [b, 3, h, w]: [b], in their own unit (levels, 0 to 255).

    The L1 distance behind mean change, cycle and identity errors and the distance to the counterfactual.
    """
    require_images(image, other)
    return (image - other).abs().mean(dim=(1, 2, 3))


def unchanged(source: Tensor, output: Tensor) -> Tensor:
    """1 where the mean absolute change is within 2 of 255 levels, else 0: [b].

    The mean over images is the share of copies: identity collapse, the most reported failure of
    AttentionGAN. Lower is better.
    """
    return (mean_change(source, output) <= UNCHANGED).to(source.dtype)


def draw_deviation(draws: Tensor) -> Tensor:
    """Standard deviation of the output over draws of the slot noise, averaged over pixels: [b], in levels.

    draws [r, b, 3, h, w] in levels, r >= 2 outputs of the same sources; unbiased over r. 0 for a generator
    without noise: it says how much the translation depends on chance.
    """
    if draws.ndim != 5 or len(draws) < 2:
        raise ValueError(f"draws have shape {list(draws.shape)}; expected [r, b, 3, h, w] with r >= 2")
    return torch.std(draws, dim=0, correction=1).mean(dim=(1, 2, 3))
