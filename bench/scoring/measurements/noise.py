"""How noisy an image is."""

import math

from torch import Tensor

from bench.scoring.measurements.images import luma


def noise_deviation(image: Tensor) -> Tensor:
    """Standard deviation of white noise in the luma of images [b, 3, h, w], in levels: [b], >= 0.

    sqrt(pi / 2) / 6 times the mean of |luma * N|, N the difference of two Laplacians (Immerkaer 1996, "Fast
    noise variance estimation"). Fine texture reads as noise, so less is not better: best is the mean of the
    target domain's real images, and it is never read alone.
    """
    # The filter [1, -2, 1] along both axes is N.
    response = luma(image).diff(n=2, dim=1).diff(n=2, dim=2)
    return math.sqrt(math.pi / 2) / 6 * response.abs().mean(dim=(1, 2))
