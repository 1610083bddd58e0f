"""`slot9` and `slot5`: the trunk of AttentionGAN v2, masks by slot attention on the raw image.

The main model of "9 Slots Are All You Need For Unpaired Image-to-Image Translation" (2023). Kept as
published: the last mask weighs its content and, a second time, the input, so that the weights sum to
1 + that mask and the output can leave [-1, 1]. `background=own` gives the input a slot of its own instead.
`slot5` is the same with the paper's smaller number of slots.

`attentive-slot5` is not the paper's: what slots attended to is not thrown away but weighs the contents, and
every slot starts from a trained query of its own in place of noise. The input is no content, so that nothing
is gained by copying it (docs/attentive-slot5.md).
"""

from torch import Tensor

from variants.contract import Noise
from variants.parts.masks import contents_needed
from variants.parts.slot_generator import SlotGenerator, raw_slot_head, slot_attention, slot_decoder
from variants.parts.slot_head import Attended
from variants.parts.trunks import ResnetTrunk
from variants.published.names import SLOT9
from variants.shipped import RawSlotParameters


class RawSlots(SlotGenerator):
    """Mask k weighs content k; the input comes last."""

    initialisation = "resnet"
    published = SLOT9

    def __init__(self, parameters: RawSlotParameters) -> None:
        super().__init__(parameters)
        contents = contents_needed(parameters.slots, parameters.background)
        self.trunk = ResnetTrunk(parameters.width, parameters.blocks, contents)
        self.head = raw_slot_head(parameters, slot_attention(parameters), slot_decoder(parameters))

    def attend(self, image: Tensor, noise: Noise, colours: bool = False) -> tuple[Tensor, Attended]:
        contents = self.trunk.make_contents(self.trunk.encode(image))
        return contents, self.head.attend_to(image, self.starting_noise(image.shape[0], noise), colours)
