"""Discriminators and what they are shown: image pools and differentiable augmentation.

The published discriminators look at overlapping 70x70 patches (Isola et al. 2017, section 3.2.2).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from variants.parts.layers import instance_norm

LAYERS = 5
INITIAL_DEVIATION = 0.02


class PatchGAN(nn.Module):
    """The discriminator of CycleGAN and AttentionGAN: 2,764,737 parameters at width 64.

    Images [b, 3, h, w] in [-1, 1] to unbounded logits, one a patch, [b, 1, h/8 - 2, w/8 - 2].
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


def initialise_discriminator(discriminator: Discriminator, draw: Callable[[str], torch.Generator]) -> None:
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


KEPT = -1
"""In a list of swaps: this image was shown as it came."""


class Pooled(NamedTuple):
    """What the discriminator is shown in place of the new translations."""

    images: Tensor
    """[b, 3, h, w]"""
    swaps: tuple[int, ...]
    """For every image the place in the pool it was exchanged with, or KEPT."""


class ImagePool:
    """Up to `capacity` translations of one domain, float32, without gradients.

    Discriminators also see translations of earlier steps (Shrivastava et al. 2017, section 2.3). Until the
    pool is full every translation is shown and stored. Then half of them are exchanged for one
    stored earlier, at a random place. With capacity 0 every translation is shown.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._images: list[Tensor] = []

    def exchange(self, images: Tensor, rng: np.random.Generator) -> Pooled:
        """What to show for new translations [b, 3, h, w]; `rng` alone decides, never the images."""
        shown, swaps = zip(*(self._exchange_one(image, rng) for image in images), strict=True)
        return Pooled(torch.stack(shown), swaps)

    def _exchange_one(self, image: Tensor, rng: np.random.Generator) -> tuple[Tensor, int]:
        if len(self._images) < self.capacity:
            self._images.append(image.clone())
            return image, KEPT
        if self.capacity == 0 or rng.random() < 0.5:
            return image, KEPT
        place = int(rng.integers(self.capacity))
        earlier, self._images[place] = self._images[place], image.clone()
        return earlier, place

    def state_dict(self) -> dict[str, Any]:
        """The stored images, for a checkpoint."""
        return {"images": torch.stack(self._images) if self._images else None}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the stored images of a checkpoint."""
        self._images = [] if state["images"] is None else list(state["images"].unbind())


DRAWS = 7
"""Uniform draws in [0, 1) for an image: brightness, saturation, contrast, shift down and right, row and
column of the cutout. All are drawn whatever is used, so that one kind shifts nothing in another."""
REACH = 8
"""An image is shifted by at most its size over this."""


def augment(images: Tensor, draws: NDArray, kinds: Sequence[str]) -> Tensor:
    """Images [b, 3, h, w] in [-1, 1], changed by those of `colour`, `translation`, `cutout` that are named.

    Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training" (arXiv 2006.10738),
    section 4: colour (brightness within [-0.5, 0.5], saturation within [0, 2], contrast within [0.5, 1.5]),
    translation (within 1/8 of the image size, filled with zeros) and cutout (a square of half the image size
    set to zero). Real and translated images are augmented alike, and gradients reach the generator through
    the augmentation. Zero is the mid grey of images in [-1, 1].

    `draws` [b, 7] decide, as `DRAWS` says. Values may leave [-1, 1], as in the paper.
    """
    if "colour" in kinds:
        images = recoloured(images, draws[:, :3])
    if "translation" in kinds:
        images = torch.stack([shifted(*each) for each in zip(images, *draws[:, 3:5].T, strict=True)])
    if "cutout" in kinds:
        images = torch.stack([cut_out(*each) for each in zip(images, *draws[:, 5:].T, strict=True)])
    return images


def recoloured(images: Tensor, draws: NDArray) -> Tensor:
    """Brightness, then saturation about the grey of each pixel, then contrast about the image's mean."""
    brightness, saturation, contrast = (
        torch.from_numpy(column).to(images).view(-1, 1, 1, 1)
        for column in (draws[:, 0] - 0.5, 2 * draws[:, 1], draws[:, 2] + 0.5)
    )
    images = images + brightness
    grey = images.mean(dim=1, keepdim=True)
    images = grey + saturation * (images - grey)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return mean + contrast * (images - mean)


def shifted(image: Tensor, down: float, right: float) -> Tensor:
    """An image [3, h, w] moved by whole pixels of its size over 8 at most either way, zeros coming in."""
    rows, columns = (
        number_drawn(draw, 2 * round(side / REACH) + 1) - round(side / REACH)
        for draw, side in zip((down, right), image.shape[1:], strict=True)
    )
    # Negative padding takes away.
    return F.pad(image, (columns, -columns, rows, -rows))


def cut_out(image: Tensor, row: float, column: float) -> Tensor:
    """An image [3, h, w] with a rectangle of half its height and width set to zero, its centre anywhere."""
    kept = torch.ones_like(image[0])
    height, width = kept.shape
    top, left = number_drawn(row, height) - height // 4, number_drawn(column, width) - width // 4
    kept[max(0, top) : max(0, top + height // 2), max(0, left) : max(0, left + width // 2)] = 0
    return image * kept


def number_drawn(draw: float, count: int) -> int:
    """One of `count` whole numbers from 0, equally likely, by a draw in [0, 1)."""
    return min(int(draw * count), count - 1)
