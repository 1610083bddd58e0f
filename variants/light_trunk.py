"""The light trunk of the unofficial AttentionGAN: no biases, one convolution a block, 8x down and up.

The content images end in instance normalisation and tanh, so that each has mean 0 before tanh: published,
kept.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from variants.layers import doubling, instance_norm, norm_relu


class LightTrunk(nn.Module):
    """Content images [b, k, 3, h, w] in [-1, 1] of images [b, 3, h, w]."""

    def __init__(self, width: int, blocks: int, contents: int) -> None:
        super().__init__()
        self.contents = contents
        self.down1 = nn.Conv2d(3, width, 3, stride=2, padding=1, bias=False)
        self.down2 = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False)
        self.down3 = nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1, bias=False)
        self.blocks = nn.ModuleList(
            nn.Conv2d(4 * width, 4 * width, 3, padding=1, bias=False) for _ in range(blocks)
        )
        self.up1 = doubling(4 * width, 2 * width, bias=False)
        self.up2 = doubling(2 * width, width, bias=False)
        self.content = doubling(width, 3 * contents, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        features = F.relu_(self.down1(image))  # the one layer without normalisation
        features = norm_relu(self.down2(features))
        features = norm_relu(self.down3(features))
        for block in self.blocks:
            features = features + norm_relu(block(features))
        features = norm_relu(self.up1(features))
        features = norm_relu(self.up2(features))
        contents = torch.tanh(instance_norm(self.content(features)))
        return contents.unflatten(1, (self.contents, 3))
