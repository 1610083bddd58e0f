"""The mask head of the slot variants: tokens, slot attention, decoder, softmax over the slots.

Section 3 of "9 Slots Are All You Need For Unpaired Image-to-Image Translation" (2023), after Locatello et
al. 2020. As published the module decodes a second time and throws that away; the outputs are the same
without it, and it is not built here.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from variants.parameters import AtLeast, Length
from variants.slot_attention import SlotAttention
from variants.slot_decoder import SlotDecoder, decoder_channels
from variants.slot_encoder import RawEncoder, Tokens


@dataclass(frozen=True)
class SlotParameters:
    """Parameters of every slot variant; defaults of the published main model."""

    slots: Annotated[int, AtLeast(2), "Slots, hence masks."] = 9  # the paper's title
    iterations: Annotated[int, AtLeast(1), "Rounds of slot attention."] = 3  # Locatello et al. 2020
    slot_size: Annotated[int, AtLeast(1), "Features of a slot and of a token."] = 256
    encoder: Annotated[
        tuple[int, ...], AtLeast(1), Length(4), "Channels of the encoder; the decoder's follow from them."
    ] = (64, 64, 64, 256)
    decoder: Annotated[
        Literal["published", "narrow"],
        "Channels of the decoder: mirrored and wrapped around, or 64 throughout.",
    ] = "published"
    mlp_hidden: Annotated[int, AtLeast(1), "Hidden layer of the slots' MLP."] = 128
    background: Annotated[
        Literal["reuse", "own", "none"],
        "How the input is a content: weighed by a mask used twice, by a mask of its own, or not at all.",
    ] = "reuse"
    learned_init: Annotated[
        bool, "Train the mean and deviation that slots start from, as Locatello et al. do."
    ] = False
    init: Annotated[Literal["published", "default", "kaiming"], "How the mask head's weights are drawn."] = (
        "published"
    )
    width: Annotated[int, AtLeast(1), "Channels of the trunk's first layer."] = 64
    blocks: Annotated[int, AtLeast(0), "Residual blocks of the trunk."] = 9


class SlotHead(nn.Module):
    """Masks [b, s, h, w] of features [b, c, h', w'], summing to 1 over the slots at every pixel."""

    def __init__(self, channels: int, parameters: SlotParameters) -> None:
        super().__init__()
        size = parameters.slot_size
        self.tokens = Tokens(channels, size)
        self.attention = SlotAttention(
            size, parameters.iterations, parameters.mlp_hidden, parameters.learned_init
        )
        self.decoder = SlotDecoder(size, decoder_channels(parameters.decoder, parameters.encoder))

    def forward(self, features: Tensor, noise: Tensor, height: int, width: int) -> Tensor:
        """`noise` [b, s, d] starts the slots; `height` and `width` are those of the image."""
        slots = self.attention(self.tokens(features), noise)
        logits = self.decoder(slots, height // 16, width // 16)
        return torch.softmax(logits, dim=1)


class RawSlotHead(SlotHead):
    """The same on the image itself, [b, 3, h, w], through an encoder of its own."""

    def __init__(self, parameters: SlotParameters) -> None:
        super().__init__(parameters.encoder[-1], parameters)
        self.encoder = RawEncoder(parameters.encoder)

    def attend_to(self, image: Tensor, noise: Tensor) -> Tensor:
        """Masks [b, s, h, w] of an image [b, 3, h, w]."""
        return self(self.encoder(image), noise, *image.shape[2:])
