"""`convolution5`: the control of slot attention with a convolution in its place, everything else equal.

The trunk, encoder, position code, token norm, gate and enlarging of `slot5[masks=attention]`; in place of the
slots one 1x1 convolution to as many logits, and their softmax. The first round of slot attention with trained
queries is exactly this, so what slots are worth is what they add to it: if this does as well, it is the
segmentation of colour and texture that works, not slots.
"""

from torch import Tensor

from variants.contract import Noise
from variants.parts.masks import contents_needed
from variants.parts.slot_attention import PointwiseAttention
from variants.parts.slot_generator import AttendingGenerator
from variants.parts.slot_head import Attended, RawSlotHead, raw_encoder_channels
from variants.parts.trunks import ResnetTrunk
from variants.shipped import ConvolutionParameters


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
