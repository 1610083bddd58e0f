"""How far two images are apart, whether the output is simply the input, and what the way back gives."""

import math

import torch
from torch import Tensor

from bench.scoring.metric import LEVELS, metric
from bench.scoring.metrics.colour import require_images
from bench.statistics.copying import UNCHANGED

HALF_RANGE = 127.5
"""Levels in a difference of one between images in [-1, 1]."""


@metric(
    "mean_change",
    title="Mean change",
    short_title="change",
    unit=LEVELS,
    better="none",
    table="faithfulness",
    formula="mean of |output - source|",
    bounds=(0, 255),
)
def mean_change(source: Tensor, output: Tensor) -> Tensor:
    """Mean absolute difference of images [b, 3, h, w]: [b], in their own unit (levels, 0 to 255).

    The L1 distance behind mean change, cycle and identity errors and the distance to the counterfactual.
    """
    require_images(source, output)
    return (source - output).abs().mean(dim=(1, 2, 3))


@metric(
    "unchanged",
    title="Unchanged",
    short_title="unchanged",
    unit="share of images",
    better="lower",
    table="faithfulness",
    formula="1 where the mean change is at most 2 levels, else 0: identity collapse",
    bounds=(0, 1),
)
def unchanged(source: Tensor, output: Tensor) -> Tensor:
    """1 where the mean absolute change is within 2 of 255 levels, else 0: [b].

    The mean over images is the share of copies: identity collapse, the most reported failure of
    AttentionGAN. Lower is better.
    """
    return (mean_change(source, output) <= UNCHANGED).to(source.dtype)


@metric(
    "cycle_l1",
    title="Cycle L1",
    unit=LEVELS,
    better="lower",
    table="faithfulness",
    formula="mean of |G_back(G(x)) - x|",
    source="Zhu et al. 2017, equation 2",
    bounds=(0, 255),
)
def cycle_l1(cycle: Tensor, original: Tensor) -> Tensor:
    """How far the translation, translated back, is from the source; images [b, 3, h, w] in [-1, 1]: [b]."""
    return HALF_RANGE * mean_change(cycle, original)


@metric(
    "identity_l1",
    title="Identity L1",
    unit=LEVELS,
    better="lower",
    table="faithfulness",
    formula="mean of |G_back(x) - x|, x from the domain that the other generator translates to",
    source="Zhu et al. 2017, section 5.2",
    bounds=(0, 255),
)
def identity_l1(identity: Tensor, original: Tensor) -> Tensor:
    """How far the other generator moves an image of its own target, [b, 3, h, w] in [-1, 1]: [b]."""
    return HALF_RANGE * mean_change(identity, original)


@metric(
    "noise_sensitivity",
    title="Sensitivity to slot noise",
    short_title="slot noise",
    unit=LEVELS,
    better="lower",
    table="artefacts",
    formula="standard deviation of the output over draws of the slot noise, mean over pixels; else 0",
    bounds=(0, math.inf),
)
def noise_sensitivity(draws: Tensor) -> Tensor:
    """`draw_deviation`; 0 for a generator without noise, whose one output is every draw's."""
    return torch.zeros(draws.shape[1]) if len(draws) == 1 else draw_deviation(draws)


def draw_deviation(draws: Tensor) -> Tensor:
    """Standard deviation of the output over draws of the slot noise, averaged over pixels: [b], in levels.

    draws [r, b, 3, h, w] in levels, r >= 2 outputs of the same sources; unbiased over r. 0 for a generator
    without noise: it says how much the translation depends on chance.
    """
    if draws.ndim != 5 or len(draws) < 2:
        raise ValueError(f"draws have shape {list(draws.shape)}; expected [r, b, 3, h, w] with r >= 2")
    return torch.std(draws, dim=0, correction=1).mean(dim=(1, 2, 3))
