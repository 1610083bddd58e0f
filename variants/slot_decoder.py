"""What comes after slot attention: every slot is decoded by itself to one mask's logits.

The spatial broadcast decoder of Watters et al. 2019, as in Locatello et al. 2020, appendix E.3, with two
quirks of the published translation code, kept: its channels run down and wrap around to the encoder's last
one at full resolution, where nearly all the work is; and it ends in red, green, blue and alpha, of which
alpha alone is used. Here alpha alone is computed; the weights of the colours stay, so that parameters and
checkpoints agree with the published ones.

Its transposed convolutions of kernel 5 and stride 2 overlap unevenly: a constant comes out as a checkerboard
of period 2. `resize` enlarges by repetition before a convolution of stride 1 instead (Odena et al. 2016,
"Deconvolution and Checkerboard Artifacts"), with as many parameters and no such pattern.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from variants.convolution import convolve
from variants.layers import doubling, leaky
from variants.position import PositionEmbedding

UPSAMPLINGS = 4
NARROW = 64
ALPHA = slice(3, 4)
MOST_KEPT = 192 * 2**20
"""Bytes of features at full resolution that one pass may keep for the way back."""


def decoder_channels(decoder: str, encoder: tuple[int, ...]) -> tuple[int, ...]:
    """Channels after each upsampling: mirrored from the encoder's and wrapped around, or 64 throughout."""
    if decoder == "narrow":
        return (NARROW,) * UPSAMPLINGS
    c0, c1, c2, c3 = encoder
    return (c2, c1, c0, c3)


def resizing(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    """Height and width doubled by repeating every value, then a convolution that keeps them."""
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2))


class SlotDecoder(nn.Module):
    """Mask logits [b, s, 16 r, 16 q] of slots [b, s, d] broadcast to a grid of r x q places."""

    def __init__(self, features: int, channels: tuple[int, ...], resize: bool = False) -> None:
        super().__init__()
        self.position = PositionEmbedding(features)
        double = resizing if resize else doubling
        inputs = (features, *channels[:-1])
        self.ups = nn.ModuleList(
            double(before, after, kernel=5) for before, after in zip(inputs, channels, strict=True)
        )
        self.full = nn.ConvTranspose2d(channels[-1], channels[-1], 5, padding=2)
        self.colours_and_alpha = nn.ConvTranspose2d(channels[-1], 4, 3, padding=1)

    def forward(self, slots: Tensor, height: int, width: int) -> Tensor:
        batch, count, features = slots.shape
        places = self.position(height, width).T.view(1, features, height, width)
        cells = slots.reshape(batch * count, features, 1, 1) + places
        for up in self.ups[:-1]:
            cells = leaky(up(cells))
        if self.memory_binds(cells):
            # One slot at a time, its features made anew on the way back in place of being kept.
            each = [checkpoint(self.alpha_of, cell, use_reentrant=False) for cell in cells.split(1)]
            alpha = torch.cat(each)
        else:
            alpha = self.alpha_of(cells)
        return alpha.view(batch, count, *alpha.shape[2:])

    def memory_binds(self, cells: Tensor) -> bool:
        """Whether the features at full resolution, [b * s, c, 2 h, 2 w] twice, are too much to be kept.

        Never on a GPU: there time is dearer.
        """
        kept = 2 * cells.element_size() * len(cells) * self.full.in_channels * 4 * cells[0, 0].numel()
        return cells.device.type == "cpu" and kept > MOST_KEPT

    def alpha_of(self, cells: Tensor) -> Tensor:
        """Mask logits [b * s, 1, 2 h, 2 w] of features [b * s, c, h, w] at half resolution."""
        cells = leaky(self.ups[-1](cells))
        return self.alpha(leaky(self.at_full_resolution(cells)))

    def at_full_resolution(self, cells: Tensor) -> Tensor:
        """The layer `full`, written as the convolution that it is at stride 1."""
        layer = self.full
        assert layer.bias is not None
        return convolve(cells, layer.weight.transpose(0, 1).flip(2, 3), layer.bias, border=2)

    def alpha(self, cells: Tensor) -> Tensor:
        """The last of the final layer's four output channels, [b * s, 1, h, w]."""
        layer = self.colours_and_alpha
        assert layer.bias is not None
        return F.conv_transpose2d(cells, layer.weight[:, ALPHA], layer.bias[ALPHA], padding=1)
