"""A variant in one file: a single foreground mask beside one content image.

bench check one-mask --plugin docs/example_variant.py
bench run --variant 'one-mask[sharpness=4]' --plugin docs/example_variant.py
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from variants import AtLeast, Generator, Translation, compose, register
from variants.parts.trunks import ResnetTrunk


@dataclass(frozen=True)
class OneMaskParameters:
    """Every field is a parameter: its type, its range, what it means, its default."""

    sharpness: Annotated[float, AtLeast(0.1), "Factor before the sigmoid."] = 1.0
    width: Annotated[int, AtLeast(1), "Channels of the trunk's first layer."] = 64
    blocks: Annotated[int, AtLeast(0), "Residual blocks of the trunk."] = 9


@register("one-mask", summary="Example: one content image and one foreground mask.")
class OneMask(Generator):
    """Content 0 is made by the trunk, content 1 is the input; their masks sum to 1."""

    background = 1  # the mask that weighs the input
    convex = True  # claimed here, therefore checked by `bench check`
    initialisation = "resnet"  # weights N(0, 0.02), as the other ResNet variants

    def __init__(self, parameters: OneMaskParameters) -> None:
        super().__init__()
        self.sharpness = parameters.sharpness
        # The same name and shape as in `spatial`, therefore the same initial weights.
        self.trunk = ResnetTrunk(parameters.width, parameters.blocks, contents=1)
        self.head = nn.Conv2d(4 * parameters.width, 1, 1)

    def forward(self, image: Tensor, noise: torch.Generator | Tensor | None = None) -> Translation:
        features = self.trunk.encode(image)
        logits = nn.functional.interpolate(self.head(features), size=image.shape[2:], mode="bilinear")
        foreground = torch.sigmoid(self.sharpness * logits)
        masks = torch.cat([foreground, 1 - foreground], dim=1)
        contents = torch.cat([self.trunk.make_contents(features), image.unsqueeze(1)], dim=1)
        return Translation(compose(contents, masks), contents, masks)
