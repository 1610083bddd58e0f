"""`encoded-slot5`: slot attention on the features that the trunk has encoded, not on the raw image.

The text of "9 Slots Are All You Need For Unpaired Image-to-Image Translation" (2023) describes it; no
published code has it. The tokens are the features after the residual blocks, at a quarter of the image's
height and width, so there is no second encoder; `encoder` shapes the decoder alone. One slot carries the
input.
"""

from torch import Tensor

from variants.contract import Noise
from variants.parts.masks import contents_needed
from variants.parts.slot_generator import SlotGenerator, slot_attention, slot_decoder
from variants.parts.slot_head import Attended, SlotHead
from variants.parts.trunks import ResnetTrunk
from variants.shipped import SlotParameters


class EncodedSlots(SlotGenerator):
    """Mask k weighs content k; the input comes last."""

    initialisation = "resnet"

    def __init__(self, parameters: SlotParameters) -> None:
        super().__init__(parameters)
        contents = contents_needed(parameters.slots, parameters.background)
        self.trunk = ResnetTrunk(parameters.width, parameters.blocks, contents)
        self.head = SlotHead(
            4 * parameters.width,
            parameters.slot_size,
            slot_attention(parameters),
            slot_decoder(parameters),
            gated=parameters.background == "head",
            coloured=parameters.reconstruct > 0,
        )

    def attend(self, image: Tensor, noise: Noise, colours: bool = False) -> tuple[Tensor, Attended]:
        features = self.trunk.encode(image)
        started = self.starting_noise(image.shape[0], noise)
        return self.trunk.make_contents(features), self.head(features, started, *image.shape[2:], colours)
