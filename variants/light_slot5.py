"""`light-slot5`: the light trunk with masks by slot attention on the image, in the paper's figures 5 to 7.

The slot side of the paper's comparison at 128 px: five slots of 128 features, the first one for the input.
Its masks end in a softmax and those of `light-spatial5` in instance normalisation and ReLU; `mask_norm=none`
ends these like those, so that a comparison changes the head alone.
"""

from torch import Tensor

from variants.contract import Noise
from variants.parts.masks import contents_needed
from variants.parts.slot_generator import SlotGenerator, raw_slot_head, slot_attention, slot_decoder
from variants.parts.slot_head import Attended
from variants.parts.trunks import LightTrunk
from variants.published.names import LIGHT_SLOT5
from variants.shipped import LightSlotParameters


class LightSlots(SlotGenerator):
    """Mask 0 weighs the input, masks 1 to 4 the contents."""

    place = "first"
    initialisation = "light"
    published = LIGHT_SLOT5

    def __init__(self, parameters: LightSlotParameters) -> None:
        super().__init__(parameters)
        contents = contents_needed(parameters.slots, parameters.background)
        self.convex = self.convex and parameters.mask_norm == "softmax"
        self.trunk = LightTrunk(parameters.width, parameters.blocks, contents)
        self.head = raw_slot_head(
            parameters, slot_attention(parameters), slot_decoder(parameters), parameters.mask_norm
        )

    def attend(self, image: Tensor, noise: Noise, colours: bool = False) -> tuple[Tensor, Attended]:
        attended = self.head.attend_to(image, self.starting_noise(image.shape[0], noise), colours)
        return self.trunk(image), attended
