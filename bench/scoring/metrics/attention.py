"""Does the attention do anything? The output with the masks taken away, against the output as it is.

An ablation that changes the mask head alone is only about attention if the masks matter; `uniform` is 0 here.
"""

from torch import Tensor

from bench.scoring.metric import LEVELS, metric
from bench.scoring.metrics.change import HALF_RANGE, mean_change
from variants.contract import compose


def without_space(contents: Tensor, masks: Tensor) -> Tensor:
    """The output [b, 3, h, w] when every mask [b, k, h, w] is replaced by its mean over the pixels.

    contents [b, k, 3, h, w]. The change from the real output is 0 where attention does nothing, and grows
    with how much the masks divide the image.
    """
    flat = masks.mean(dim=(2, 3), keepdim=True).expand_as(masks)
    return compose(contents, flat)


def with_other_masks(contents: Tensor, other_masks: Tensor) -> Tensor:
    """The output [b, 3, h, w] when the masks are those of another test image, [b, k, h, w].

    contents [b, k, 3, h, w]. The change is 0 for masks that do not look at the image: a positional grid.
    """
    return compose(contents, other_masks)


@metric(
    "attention_effect",
    title="Attention effect",
    short_title="effect",
    unit=LEVELS,
    better="none",
    table="masks",
    formula="mean |output - output with every mask replaced by its spatial mean|; 0 where attention does "
    "nothing",
    source="Meyes et al. 2019, ablation applied to masks",
    bounds=(0, 255),
)
def attention_effect(without_space: Tensor, translated: Tensor) -> Tensor:
    """What the masks' shape in space does to the output, [b, 3, h, w] in [-1, 1]: [b], in levels."""
    return HALF_RANGE * mean_change(without_space, translated)


@metric(
    "attention_effect_swapped",
    title="Attention effect, swapped",
    short_title="effect, swapped",
    unit=LEVELS,
    better="none",
    table="masks",
    formula="mean |output - output with the masks of the previous test image|; 0 for masks that ignore the "
    "image",
    source="Meyes et al. 2019, ablation applied to masks",
    bounds=(0, 255),
)
def attention_effect_swapped(other_masks: Tensor, translated: Tensor) -> Tensor:
    """What it does to the output that masks are this image's, [b, 3, h, w] in [-1, 1]: [b], in levels."""
    return HALF_RANGE * mean_change(other_masks, translated)
