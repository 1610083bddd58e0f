"""The parameters of the slot variants: most are ablations of section 7 of the paper, see docs/variants.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from variants.errors import VariantError
from variants.parameters import AbsentWhenOff, AtLeast, AtMost, Length

TOKEN_STRIDES = (1, 2, 4)


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
        Literal["fresh", "shared", "none"],
        "Slots start from noise drawn for every image; drawn once and kept with the weights; or, without it, "
        "from queries of their own, which are trained (Jia et al. 2023).",
    ] = "fresh"
    init: Annotated[Literal["published", "default", "kaiming"], "How the mask head's weights are drawn."] = (
        "published"
    )
    width: Annotated[int, AtLeast(1), AtMost(8192), "Channels of the trunk's first layer."] = 64
    blocks: Annotated[int, AtLeast(0), AtMost(1024), "Residual blocks of the trunk."] = 9
    masks: Annotated[
        Literal["decoder", "attention"],
        AbsentWhenOff(),
        "Masks are decoded from the slots, or are the attention of the last round, enlarged.",
    ] = "decoder"
    reconstruct: Annotated[
        float,
        AtLeast(0),
        AtMost(1e6),
        AbsentWhenOff(),
        "Weight of a loss of its own: mean square of a real image less the sum of mask times colour.",
    ] = 0.0  # Locatello et al. 2020, section 3.1, train on this alone
    gradient: Annotated[
        Literal["last", "all"],
        AbsentWhenOff(),
        "Of noise=none: gradients of the last round alone reach the queries, straight through, or of all.",
    ] = "last"
    norm_eps: Annotated[
        float,
        AtLeast(1e-12),
        AtMost(1.0),
        AbsentWhenOff(),
        "Added to the variance of a token where it is normalised.",
    ] = 1e-5  # torch's LayerNorm

    def __post_init__(self) -> None:
        if self.noise == "none" and self.slot_init == "shared":
            raise VariantError(
                "noise=none with slot_init=shared makes all slots the same. Give every slot its own start: "
                "slot_init=own,noise=none."
            )

    def check_given(self, given: Mapping[str, object]) -> None:
        """Raise VariantError where a name gives an idle parameter; a protocol's may be idle."""
        if self.noise != "none" and "gradient" in given:
            raise VariantError(
                f"gradient={self.gradient} has nothing to say with noise={self.noise}, where gradients pass "
                "all rounds. Leave it out, or take noise=none."
            )
        if self.masks == "attention" and "decoder" in given:
            raise VariantError(
                f"decoder={self.decoder} has nothing to say with masks=attention, which builds no decoder. "
                "Leave it out, or take masks=decoder."
            )


@dataclass(frozen=True)
class RawSlotParameters(SlotParameters):
    """Parameters of a slot variant with an encoder of its own."""

    encoder_layers: Annotated[
        int,
        AtLeast(1),
        AtMost(64),
        "Layers of the encoder; those beyond four have as many channels as the fourth, which fewer keep.",
    ] = 4
    token_stride: Annotated[
        int, AtLeast(1), AbsentWhenOff(), "The image is pooled to this part before the encoder: 1, 2 or 4."
    ] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.token_stride not in TOKEN_STRIDES:
            raise VariantError(f"token_stride={self.token_stride} is not allowed: it is one of 1, 2, 4.")


def raw_encoder_channels(encoder: tuple[int, ...], layers: int) -> tuple[int, ...]:
    """The channels after each of so many layers: further ones repeat the last, fewer keep it."""
    further = layers - len(encoder)
    kept = encoder[: layers - 1] if further < 0 else encoder[:-1]
    return kept + max(further + 1, 1) * encoder[-1:]


@dataclass(frozen=True)
class LightSlotParameters(RawSlotParameters):
    """Parameters of the slot side of the light pair; `mask_norm` is that of `light-spatial5`."""

    mask_norm: Annotated[
        Literal["softmax", "none"],
        "A softmax over the slots as published, or instance normalisation and ReLU as in light-spatial5.",
    ] = "softmax"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.masks == "attention" and self.mask_norm == "none":
            raise VariantError("mask_norm=none needs masks=decoder: attention is a softmax already.")
