"""`colour`: the colours of one domain given the mean and the spread of the other's, and nothing else.

Reinhard et al. 2001, "Color Transfer between Images", equations 4 to 11, in l-alpha-beta. What a translator
must beat before it deserves the name: it knows six numbers of either domain and no shape.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from baselines.lab import to_lab, to_rgb
from variants.contract import Generator, Noise, Translation

CONSTANT = 1e-6
"""A channel with a smaller standard deviation is taken for constant, as in a domain of grey images."""


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
