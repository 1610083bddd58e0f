"""`encoded-slot5`: slot attention on the features that the trunk has encoded, not on the raw image.

The text of "9 Slots Are All You Need For Unpaired Image-to-Image Translation" (2023) describes it; no
published code has it. The tokens are the features after the residual blocks, at a quarter of the image's
height and width, so there is no second encoder; `encoder` shapes the decoder alone. One slot carries the
input.
"""

from torch import Tensor

from variants.background import background_index, contents_needed, with_background
from variants.contract import Generator, Noise, Translation, compose
from variants.registry import register
from variants.resnet_trunk import ResnetTrunk
from variants.slot_head import SlotHead, SlotParameters


@register(
    "encoded-slot5",
    summary="Slot attention on the trunk's encoded features, five slots.",
    slots=5,
    background="own",
)
class EncodedSlots(Generator):
    """Mask k weighs content k; the input comes last."""

    initialisation = "resnet"

    def __init__(self, parameters: SlotParameters) -> None:
        super().__init__()
        slots, self.mode = parameters.slots, parameters.background
        self.background = background_index(slots, self.mode, "last")
        self.convex = self.mode != "reuse"
        self.noise_shape = (slots, parameters.slot_size)
        self.head_initialisation = parameters.init
        self.trunk = ResnetTrunk(parameters.width, parameters.blocks, contents_needed(slots, self.mode))
        self.head = SlotHead(4 * parameters.width, parameters)

    def forward(self, image: Tensor, noise: Noise = None) -> Translation:
        features = self.trunk.encode(image)
        contents = self.trunk.make_contents(features)
        masks = self.head(features, self.draw_noise(len(image), noise), *image.shape[2:])
        contents, masks = with_background(contents, masks, image, self.mode, "last")
        return Translation(compose(contents, masks), contents, masks)
