"""The published discriminators, which judge overlapping 70x70 patches (Isola et al. 2017, section 3.2.2)."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from variants.parts.layers import instance_norm

LAYERS = 5
INITIAL_DEVIATION = 0.02


class PatchGAN(nn.Module):
    """The discriminator of CycleGAN and AttentionGAN: 2,764,737 parameters at width 64.

    Images [b, 3, h, w] in [-1, 1] to one unbounded judgement a patch, [b, 1, h/8 - 2, w/8 - 2].
    """

    published_layers = ("model.0", "model.2", "model.5", "model.8", "model.11")

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.convolutions = convolutions(width, bias=True)

    def forward(self, image: Tensor) -> Tensor:
        first, second, third, fourth, last = self.convolutions
        x = leaky_relu(first(image))
        x = leaky_relu(instance_norm(second(x)))
        x = leaky_relu(instance_norm(third(x)))
        x = leaky_relu(instance_norm(fourth(x)))
        return last(x)


class LightDiscriminator(nn.Module):
    """The critic of the unofficial AttentionGAN: 2,763,776 parameters at width 64.

    As PatchGAN, but without biases, with instance norm on the first layer too, and averaged over the
    patches: images [b, 3, h, w] in [-1, 1] to [b, 1].
    """

    published_layers = ("layer1.conv", "layer2.conv", "layer3.conv", "layer4.conv", "layer5.conv")

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.convolutions = convolutions(width, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        x = image
        for convolution in self.convolutions[: LAYERS - 1]:
            x = leaky_relu(instance_norm(convolution(x)))
        return self.convolutions[LAYERS - 1](x).mean(dim=(2, 3))


Discriminator = PatchGAN | LightDiscriminator


def convolutions(width: int, *, bias: bool) -> nn.ModuleList:
    """Five 4x4 convolutions, padding 1: three of stride 2, two of stride 1, up to 8 x width channels."""
    channels = (3, width, 2 * width, 4 * width, 8 * width, 1)
    strides = (2, 2, 2, 1, 1)
    return nn.ModuleList(
        nn.Conv2d(channels[i], channels[i + 1], kernel_size=4, stride=strides[i], padding=1, bias=bias)
        for i in range(LAYERS)
    )


def leaky_relu(x: Tensor) -> Tensor:
    """Slope 0.2 for negative values; overwrites its argument."""
    return F.leaky_relu(x, 0.2, inplace=True)


def initialise(discriminator: Discriminator, draw: Callable[[str], torch.Generator]) -> None:
    """Weights from N(0, 0.02), biases 0; `draw` gives the generator of a parameter by its name."""
    with torch.no_grad():
        for name, parameter in discriminator.named_parameters():
            if name.endswith(".bias"):
                parameter.zero_()
            else:
                parameter.normal_(0.0, INITIAL_DEVIATION, generator=draw(name))


def load_published(discriminator: Discriminator, state: Mapping[str, Tensor]) -> None:
    """Take over the weights of a published discriminator, given by its own keys.

    Raises KeyError where a key is missing or left over.
    """
    renamed = dict(state)
    own = {}
    for index, layer in enumerate(discriminator.published_layers):
        for kind in ("weight", "bias"):
            if f"convolutions.{index}.{kind}" in discriminator.state_dict():
                own[f"convolutions.{index}.{kind}"] = renamed.pop(f"{layer}.{kind}")
    if renamed:
        raise KeyError(f"not part of {type(discriminator).__name__}: {', '.join(sorted(renamed))}")
    discriminator.load_state_dict(own)
