"""The mask head of the slot variants: tokens, slot attention, decoder, softmax over the slots.

Section 3 of "9 Slots Are All You Need For Unpaired Image-to-Image Translation" (2023), after Locatello et
al. 2020. As published the module decodes a second time and throws that away; the outputs are the same
without it, and it is not built here.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from variants.foreground import ForegroundHead
from variants.layers import instance_norm, mask_softmax
from variants.slot_attention import SlotAttention
from variants.slot_decoder import SlotDecoder, decoder_channels
from variants.slot_encoder import RawEncoder, Tokens
from variants.slot_parameters import RawSlotParameters, SlotParameters

MaskNorm = Literal["softmax", "none"]


class Attended(NamedTuple):
    """What a slot head makes of a batch of images."""

    masks: Tensor
    """[b, s, h, w]: >= 0, and summing to 1 over the slots unless `mask_norm` is `none`."""
    foreground: Tensor | None
    """[b, s] in (0, 1): how far each slot is foreground; None unless `background` is `head`."""


class SlotHead(nn.Module):
    """Masks of features [b, c, h', w']."""

    def __init__(self, channels: int, parameters: SlotParameters, mask_norm: MaskNorm = "softmax") -> None:
        super().__init__()
        size = parameters.slot_size
        self.mask_norm = mask_norm
        self.tokens = Tokens(channels, size)
        self.attention = SlotAttention(
            size,
            parameters.iterations,
            parameters.mlp_hidden,
            parameters.learned_init,
            own_starts=parameters.slots if parameters.slot_init == "own" else None,
        )
        self.decoder = SlotDecoder(
            size,
            decoder_channels(parameters.decoder, parameters.encoder),
            resize=parameters.decoder == "resize",
        )
        self.foreground = ForegroundHead(size) if parameters.background == "head" else None

    def forward(self, features: Tensor, noise: Tensor, height: int, width: int) -> Attended:
        """`noise` [b, s, d] starts the slots; `height` and `width` are those of the image."""
        slots = self.attention(self.tokens(features), noise)
        masks = self.normalise(self.decoder(slots, height // 16, width // 16))
        return Attended(masks, None if self.foreground is None else self.foreground(slots))

    def normalise(self, logits: Tensor) -> Tensor:
        """Masks of logits, both [b, s, h, w]."""
        if self.mask_norm == "softmax":
            return mask_softmax(logits)
        return torch.relu_(instance_norm(logits))


class RawSlotHead(SlotHead):
    """The same on the image itself, [b, 3, h, w], through an encoder of its own."""

    def __init__(self, parameters: RawSlotParameters, mask_norm: MaskNorm = "softmax") -> None:
        super().__init__(parameters.encoder[-1], parameters, mask_norm)
        further = parameters.encoder_layers - len(parameters.encoder)
        self.encoder = RawEncoder(parameters.encoder + further * parameters.encoder[-1:])

    def attend_to(self, image: Tensor, noise: Tensor) -> Attended:
        """Masks of an image [b, 3, h, w]."""
        attended: Attended = self(self.encoder(image), noise, *image.shape[2:])
        return attended
