"""Does the attention do anything? The output with the masks taken away, against the output as it is.

An ablation that changes the mask head alone is only about attention if the masks matter; `uniform` is 0 here.
"""

from torch import Tensor

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
