"""The generators of this package: their names, their parameters with defaults and ranges, and where they are.

Most parameters of the slot variants are ablations of section 7 of the paper, see docs/variants.md. Nothing
here needs torch: a class is imported when it is built.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from variants.registry import declare
from variants.registry.parameters import AbsentWhenOff, AtLeast, AtMost, Length, VariantError

Width = Annotated[int, AtLeast(1), AtMost(8192), "Channels of the trunk's first layer."]
Blocks = Annotated[int, AtLeast(0), AtMost(1024), "Residual blocks of the trunk."]
HeadInit = Annotated[Literal["published", "default", "kaiming"], "How the mask head's weights are drawn."]
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
    init: HeadInit = "published"
    width: Width = 64
    blocks: Blocks = 9
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


declare(
    "encoded-slot5",
    "variants.encoded_slot5:EncodedSlots",
    SlotParameters,
    summary="Slot attention on the trunk's encoded features, five slots.",
    slots=5,
    background="own",
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


declare(
    "slot9",
    "variants.raw_slots:RawSlots",
    RawSlotParameters,
    summary="The paper's main model: slot attention on the raw image, nine slots.",
)
declare(
    "slot5", "variants.raw_slots:RawSlots", RawSlotParameters, summary="As slot9 with five slots.", slots=5
)
declare(
    "attentive-slot5",
    "variants.raw_slots:RawSlots",
    RawSlotParameters,
    summary="Slots that attend: the attention of five slots on the raw image is the masks.",
    slots=5,
    background="none",
    slot_init="own",
    noise="none",
    init="kaiming",
    masks="attention",
    gradient="all",
    token_stride=2,
)


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


declare(
    "light-slot5",
    "variants.light_slot5:LightSlots",
    LightSlotParameters,
    summary="The unofficial AttentionGAN's trunk, five masks by slot attention on the raw image.",
    slots=5,
    slot_size=128,
    encoder=(64, 64, 64, 128),
    background="own",
)


@dataclass(frozen=True)
class TrunkParameters:
    """The ResNet trunk, with the defaults of the published code."""

    width: Width = 64
    blocks: Blocks = 9


@dataclass(frozen=True)
class SpatialParameters(TrunkParameters):
    """Defaults as in the published code."""

    contents: Annotated[
        int, AtLeast(1), AtMost(1024), "Content images beside the input; masks are one more."
    ] = 9
    init: HeadInit = "published"


declare(
    "spatial",
    "variants.spatial:Spatial",
    SpatialParameters,
    summary="AttentionGAN v2: spatial attention, nine contents and the input, softmax.",
)


@dataclass(frozen=True)
class LightSpatialParameters:
    """Defaults as in the published code."""

    masks: Annotated[int, AtLeast(2), AtMost(1024), "Masks; the first one weighs the input."] = 5
    mask_norm: Annotated[
        Literal["none", "softmax"], "ReLU as published, or in its place a softmax over the masks."
    ] = "none"
    init: HeadInit = "published"
    width: Annotated[int, AtLeast(1), AtMost(8192), "Channels of the trunk's and the head's first layer."] = (
        64
    )
    blocks: Blocks = 9


declare(
    "light-spatial5",
    "variants.light_spatial5:LightSpatial",
    LightSpatialParameters,
    summary="The unofficial AttentionGAN: five unnormalised spatial masks.",
)


@dataclass(frozen=True)
class UniformParameters(TrunkParameters):
    """Defaults as of `spatial`."""

    contents: Annotated[
        int, AtLeast(1), AtMost(1024), "Content images beside the input; masks are one more."
    ] = 9


declare(
    "uniform",
    "variants.controls:Uniform",
    UniformParameters,
    summary="Control: the trunk of spatial, masks fixed at 1/10.",
    kind="control",
)


declare(
    "oracle",
    "variants.controls:Oracle",
    TrunkParameters,
    summary="Control: the data set's own foreground masks in place of attention; nothing in them is learned.",
    kind="control",
)
declare(
    "shuffled",
    "variants.controls:Shuffled",
    TrunkParameters,
    summary="Control: as oracle, with the foreground mask of another image of the domain.",
    kind="control",
)


@dataclass(frozen=True)
class KMeansParameters(TrunkParameters):
    """The trunk as in `spatial`; four contents and the input are five clusters."""

    contents: Annotated[
        int, AtLeast(1), AtMost(1024), "Content images beside the input; clusters are one more."
    ] = 4


declare(
    "kmeans5",
    "variants.controls:KMeans",
    KMeansParameters,
    summary="Control: five clusters of the image's colours and places as masks; nothing in them is learned.",
    kind="control",
)


@dataclass(frozen=True)
class ConvolutionParameters:
    """Those of `slot5` that a head without slots has, with its defaults."""

    slots: Annotated[int, AtLeast(2), AtMost(1024), "Channels of the convolution, hence masks."] = 5
    slot_size: Annotated[int, AtLeast(1), AtMost(8192), "Features of a token."] = 256
    encoder: Annotated[tuple[int, ...], AtLeast(1), AtMost(8192), Length(4), "Channels of the encoder."] = (
        64,
        64,
        64,
        256,
    )
    encoder_layers: Annotated[int, AtLeast(1), AtMost(64), "Layers of the encoder, as in slot5."] = 4
    token_stride: Annotated[
        int, AtLeast(1), AtMost(4), "The image is pooled to this part before the encoder."
    ] = 1
    norm_eps: Annotated[
        float, AtLeast(1e-12), AtMost(1.0), "Added to a token's variance where it is normalised."
    ] = 1e-5
    background: Annotated[
        Literal["own", "reuse", "none", "head"], "How the input is a content, as in slot5."
    ] = "own"
    reconstruct: Annotated[float, AtLeast(0), AtMost(1e6), "Weight of the reconstruction, as in slot5."] = 0.0
    init: HeadInit = "published"
    width: Width = 64
    blocks: Blocks = 9


declare(
    "convolution5",
    "variants.controls:Convolution",
    ConvolutionParameters,
    summary="Control: five masks by a 1x1 convolution of slot5's tokens, in place of slot attention.",
    kind="control",
)
