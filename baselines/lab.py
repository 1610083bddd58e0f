"""The colour space l-alpha-beta: lightness, yellow-blue and red-green, nearly uncorrelated in natural scenes.

Ruderman, Cronin and Chiao 1998, as used by Reinhard et al. 2001, "Color Transfer between Images". RGB is
taken as it is stored, its gamma not undone, as in the paper.
"""

import torch
from torch import Tensor

RGB_TO_LMS = ((0.3811, 0.5783, 0.0402), (0.1967, 0.7244, 0.0782), (0.0241, 0.1288, 0.8444))
"""The responses of the three kinds of cones to red, green and blue: equation 4."""

SUMS = ((1.0, 1.0, 1.0), (1.0, 1.0, -2.0), (1.0, -1.0, 0.0))
LENGTHS = (3**-0.5, 6**-0.5, 2**-0.5)
"""Equation 6: each of the sums of the logarithms, scaled to unit length."""


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
