"""What the slot variants share: how their slots start, and how masks weigh contents and the input."""

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from variants.contract import Generator, Noise, Translation, compose
from variants.parts.masks import Background, Place, background_index, with_background
from variants.parts.slot_attention import PointwiseAttention, SlotAttention
from variants.parts.slot_head import (
    Attended,
    MaskNorm,
    RawSlotHead,
    SlotDecoder,
    decoder_channels,
    raw_encoder_channels,
)
from variants.shipped import ConvolutionParameters, RawSlotParameters, SlotParameters


class SharedNoise(nn.Module):
    """One draw [1, s, d] of the slot noise, kept with the weights and used for every image."""

    values: Tensor

    def __init__(self, slots: int, features: int) -> None:
        super().__init__()
        self.register_buffer("values", torch.randn(1, slots, features))

    def forward(self, batch: int) -> Tensor:
        """The noise [b, s, d] of a batch."""
        return self.values.expand(batch, -1, -1)

    def draw_weights(self, draw: Callable[[str], torch.Generator]) -> None:
        """Draw anew, standard normal as fresh noise is."""
        self.values.normal_(generator=draw("values"))


def slot_attention(parameters: SlotParameters) -> SlotAttention:
    """The slot attention of a head with these parameters."""
    return SlotAttention(
        parameters.slot_size,
        parameters.iterations,
        parameters.mlp_hidden,
        parameters.learned_init,
        own_starts=parameters.slots if parameters.slot_init == "own" else None,
        queries=parameters.noise == "none",
        straight=parameters.gradient == "last",
        norm_eps=parameters.norm_eps,
    )


def slot_decoder(parameters: SlotParameters) -> SlotDecoder | None:
    """The decoder of a head with these parameters; None where attention itself is the masks."""
    if parameters.masks == "attention":
        return None
    channels = decoder_channels(parameters.decoder, parameters.encoder)
    return SlotDecoder(parameters.slot_size, channels, resize=parameters.decoder == "resize")


def raw_slot_head(
    parameters: RawSlotParameters | ConvolutionParameters,
    attention: SlotAttention | PointwiseAttention,
    decoder: SlotDecoder | None,
    mask_norm: MaskNorm = "softmax",
) -> RawSlotHead:
    """The head on the raw image with these parameters."""
    return RawSlotHead(
        raw_encoder_channels(parameters.encoder, parameters.encoder_layers),
        parameters.token_stride,
        parameters.slot_size,
        attention,
        decoder,
        gated=parameters.background == "head",
        coloured=parameters.reconstruct > 0,
        mask_norm=mask_norm,
    )


class AttendingGenerator(Generator):
    """Base of generators whose head gives every content a mask; a subclass adds trunk and head.

    With `reconstruct` it has a loss of its own: the mean square of what is left of an image when every slot
    paints its mask in its colour (Locatello et al. 2020, section 3.1, where it is the only loss).
    """

    place: ClassVar[Place] = "last"
    """Where the input comes among contents and masks."""

    def __init__(self, masks: int, mode: Background, reconstruct: float) -> None:
        super().__init__()
        self.mode = mode
        self.background = background_index(masks, mode, self.place)
        self.convex = mode != "reuse"
        self.reconstruct = reconstruct
        self.own_losses = ("reconstruction",) if reconstruct > 0 else ()

    @abstractmethod
    def attend(self, image: Tensor, noise: Noise, colours: bool = False) -> tuple[Tensor, Attended]:
        """The trunk's contents [b, k, 3, h, w] of images [b, 3, h, w], and what the head makes of them."""

    def forward(self, image: Tensor, noise: Noise = None) -> Translation:
        return self.weigh(*self.attend(image, noise), image)

    def with_losses(
        self, image: Tensor, noise: Noise = None, mask: Tensor | None = None
    ) -> tuple[Translation, dict[str, Tensor]]:
        """As `Generator.with_losses`: the reconstruction, where it has a weight."""
        if not self.own_losses:
            return super().with_losses(image, noise, mask)
        contents, attended = self.attend(image, noise, colours=True)
        loss = self.reconstruct * reconstruction_error(image, attended)
        return self.weigh(contents, attended, image), {"reconstruction": loss}

    def weigh(self, contents: Tensor, attended: Attended, image: Tensor) -> Translation:
        """The translation of images [b, 3, h, w] by contents [b, k, 3, h, w] and the masks of the head."""
        contents, masks = with_background(
            contents, attended.masks, image, self.mode, self.place, attended.foreground
        )
        return Translation(compose(contents, masks), contents, masks)


class SlotGenerator(AttendingGenerator):
    """Base of the slot variants: how their slots start."""

    def __init__(self, parameters: SlotParameters) -> None:
        super().__init__(parameters.slots, parameters.background, parameters.reconstruct)
        shape = (parameters.slots, parameters.slot_size)
        self.noise_shape = shape if parameters.noise == "fresh" else None
        self.shared_noise = SharedNoise(*shape) if parameters.noise == "shared" else None
        self.head_initialisation = parameters.init
        self.spares_memory = parameters.masks == "decoder"

    def starting_noise(self, batch: int, noise: Noise) -> Tensor | None:
        """The noise [b, s, d] that slots start from: the kept one, whatever is given, or a draw, or none."""
        if self.shared_noise is not None:
            kept: Tensor = self.shared_noise(batch)
            return kept
        return None if self.noise_shape is None else self.draw_noise(batch, noise)


def reconstruction_error(image: Tensor, attended: Attended) -> Tensor:
    """Mean square of images [b, 3, h, w] in [-1, 1] less the sum over slots of mask times colour."""
    assert attended.colours is not None  # asked for
    painted = (attended.masks.unsqueeze(2) * attended.colours).sum(dim=1)
    return (painted.float() - image.float()).square().mean()
