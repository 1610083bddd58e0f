"""The mask head of the slot variants: encoder, tokens, slot attention, decoder, softmax over the slots.

Section 3 of "9 Slots Are All You Need For Unpaired Image-to-Image Translation" (2023), after Locatello et
al. 2020. As published the module decodes a second time and throws that away; the outputs are the same
without it, and it is not built here.

Every slot is decoded by itself to one mask's logits: the spatial broadcast decoder of Watters et al. 2019,
as in Locatello et al. 2020, appendix E.3, with two quirks of the published translation code, kept: its
channels run down and wrap around to the encoder's last one at full resolution, where nearly all the work is;
and it ends in red, green, blue and alpha, of which alpha alone is used. Here alpha alone is computed; the
weights of the colours stay, so that parameters and checkpoints agree with the published ones. Its transposed
convolutions of kernel 5 and stride 2 overlap unevenly: a constant comes out as a checkerboard of period 2.
`resize` enlarges by repetition before a convolution of stride 1 instead (Odena et al. 2016, "Deconvolution
and Checkerboard Artifacts"), with as many parameters and no such pattern.

With `masks=attention` nothing is decoded: the masks are the attention of the last round, each token's softmax
over the slots, enlarged bilinearly. The decoder's masks never see a pixel, only slots; these do.

Which slots are foreground (`background=head`) is left open by the paper's section 7, "another small model".
Here it is the smallest that can tell: one hidden layer and a sigmoid on every final slot by itself, trained
with everything else by the losses of translation.
"""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from variants.parts.convolution import apply, convolve
from variants.parts.layers import doubling, instance_norm, leaky, mask_softmax
from variants.parts.slot_attention import PointwiseAttention, SlotAttention


def grid(height: int, width: int, like: Tensor) -> Tensor:
    """The four distances (y, x, 1-y, 1-x) to the borders, [height * width, 4], each in [0, 1].

    Rounded to float32 in every precision, as the published code does: its grid is a float32 buffer.
    """
    y, x = torch.meshgrid(evenly(height, like.device), evenly(width, like.device), indexing="ij")
    return torch.stack([y, x, 1 - y, 1 - x], dim=-1).flatten(0, 1).to(like.dtype)


