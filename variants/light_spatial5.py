"""`light-spatial5`: the unofficial AttentionGAN, the spatial side of the paper's figures 5 to 7.

Kept as published: the masks come from the image itself at full size and end in instance normalisation and
ReLU. They are not normalised; at the start the five sum to anything from 0 to 10. Compared with
`light-slot5` two things change at once, the head and the normalisation; `mask_norm=softmax` changes the head
alone.
"""

import torch
from torch import Tensor, nn

from variants.contract import Generator, Noise, Translation, compose
from variants.parts.layers import instance_norm, mask_softmax, norm_relu
from variants.parts.masks import with_background
from variants.parts.trunks import LightTrunk
from variants.published.names import LIGHT_SPATIAL5
from variants.shipped import LightSpatialParameters


class LightSpatialHead(nn.Module):
    """Mask logits [b, k, h, w] of an image [b, 3, h, w], each of mean 0 and deviation 1 over its pixels."""

    def __init__(self, width: int, masks: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.second = nn.Conv2d(width, 2 * width, 3, padding=1, bias=False)
        self.third = nn.Conv2d(2 * width, width, 3, padding=1, bias=False)
        self.mask = nn.Conv2d(width, masks, 3, padding=1, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        features = norm_relu(self.first(image))
        features = norm_relu(self.second(features))
        features = norm_relu(self.third(features))
        return instance_norm(self.mask(features))


class LightSpatial(Generator):
    """Mask 0 weighs the input, masks 1 to 4 the contents."""

    background = 0
    initialisation = "light"
    published = LIGHT_SPATIAL5

    def __init__(self, parameters: LightSpatialParameters) -> None:
        super().__init__()
        self.convex = parameters.mask_norm == "softmax"
        self.head_initialisation = parameters.init
        self.trunk = LightTrunk(parameters.width, parameters.blocks, parameters.masks - 1)
        self.head = LightSpatialHead(parameters.width, parameters.masks)

    def forward(self, image: Tensor, noise: Noise = None) -> Translation:
        logits = self.head(image)
        masks = mask_softmax(logits) if self.convex else torch.relu_(logits)
        contents, masks = with_background(self.trunk(image), masks, image, "own", "first")
        return Translation(compose(contents, masks), contents, masks)
