"""The generator contract: what every variant takes and gives.

Axes throughout this package: b batch, k masks and contents, s slots, d slot features, n tokens,
c channels, h height, w width. Images are in [-1, 1].
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

Noise = torch.Generator | Tensor | None


class Translation(NamedTuple):
    """What a generator makes of a batch of images; `image` is the weighted sum of `contents` by `masks`."""

    image: Tensor
    """[b, 3, h, w]: the translated image."""
    contents: Tensor
    """[b, k, 3, h, w]: the content images, the input among them where it serves as background."""
    masks: Tensor | None
    """[b, k, h, w]: the weights of the contents; None for a generator without masks (k is then 1)."""


class Generator(nn.Module):
    """Base class of every variant and baseline.

    A subclass defines `forward(image, noise=None) -> Translation` and sets what it claims. `forward` takes
    any batch size and any image size that is a multiple of 16.
    """

    background: int | None = None
    """Index k of the content that is the input image itself; None where there is no such content."""
    convex: bool = False
    """Whether the masks are claimed to be a convex combination at every pixel."""
    noise_shape: tuple[int, int] | None = None
    """(slots, features) of the noise of one image; None for a generator that draws no noise."""

    @property
    def trainable(self) -> bool:
        """Whether there is anything to train: False for baselines such as `copy`."""
        return any(parameter.requires_grad for parameter in self.parameters())

    def draw_noise(self, batch: int, noise: Noise) -> Tensor:
        """The slot noise [b, s, d]: `noise` itself if it is a tensor, else drawn on the CPU and moved.

        With None torch's global generator is used, as in the published code. Raises ValueError where a
        tensor has another shape than [batch, *noise_shape].
        """
        if self.noise_shape is None:
            raise ValueError(f"{type(self).__name__} draws no noise")
        shape = (batch, *self.noise_shape)
        device = next(self.parameters()).device
        if isinstance(noise, Tensor):
            if noise.shape != shape:
                raise ValueError(f"noise has shape {list(noise.shape)}; this generator takes {list(shape)}")
            return noise.to(device)
        return torch.randn(shape, generator=noise).to(device)


def compose(contents: Tensor, masks: Tensor) -> Tensor:
    """The weighted sum of contents [b, k, 3, h, w] by masks [b, k, h, w]: images [b, 3, h, w]."""
    return torch.einsum("bkchw,bkhw->bchw", contents, masks)
