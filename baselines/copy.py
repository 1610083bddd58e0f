"""`copy`: returns its input. What any translation must beat, and the ceiling of every distance."""

from torch import Tensor

from variants.contract import Generator, Noise, Translation


class Copy(Generator):
    """One content, the input, without a mask."""

    def forward(self, image: Tensor, noise: Noise = None) -> Translation:
        return Translation(image, image.unsqueeze(1), None)
