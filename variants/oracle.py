"""`oracle` and `shuffled`: the controls that are told what is foreground, or what is foreground elsewhere.

The trunk of `spatial` with one content. Its mask is not learned: it is the data set's own mask of the image,
so that the foreground is translated, the background is the input, and nothing is left for attention to find.
What perfect attention is worth is what `oracle` gains. `shuffled` takes the mask of another image of the same
domain, of the right kind and in the wrong place: what is gained by having any such mask at all. On the way
back both take the mask that they had on the way forth. Images that have no masks they cannot translate.
"""

import torch
from torch import Tensor

from variants.contract import Generator, Noise, Translation, WantedMasks, compose
from variants.parts.trunks import ResnetTrunk
from variants.shipped import TrunkParameters


class Oracle(Generator):
    """Mask 1 is the foreground and weighs the content, mask 2 what remains and weighs the input."""

    convex = True
    background = 1
    initialisation = "resnet"
    wants_masks: WantedMasks | None = "own"

    def __init__(self, parameters: TrunkParameters) -> None:
        super().__init__()
        self.trunk = ResnetTrunk(parameters.width, parameters.blocks, contents=1)

    def forward(self, image: Tensor, noise: Noise = None, mask: Tensor | None = None) -> Translation:
        assert mask is not None  # __call__ refuses
        contents = self.trunk.make_contents(self.trunk.encode(image))
        contents = torch.cat([contents, image.unsqueeze(1)], dim=1)
        foreground = mask.to(image)
        masks = torch.cat([foreground, 1 - foreground], dim=1)
        return Translation(compose(contents, masks), contents, masks)


class Shuffled(Oracle):
    """The same masks in the wrong places."""

    wants_masks = "other"

    def __init__(self, parameters: TrunkParameters) -> None:
        super().__init__(parameters)
