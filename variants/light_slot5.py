"""`light-slot5`: the light trunk with masks by slot attention on the image, in the paper's figures 5 to 7.

The slot side of the paper's comparison at 128 px: five slots of 128 features, the first one for the input.
"""

from torch import Tensor

from variants.background import background_index, contents_needed, with_background
from variants.contract import Generator, Noise, Translation, compose
from variants.light_trunk import LightTrunk
from variants.published.light import LIGHT_SLOT5
from variants.registry import register
from variants.slot_head import RawSlotHead, SlotParameters


@register(
    "light-slot5",
    summary="The unofficial AttentionGAN's trunk, five masks by slot attention on the raw image.",
    slots=5,
    slot_size=128,
    encoder=(64, 64, 64, 128),
    background="own",
)
class LightSlots(Generator):
    """Mask 0 weighs the input, masks 1 to 4 the contents."""

    initialisation = "light"
    published = LIGHT_SLOT5

    def __init__(self, parameters: SlotParameters) -> None:
        super().__init__()
        slots, self.mode = parameters.slots, parameters.background
        self.background = background_index(slots, self.mode, "first")
        self.convex = self.mode != "reuse"
        self.noise_shape = (slots, parameters.slot_size)
        self.head_initialisation = parameters.init
        self.trunk = LightTrunk(parameters.width, parameters.blocks, contents_needed(slots, self.mode))
        self.head = RawSlotHead(parameters)

    def forward(self, image: Tensor, noise: Noise = None) -> Translation:
        masks = self.head.attend_to(image, self.draw_noise(len(image), noise))
        contents, masks = with_background(self.trunk(image), masks, image, self.mode, "first")
        return Translation(compose(contents, masks), contents, masks)
