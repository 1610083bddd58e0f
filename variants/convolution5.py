"""`convolution5`: the control of slot attention with a convolution in its place, everything else equal.

The trunk, encoder, position code, token norm, gate and enlarging of `slot5[masks=attention]`; in place of the
slots one 1x1 convolution to as many logits, and their softmax. The first round of slot attention with trained
queries is exactly this, so what slots are worth is what they add to it: if this does as well, it is the
segmentation of colour and texture that works, not slots.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from torch import Tensor

from variants.contract import Noise
from variants.parameters import AtLeast, AtMost, Length
from variants.parts.masks import contents_needed
from variants.parts.slot_attention import PointwiseAttention
from variants.parts.slot_head import Attended, RawSlotHead
from variants.parts.trunks import ResnetTrunk
from variants.registry import register
from variants.slot_generator import AttendingGenerator
from variants.slot_parameters import raw_encoder_channels


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
    init: Annotated[Literal["published", "default", "kaiming"], "How the mask head's weights are drawn."] = (
        "published"
    )
    width: Annotated[int, AtLeast(1), AtMost(8192), "Channels of the trunk's first layer."] = 64
    blocks: Annotated[int, AtLeast(0), AtMost(1024), "Residual blocks of the trunk."] = 9


@register(
    "convolution5",
    summary="Control: five masks by a 1x1 convolution of slot5's tokens, in place of slot attention.",
    kind="control",
)
class Convolution(AttendingGenerator):
    """Mask k weighs content k; the input comes last."""

    initialisation = "resnet"

    def __init__(self, parameters: ConvolutionParameters) -> None:
        super().__init__(parameters.slots, parameters.background, parameters.reconstruct)
        self.head_initialisation = parameters.init
        contents = contents_needed(parameters.slots, parameters.background)
        self.trunk = ResnetTrunk(parameters.width, parameters.blocks, contents)
        self.head = RawSlotHead(
            raw_encoder_channels(parameters.encoder, parameters.encoder_layers),
            parameters.token_stride,
            parameters.slot_size,
            PointwiseAttention(parameters.slot_size, parameters.slots, parameters.norm_eps),
            None,
            gated=parameters.background == "head",
            coloured=parameters.reconstruct > 0,
        )

    def attend(self, image: Tensor, noise: Noise, colours: bool = False) -> tuple[Tensor, Attended]:
        contents = self.trunk.make_contents(self.trunk.encode(image))
        return contents, self.head.attend_to(image, None, colours)
