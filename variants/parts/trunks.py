"""The two trunks that make content images.

`ResnetTrunk` is that of CycleGAN and AttentionGAN v2: Zhu et al. 2017 (the generator with residual blocks,
after Johnson et al. 2016); Tang et al. 2021, "AttentionGAN", figure 2. Every convolution has a bias, as
published; instance normalisation cancels those before it. `LightTrunk` is that of the unofficial
AttentionGAN: no biases, one convolution a block, 8x down and up; its content images end in instance
normalisation and tanh, so that each has mean 0 before tanh: published, kept.
"""

from collections import deque
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from variants.parts.convolution import apply
from variants.parts.layers import doubling, instance_norm, norm_relu


def reflect(features: Tensor, border: int) -> Tensor:
    """Pad height and width by reflection."""
    return F.pad(features, (border,) * 4, mode="reflect")


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around which the input is carried: [b, c, h, w] to the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3)
        self.second = nn.Conv2d(channels, channels, 3)

    def forward(self, features: Tensor) -> Tensor:
        """The input plus what the two convolutions make of it; nothing after the sum."""
        changed = norm_relu(apply(self.first, reflect(features, 1)))
        return instance_norm(apply(self.second, reflect(changed, 1))).add_(features)


class ResnetTrunk(nn.Module):
    """Encoder, residual blocks and the branch that makes `contents` content images."""

    def __init__(self, width: int, blocks: int, contents: int) -> None:
        super().__init__()
        self.contents = contents
        self.stem = nn.Conv2d(3, width, 7)
        self.down1 = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.down2 = nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(4 * width) for _ in range(blocks))
        self.up1 = doubling(4 * width, 2 * width)
        self.up2 = doubling(2 * width, width)
        self.content = nn.Conv2d(width, 3 * contents, 7)

    def encode(self, image: Tensor) -> Tensor:
        """Features [b, 4 width, h/4, w/4] of images [b, 3, h, w]."""
        return deque(self.encode_stages(image), maxlen=1).pop()

    def encode_stages(self, image: Tensor) -> Iterator[Tensor]:
        """What `encode` passes through, the encoded features last; none is changed once it is given.

        The two halving convolutions, before normalisation: [b, 2 width, h/2, w/2], [b, 4 width, h/4, w/4];
        the second one normalised, then every residual block: [b, 4 width, h/4, w/4] each.
        """
        features = norm_relu(self.stem(reflect(image, 3)))
        for halving in (self.down1, self.down2):
            halved = halving(features)
            yield halved
            features = norm_relu(halved)
        yield features
        for block in self.blocks:
            features = block(features)
            yield features

    def make_contents(self, features: Tensor) -> Tensor:
        """Content images [b, k, 3, h, w] in [-1, 1] of the encoded features."""
        features = norm_relu(self.up1(features))
        features = norm_relu(self.up2(features))
        contents = torch.tanh(self.content(reflect(features, 3)))
        return contents.unflatten(1, (self.contents, 3))


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
