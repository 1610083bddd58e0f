"""How vivid the colours are."""

from torch import Tensor

from bench.scoring.measurements.images import require_images


def colourfulness(image: Tensor) -> Tensor:
    """Colourfulness of images [b, 3, h, w] in levels: [b], from 0 (grey) upward, about 30 to 60 for photos.

    With rg = R - G and yb = (R + G) / 2 - B: M = sqrt(var(rg) + var(yb)) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2)
    (Hasler and Susstrunk 2003, "Measuring colourfulness in natural images", equation for M^(3)). More is not
    better: best is the mean of the target domain's real images.
    """
    require_images(image)
    red, green, blue = image.unbind(dim=1)
    red_green = red - green
    yellow_blue = (red + green) / 2 - blue
    pixels = (1, 2)
    variance = red_green.var(dim=pixels, correction=0) + yellow_blue.var(dim=pixels, correction=0)
    mean = red_green.mean(dim=pixels).square() + yellow_blue.mean(dim=pixels).square()
    return variance.sqrt() + 0.3 * mean.sqrt()
