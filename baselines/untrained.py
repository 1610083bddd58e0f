"""Baselines that are not trained: `copy` returns its input, `colour` knows the colours of both domains alone.

`copy` is what any translation must beat, and the ceiling of every distance.

`colour` gives the colours of one domain the mean and the spread of the other's, and nothing else. Reinhard et
al. 2001, "Color Transfer between Images", equations 4 to 11, in l-alpha-beta: lightness, yellow-blue and
red-green, nearly uncorrelated in natural scenes (Ruderman, Cronin and Chiao 1998). RGB is taken as it is
stored, its gamma not undone, as in the paper. What a translator must beat before it deserves the name: it
knows six numbers of either domain and no shape.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from variants.contract import Generator, Noise, Translation

CONSTANT = 1e-6
"""A channel with a smaller standard deviation is taken for constant, as in a domain of grey images."""
RGB_TO_LMS = ((0.3811, 0.5783, 0.0402), (0.1967, 0.7244, 0.0782), (0.0241, 0.1288, 0.8444))
"""The responses of the three kinds of cones to red, green and blue: equation 4."""

SUMS = ((1.0, 1.0, 1.0), (1.0, 1.0, -2.0), (1.0, -1.0, 0.0))
LENGTHS = (3**-0.5, 6**-0.5, 2**-0.5)
"""Equation 6: each of the sums of the logarithms, scaled to unit length."""


class Copy(Generator):
    """One content, the input, without a mask."""

    def forward(self, image: Tensor, noise: Noise = None) -> Translation:
        return Translation(image, image.unsqueeze(1), None)


class Colour(Generator):
    """One content, without a mask; every pixel is changed by itself and all of them alike.

    The paper transfers the statistics of one image to another. Domains are unpaired, so they take the place
    of images: mean and standard deviation of each channel over all pixels of the training images, on either
    side. Colours that leave the range of RGB are clipped to it, each channel by itself. Until it is fitted
    it returns its input.
    """

    source_mean: Tensor
    source_deviation: Tensor
    target_mean: Tensor
    target_deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        for domain in ("source", "target"):
            self.register_buffer(f"{domain}_mean", torch.zeros(3))
            self.register_buffer(f"{domain}_deviation", torch.ones(3))

    @torch.no_grad()
    def fit(self, source: Iterable[Tensor], target: Iterable[Tensor]) -> None:
        """Take the statistics of both domains from their training images."""
        for domain, images in (("source", source), ("target", target)):
            mean, deviation = lab_statistics(images)
            getattr(self, f"{domain}_mean").copy_(mean)
            getattr(self, f"{domain}_deviation").copy_(deviation)

    def transfer(self, lab: Tensor) -> Tensor:
        """Equations 10 and 11 on l-alpha-beta images [b, 3, h, w]; not clipped.

        A channel that is constant in the source domain is moved and not stretched.
        """
        stretch = self.target_deviation / self.source_deviation
        stretch = torch.where(self.source_deviation < CONSTANT, 1.0, stretch)
        source_mean, factor, target_mean = (
            channels.to(lab).view(3, 1, 1) for channels in (self.source_mean, stretch, self.target_mean)
        )
        return (lab - source_mean) * factor + target_mean

    def forward(self, image: Tensor, noise: Noise = None) -> Translation:
        translated = to_rgb(self.transfer(to_lab(image))).clamp(-1, 1)
        return Translation(translated, translated.unsqueeze(1), None)


def lab_statistics(batches: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """(mean, standard deviation) of each channel, [3] each in float64, over all pixels of all images.

    Images are RGB, [b, 3, h, w] in [-1, 1], of any number of sizes. Raises ValueError where there are none.
    """
    count, total, squares = 0, torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    for batch in batches:
        lab = to_lab(batch.double().cpu())
        count += lab[:, 0].numel()
        total += lab.sum((0, 2, 3))
        squares += lab.square().sum((0, 2, 3))
    if not count:
        raise ValueError("there are no images to take the colours of")
    mean = total / count
    return mean, (squares / count - mean.square()).clamp_min(0).sqrt()


def to_lab(image: Tensor) -> Tensor:
    """RGB images [b, 3, h, w] in [-1, 1] in l-alpha-beta, same shape and type; l is 0 for white or less.

    Equations 4 to 6. The levels 0 to 255 are moved to 1 to 256 first, so that black has a logarithm.
    """
    levels = (image + 1) * 127.5
    responses = mixed(_matrix(RGB_TO_LMS), (levels + 1) / 256)
    return mixed(_log_lms_to_lab(), responses.log10())


def to_rgb(lab: Tensor) -> Tensor:
    """The inverse of `to_lab`: RGB images, in [-1, 1] where the colour is one that a screen can show.

    Equations 8 and 9, with the exact inverse where the paper prints four digits.
    """
    responses = 10 ** mixed(torch.linalg.inv(_log_lms_to_lab()), lab)
    levels = mixed(torch.linalg.inv(_matrix(RGB_TO_LMS)), responses) * 256 - 1
    return levels / 127.5 - 1


def mixed(matrix: Tensor, image: Tensor) -> Tensor:
    """The channels of [b, 3, h, w] multiplied by a 3x3 matrix, in the precision of the image."""
    return torch.einsum("ij,bjhw->bihw", matrix.to(image), image)


def _log_lms_to_lab() -> Tensor:
    return torch.diag(_vector(LENGTHS)) @ _matrix(SUMS)


def _matrix(rows: tuple[tuple[float, ...], ...]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def _vector(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
