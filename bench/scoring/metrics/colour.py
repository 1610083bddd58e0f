"""Colour and noise of an image by itself; images in levels, luma, and what is refused of any images."""

import math

import torch
from torch import Tensor

from bench.data.dataset import Images
from bench.scoring.metric import LEVELS, metric

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in luma (ITU-R BT.601)."""


def levels(images: Images, device: torch.device | str = "cpu") -> Tensor:
    """uint8 [n, h, w, 3] to float32 [n, 3, h, w] in levels, 0 to 255."""
    pixels = torch.from_numpy(images.copy() if not images.flags.writeable else images)
    return pixels.to(device).permute(0, 3, 1, 2).float()


def luma(image: Tensor) -> Tensor:
    """Images [b, 3, h, w] to luma [b, h, w], same range."""
    require_images(image)
    return torch.einsum("bchw,c->bhw", image, image.new_tensor(LUMA))


def require_images(*images: Tensor) -> None:
    """Raise ValueError unless all are [b, 3, h, w], of one shape, finite."""
    for image in images:
        if image.ndim != 4 or image.shape[1] != 3:
            raise ValueError(f"images have shape {list(image.shape)}; expected [b, 3, h, w] in levels")
        if image.shape != images[0].shape:
            raise ValueError(f"images differ in shape: {list(images[0].shape)} and {list(image.shape)}")
        if not torch.isfinite(image).all():
            raise ValueError("images hold values that are not finite")


@metric(
    "colourfulness",
    title="Colourfulness",
    short_title="colour",
    unit=LEVELS,
    better="nearer target",
    table="faithfulness",
    formula="rg = R - G, yb = (R + G)/2 - B: sqrt(var rg + var yb) + 0.3 sqrt(mean rg^2 + mean yb^2)",
    source="Hasler and Susstrunk 2003",
    bounds=(0, math.inf),
    gap=True,
)
def colourfulness(output: Tensor) -> Tensor:
    """Colourfulness of images [b, 3, h, w] in levels: [b], from 0 (grey) upward, about 30 to 60 for photos.

    With rg = R - G and yb = (R + G) / 2 - B: M = sqrt(var(rg) + var(yb)) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2)
    (Hasler and Susstrunk 2003, "Measuring colourfulness in natural images", equation for M^(3)). More is not
    better: best is the mean of the target domain's real images.
    """
    require_images(output)
    red, green, blue = output.unbind(dim=1)
    red_green = red - green
    yellow_blue = (red + green) / 2 - blue
    pixels = (1, 2)
    variance = red_green.var(dim=pixels, correction=0) + yellow_blue.var(dim=pixels, correction=0)
    mean = red_green.mean(dim=pixels).square() + yellow_blue.mean(dim=pixels).square()
    return variance.sqrt() + 0.3 * mean.sqrt()


@metric(
    "noise",
    title="Noise",
    short_title="noise",
    unit=LEVELS,
    better="nearer target",
    table="artefacts",
    formula="sqrt(pi/2)/6 times the mean of |luma * N|, N = [1 -2 1; -2 4 -2; 1 -2 1]; texture reads as "
    "noise too",
    source="Immerkaer 1996",
    when="the image is smaller than 3 pixels",
    bounds=(0, math.inf),
    gap=True,
)
def noise_deviation(output: Tensor) -> Tensor:
    """Standard deviation of white noise in the luma of images [b, 3, h, w], in levels: [b], >= 0.

    sqrt(pi / 2) / 6 times the mean of |luma * N|, N the difference of two Laplacians (Immerkaer 1996, "Fast
    noise variance estimation"). Fine texture reads as noise, so less is not better: best is the mean of the
    target domain's real images, and it is never read alone.
    """
    # The filter [1, -2, 1] along both axes is N.
    response = luma(output).diff(n=2, dim=1).diff(n=2, dim=2)
    return math.sqrt(math.pi / 2) / 6 * response.abs().mean(dim=(1, 2))
