"""`uniform`: the control without attention. The trunk of AttentionGAN v2, every mask fixed at 1/k.

What a mask head must beat: a slot head that is dead from its initialisation gives exactly these masks.
"""

import torch
from torch import Tensor

from variants.contract import Generator, Noise, Translation, compose
from variants.parts.trunks import ResnetTrunk
from variants.shipped import UniformParameters


class Uniform(Generator):
    """Nine contents and, last, the input, all of equal weight everywhere."""

    convex = True
    initialisation = "resnet"

    def __init__(self, parameters: UniformParameters) -> None:
        super().__init__()
        self.background = parameters.contents
        self.trunk = ResnetTrunk(parameters.width, parameters.blocks, parameters.contents)

    def forward(self, image: Tensor, noise: Noise = None) -> Translation:
        contents = self.trunk.make_contents(self.trunk.encode(image))
        contents = torch.cat([contents, image.unsqueeze(1)], dim=1)
        batch, count, _, height, width = contents.shape
        masks = image.new_full((batch, count, height, width), 1 / count)
        return Translation(compose(contents, masks), contents, masks)
