"""`spatial`: AttentionGAN v2. The trunk's features become ten masks by convolutions and a softmax.

Tang et al. 2021, "AttentionGAN: Unpaired Image-to-Image Translation using Attention-Guided Generative
Adversarial Networks" (arXiv 1911.11897), section 3.2: nine content images and the input, weighed at every
pixel by masks that sum to one.
"""

import torch
from torch import Tensor, nn

from variants.contract import Generator, Noise, Translation, compose
from variants.parts.layers import doubling, mask_softmax, norm_relu
from variants.parts.trunks import ResnetTrunk
from variants.published.names import ATTENTIONGAN
from variants.shipped import SpatialParameters


class SpatialHead(nn.Module):
    """Masks [b, k, h, w] of encoded features [b, 4 width, h/4, w/4], summing to 1 at every pixel."""

    def __init__(self, width: int, masks: int) -> None:
        super().__init__()
        self.up1 = doubling(4 * width, 2 * width)
        self.up2 = doubling(2 * width, width)
        self.mask = nn.Conv2d(width, masks, 1)

    def forward(self, features: Tensor) -> Tensor:
        features = norm_relu(self.up1(features))
        features = norm_relu(self.up2(features))
        return mask_softmax(self.mask(features))


class Spatial(Generator):
    """Masks 1 to 9 weigh the contents, mask 10 the input."""

    convex = True
    initialisation = "resnet"
    published = ATTENTIONGAN

    def __init__(self, parameters: SpatialParameters) -> None:
        super().__init__()
        self.background = parameters.contents
        self.head_initialisation = parameters.init
        self.trunk = ResnetTrunk(parameters.width, parameters.blocks, parameters.contents)
        self.head = SpatialHead(parameters.width, parameters.contents + 1)

    def forward(self, image: Tensor, noise: Noise = None) -> Translation:
        features = self.trunk.encode(image)
        contents = torch.cat([self.trunk.make_contents(features), image.unsqueeze(1)], dim=1)
        masks = self.head(features)
        return Translation(compose(contents, masks), contents, masks)
