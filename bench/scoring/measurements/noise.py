"""How noisy an image is."""

import math

import torch.nn.functional as functional
from torch import Tensor

from bench.scoring.measurements.images import luma

_MASK = ((1.0, -2.0, 1.0), (-2.0, 4.0, -2.0), (1.0, -2.0, 1.0))


def noise_deviation(image: Tensor) -> Tensor:
    """Standard deviation of white noise in the luma of images [b, 3, h, w], in levels: [b], >= 0.

    sqrt(pi / 2) / 6 times the mean of |luma * N|, N the difference of two Laplacians (Immerkaer 1996, "Fast
    noise variance estimation"). Fine texture reads as noise, so less is not better: best is the mean of the
    target domain's real images, and it is never read alone.
    """
    plane = luma(image)
    response = functional.conv2d(plane[:, None], plane.new_tensor(_MASK)[None, None])
    return math.sqrt(math.pi / 2) / 6 * response.abs().mean(dim=(1, 2, 3))
