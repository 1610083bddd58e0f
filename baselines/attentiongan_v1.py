"""`attentiongan-v1`: one foreground mask beside one content image, with batch normalisation.

Tang et al. 2019, "Attention-Guided Generative Adversarial Networks for Unsupervised Image-to-Image
Translation" (arXiv 1903.12296). Kept as published: the content image has no tanh and can leave [-1, 1].
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines import AttentionGanV1Parameters
from baselines.cyclegan import published_parameters
from variants.contract import Generator, Noise, Translation, compose
from variants.parts.trunks import reflect
from variants.published.names import PublishedNames


class NormalisedConv(nn.Module):
    """A convolution of anything padded by reflection, then batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.border = kernel // 2
        self.conv = nn.Conv2d(inputs, outputs, kernel)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, features: Tensor) -> Tensor:
        normalised: Tensor = self.norm(self.conv(reflect(features, self.border)))
        return normalised


class HalvingConv(nn.Module):
    """A strided convolution that halves height and width, then batch normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, features: Tensor) -> Tensor:
        return F.relu_(self.norm(self.conv(features)))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around which the input is carried."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = NormalisedConv(channels, channels, 3)
        self.second = NormalisedConv(channels, channels, 3)

    def forward(self, features: Tensor) -> Tensor:
        changed = self.second(F.relu_(self.first(features)))
        return features + changed


class ShuffleUp(nn.Module):
    """Twice the height and width, half the channels, by a pixel shuffle (Shi et al. 2016)."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        outputs = inputs // 2
        self.halve = NormalisedConv(inputs, outputs, 3)
        self.spread = nn.Conv2d(outputs, 4 * outputs, 1)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, features: Tensor) -> Tensor:
        features = self.spread(F.relu_(self.halve(features)))
        return F.relu_(self.norm(F.pixel_shuffle(features, 2)))


def published_modules(parameters: Mapping[str, object]) -> dict[str, str]:
    """The published place of every module."""
    blocks = parameters["blocks"]
    assert isinstance(blocks, int)
    modules = {}
    for ours, place in (("stem", 1), ("down1", 4), ("down2", 7)):
        modules[f"trunk.{ours}.conv"] = f"model.{place}"
        modules[f"trunk.{ours}.norm"] = f"model.{place + 1}"
    for block in range(blocks):
        for ours, place in (("first", 1), ("second", 5)):
            modules[f"trunk.blocks.{block}.{ours}.conv"] = f"model.{10 + block}.conv_block.{place}"
            modules[f"trunk.blocks.{block}.{ours}.norm"] = f"model.{10 + block}.conv_block.{place + 1}"
    for ours, place in (("up1", 11 + blocks), ("up2", 19 + blocks)):
        modules[f"trunk.{ours}.halve.conv"] = f"model.{place}"
        modules[f"trunk.{ours}.halve.norm"] = f"model.{place + 1}"
        modules[f"trunk.{ours}.spread"] = f"model.{place + 3}"
        modules[f"trunk.{ours}.norm"] = f"model.{place + 5}"
    return modules | {"trunk.mask_and_content": f"model.{27 + blocks}"}


class Trunk(nn.Module):
    """Mask logits and content, [b, 4, h, w], of images [b, 3, h, w]."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.stem = NormalisedConv(3, width, 7)
        self.down1 = HalvingConv(width, 2 * width)
        self.down2 = HalvingConv(2 * width, 4 * width)
        self.blocks = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(blocks)))
        self.up1 = ShuffleUp(4 * width)
        self.up2 = ShuffleUp(2 * width)
        self.mask_and_content = nn.Conv2d(width, 4, 7)

    def forward(self, image: Tensor) -> Tensor:
        features = F.relu_(self.stem(image))
        features = self.blocks(self.down2(self.down1(features)))
        made: Tensor = self.mask_and_content(reflect(self.up2(self.up1(features)), 3))
        return made


class AttentionGanV1(Generator):
    """Content 0 is made, content 1 is the input; the two masks sum to 1."""

    background = 1
    convex = True
    initialisation = "resnet"
    published = PublishedNames(published_parameters, published_modules)

    def __init__(self, parameters: AttentionGanV1Parameters) -> None:
        super().__init__()
        self.trunk = Trunk(parameters.width, parameters.blocks)

    def forward(self, image: Tensor, noise: Noise = None) -> Translation:
        made = self.trunk(image)
        foreground = torch.sigmoid(made[:, :1])
        masks = torch.cat([foreground, 1 - foreground], dim=1)
        contents = torch.stack([made[:, 1:], image], dim=1)
        return Translation(compose(contents, masks), contents, masks)
