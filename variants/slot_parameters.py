"""The parameters of the slot variants: most are ablations of section 7 of the paper, see docs/variants.md."""

from dataclasses import dataclass
from typing import Annotated, Literal

from variants.parameters import AtLeast, AtMost, Length


@dataclass(frozen=True)
class SlotParameters:
    """Parameters of every slot variant; defaults of the published main model."""

    slots: Annotated[int, AtLeast(2), AtMost(1024), "Slots, hence masks."] = 9  # the paper's title
    iterations: Annotated[int, AtLeast(1), AtMost(1024), "Rounds of slot attention."] = (
        3  # Locatello et al. 2020
    )
    slot_size: Annotated[int, AtLeast(1), AtMost(8192), "Features of a slot and of a token."] = 256
    encoder: Annotated[
        tuple[int, ...],
        AtLeast(1),
        AtMost(8192),
        Length(4),
        "Channels of the encoder; the decoder's follow from them.",
    ] = (64, 64, 64, 256)
    decoder: Annotated[
        Literal["published", "narrow", "resize"],
        "Channels mirrored and wrapped around; 64 throughout; or as published, enlarging by repetition.",
    ] = "published"
    mlp_hidden: Annotated[int, AtLeast(1), AtMost(8192), "Hidden layer of the slots' MLP."] = 128
    background: Annotated[
        Literal["reuse", "own", "none", "head"],
        "How the input is a content: weighed by a mask used twice, by a mask of its own, not at all, or by "
        "what a small head says is not foreground.",
    ] = "reuse"
    learned_init: Annotated[
        bool, "Train the mean and deviation that slots start from, as Locatello et al. do."
    ] = False
    slot_init: Annotated[
        Literal["shared", "own"],
        "Slots start from one mean and deviation, or each from its own and so bound to its content.",
    ] = "shared"
    noise: Annotated[
        Literal["fresh", "shared"],
        "Slots start from noise drawn for every image, or drawn once and kept with the weights.",
    ] = "fresh"
    init: Annotated[Literal["published", "default", "kaiming"], "How the mask head's weights are drawn."] = (
        "published"
    )
    width: Annotated[int, AtLeast(1), AtMost(8192), "Channels of the trunk's first layer."] = 64
    blocks: Annotated[int, AtLeast(0), AtMost(1024), "Residual blocks of the trunk."] = 9


@dataclass(frozen=True)
class RawSlotParameters(SlotParameters):
    """Parameters of a slot variant with an encoder of its own."""

    encoder_layers: Annotated[
        int,
        AtLeast(4),
        AtMost(64),
        "Layers of the encoder; those beyond four have as many channels as the fourth.",
    ] = 4


@dataclass(frozen=True)
class LightSlotParameters(RawSlotParameters):
    """Parameters of the slot side of the light pair; `mask_norm` is that of `light-spatial5`."""

    mask_norm: Annotated[
        Literal["softmax", "none"],
        "A softmax over the slots as published, or instance normalisation and ReLU as in light-spatial5.",
    ] = "softmax"