def evenly(count: int, device: torch.device, first: float = 0.0, last: float = 1.0) -> Tensor:
    """[count]: float32 from `first` to `last` in equal steps, from both ends; the same on every processor.

    torch.linspace is not: it rounds `first + place * step` once where a processor multiplies and adds in one
    instruction, else twice. This rounds once everywhere, through float64.
    """
    if torch.compiler.is_exporting():  # for a count that a graph leaves open; of one place there is no step
        place = torch.arange(count, device=device, dtype=torch.float32)
        stride = (last - first) / torch.sym_max(count - 1, 1)
        return torch.where(place < count / 2, first + place * stride, last - (count - 1 - place) * stride)
    ends = torch.tensor([first, last])
    step = ((ends[1] - ends[0]) / max(count - 1, 1)).double()
    place = torch.arange(count, dtype=torch.float64)
    from_first, from_last = ends[0] + place * step, ends[1] - (count - 1 - place) * step
    return torch.where(place < max(count // 2, 1), from_first, from_last).float().to(device)


class PositionEmbedding(nn.Linear):
    """A linear map of the grid: Locatello et al. 2020, appendix E.2, equation of the position embedding."""

    def __init__(self, features: int) -> None:
        super().__init__(4, features)

    def forward(self, height: int, width: int) -> Tensor:  # type: ignore[override]  # makes its own input
        """The embedding [n, d] of a grid of n = height * width places, row by row."""
        return super().forward(grid(height, width, self.weight))


class RawEncoder(nn.Sequential):
    """Features [b, c, h, w] of an image [b, 3, h, w] at its resolution: 5x5 convolutions and leaky ReLU.

    The published systems call these channels "the hidden dimensions of the MLP".
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        inputs = (3, *channels[:-1])
        super().__init__(
            *(nn.Conv2d(before, after, 5, padding=2) for before, after in zip(inputs, channels, strict=True))
        )

    def forward(self, image: Tensor) -> Tensor:
        features = image
        for layer in self.children():
            assert isinstance(layer, nn.Conv2d)
            features = leaky(apply(layer, features))
        return features


class Tokens(nn.Module):
    """Tokens [b, n, d] of features [b, c, h, w], n = h * w: position added, then two linear layers."""

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.position = PositionEmbedding(channels)
        self.first = nn.Linear(channels, features)
        self.second = nn.Linear(features, features)

    def forward(self, features: Tensor) -> Tensor:
        height, width = features.shape[2:]
        tokens = features.flatten(2).transpose(1, 2) + self.position(height, width)
        return self.second(leaky(self.first(tokens)))


UPSAMPLINGS = 4
NARROW = 64
ALPHA, COLOURS_AND_ALPHA = slice(3, 4), slice(0, 4)
"""Of the four output channels of the decoder's last layer: what masks need, and a reconstruction."""
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
    """Colours and mask logits, 16 r x 16 q pixels, of slots [b, s, d] broadcast to a grid of r x q places."""

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

    def forward(self, slots: Tensor, height: int, width: int, channels: slice = ALPHA) -> Tensor:
        """The wanted channels of the last layer, [b, s, c, 16 height, 16 width]."""
        batch, count, features = slots.shape
        places = self.position(height, width).T.view(1, features, height, width)
        cells = slots.reshape(batch * count, features, 1, 1) + places
        for up in self.ups[:-1]:
            cells = leaky(up(cells))
        if self.memory_binds(cells):
            # One slot at a time, its features made anew on the way back in place of being kept.
            each = [checkpoint(self.last, cell, channels, use_reentrant=False) for cell in cells.split(1)]
            decoded = torch.cat(each)
        else:
            decoded = self.last(cells, channels)
        return decoded.unflatten(0, (batch, count))

    def memory_binds(self, cells: Tensor) -> bool:
        """Whether the features at full resolution, [b * s, c, 2 h, 2 w] twice, are too much to be kept.

        Never on a GPU, where time is dearer, nor in a graph for other programs, which knows no way back.
        """
        if cells.device.type != "cpu" or torch.compiler.is_exporting():
            return False
        kept = 2 * cells.element_size() * len(cells) * self.full.in_channels * 4 * cells[0, 0].numel()
        return kept > MOST_KEPT

    def last(self, cells: Tensor, channels: slice) -> Tensor:
        """Channels [b * s, c', 2 h, 2 w] of features [b * s, c, h, w] at half resolution."""
        cells = leaky(self.ups[-1](cells))
        return self.painted(leaky(self.at_full_resolution(cells)), channels)

    def painted(self, cells: Tensor, channels: slice) -> Tensor:
        """Some of the final layer's four output channels, [b * s, c', h, w], of features [b * s, c, h, w]."""
        layer = self.colours_and_alpha
        assert layer.bias is not None
        return F.conv_transpose2d(cells, layer.weight[:, channels], layer.bias[channels], padding=1)

    def at_full_resolution(self, cells: Tensor) -> Tensor:
        """The layer `full`, written as the convolution that it is at stride 1."""
        layer = self.full
        assert layer.bias is not None
        return convolve(cells, layer.weight.transpose(0, 1).flip(2, 3), layer.bias, border=2)


HIDDEN = 64
"""Features of the hidden layer; no parameter, since no source names a value to depart from."""


class ForegroundHead(nn.Module):
    """How far each slot is foreground, [b, s] in (0, 1), of slots [b, s, d]."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, HIDDEN)
        self.output = nn.Linear(HIDDEN, 1)

    def forward(self, slots: Tensor) -> Tensor:
        return torch.sigmoid(self.output(torch.relu(self.hidden(slots)))).squeeze(2)


class ColourHead(nn.Module):
    """One colour a slot, [b, s, 3] in [-1, 1], of slots [b, s, d]."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, HIDDEN)
        self.output = nn.Linear(HIDDEN, 3)

    def forward(self, slots: Tensor) -> Tensor:
        return torch.tanh(self.output(torch.relu(self.hidden(slots))))


MaskNorm = Literal["softmax", "none"]


class Attended(NamedTuple):
    """What a slot head makes of a batch of images."""

    masks: Tensor
    """[b, s, h, w]: >= 0, and summing to 1 over the slots unless `mask_norm` is `none`."""
    foreground: Tensor | None
    """[b, s] in (0, 1): how far each slot is foreground; None unless `background` is `head`."""
    colours: Tensor | None
    """[b, s, 3, h, w] or [b, s, 3, 1, 1]: what a slot would paint; None where that was not asked for."""


class SlotHead(nn.Module):
    """Masks of features [b, c, h', w']: those that `decoder` makes of slots, else their attention."""

    def __init__(
        self,
        channels: int,
        features: int,
        attention: SlotAttention | PointwiseAttention,
        decoder: SlotDecoder | None,
        *,
        gated: bool,
        coloured: bool = False,
        mask_norm: MaskNorm = "softmax",
    ) -> None:
        super().__init__()
        self.mask_norm = mask_norm
        self.tokens = Tokens(channels, features)
        self.attention = attention
        self.decoder = decoder
        self.foreground = ForegroundHead(features) if gated else None
        self.colour = ColourHead(features) if coloured and decoder is None else None

    def forward(
        self, features: Tensor, noise: Tensor | None, height: int, width: int, colours: bool = False
    ) -> Attended:
        """`noise` [b, s, d] starts the slots; `height` and `width` are those of the image."""
        slots, attention = self.attention.bind(self.tokens(features), noise)
        painted: Tensor | None = None
        if self.decoder is None:
            masks = enlarged(attention.unflatten(2, features.shape[2:]), height, width)
            if self.colour is not None and colours:
                painted = self.colour(slots)[..., None, None]
        else:
            wanted = COLOURS_AND_ALPHA if colours else ALPHA
            decoded = self.decoder(slots, height // 16, width // 16, wanted)
            masks = self.normalise(decoded[:, :, -1])
            painted = decoded[:, :, :3] if colours else None
        return Attended(masks, None if self.foreground is None else self.foreground(slots), painted)

    def normalise(self, logits: Tensor) -> Tensor:
        """Masks of logits, both [b, s, h, w]."""
        if self.mask_norm == "softmax":
            return mask_softmax(logits)
        return torch.relu_(instance_norm(logits))


def enlarged(maps: Tensor, height: int, width: int) -> Tensor:
    """Maps [b, s, h', w'] at the size of the image, bilinearly: what sums to 1 still does."""
    if maps.shape[2:] == (height, width):
        return maps
    return F.interpolate(maps, (height, width), mode="bilinear", align_corners=False)


class RawSlotHead(SlotHead):
    """The same on the image itself, [b, 3, h, w], through an encoder of its own.

    `token_stride` s pools the image to its s-th part before the encoder (means of s x s pixels): a token then
    stands for that many.
    """

    def __init__(
        self,
        encoder: tuple[int, ...],
        token_stride: int,
        features: int,
        attention: SlotAttention | PointwiseAttention,
        decoder: SlotDecoder | None,
        *,
        gated: bool,
        coloured: bool = False,
        mask_norm: MaskNorm = "softmax",
    ) -> None:
        super().__init__(
            encoder[-1], features, attention, decoder, gated=gated, coloured=coloured, mask_norm=mask_norm
        )
        self.token_stride = token_stride
        self.encoder = RawEncoder(encoder)

    def attend_to(self, image: Tensor, noise: Tensor | None, colours: bool = False) -> Attended:
        """Masks of an image [b, 3, h, w]."""
        pooled = F.avg_pool2d(image, self.token_stride) if self.token_stride > 1 else image
        attended: Attended = self(self.encoder(pooled), noise, *image.shape[2:], colours)
        return attended


def raw_encoder_channels(encoder: tuple[int, ...], layers: int) -> tuple[int, ...]:
    """The channels after each of so many layers: further ones repeat the last, fewer keep it."""
    further = layers - len(encoder)
    kept = encoder[: layers - 1] if further < 0 else encoder[:-1]
    return kept + max(further + 1, 1) * encoder[-1:]
