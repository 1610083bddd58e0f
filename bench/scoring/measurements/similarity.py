"""Structural similarity of two images: the structure term of SSIM, MS-SSIM, SSIM and PSNR."""

import torch
from torch import Tensor
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    structural_similarity_index_measure,
)

from bench.scoring.measurements.images import luma, require_images

WINDOW = 11
_WINDOW_DEVIATION = 1.5
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_LEVELS = 255.0
_CONTRAST_CONSTANT = (0.03 * _LEVELS) ** 2
_ROUNDING_ERROR = 1 / 12
"""Mean square error of rounding to whole levels: no 8-bit image is measured to be nearer than that."""


def structure(source: Tensor, output: Tensor) -> Tensor:
    """Mean of SSIM's structure term of the luma of images [b, 3, h, w] in levels: [b], -1 to 1.

    s = (covariance + C3) / (deviation_x deviation_y + C3), C3 = (0.03 * 255)^2 / 2, in Gaussian windows of
    11 pixels with deviation 1.5 that lie inside the image (Wang et al. 2004, equation 10). It ignores
    brightness and contrast, so it asks for shapes alone; 1 is best. NaN for images under 11 pixels.
    """
    require_images(source, output)
    if min(source.shape[2:]) < WINDOW:
        return source.new_full((len(source),), torch.nan)
    x, y = luma(source), luma(output)
    # Taking the image's own mean off first changes no variance and keeps single precision exact enough.
    x, y = (plane - plane.mean(dim=(1, 2), keepdim=True) for plane in (x, y))
    mean_x, mean_y, square_x, square_y, product = _blur(torch.stack([x, y, x * x, y * y, x * y]))
    deviations = ((square_x - mean_x**2).clamp_min(0) * (square_y - mean_y**2).clamp_min(0)).sqrt()
    constant = _CONTRAST_CONSTANT / 2
    return ((product - mean_x * mean_y + constant) / (deviations + constant)).mean(dim=(1, 2))


def ms_ssim(source: Tensor, output: Tensor) -> Tensor:
    """MS-SSIM of the luma of images [b, 3, h, w] in levels: [b], 0 to 1, 1 for equal images.

    Wang, Simoncelli and Bovik 2003, by torchmetrics. Its five scales need 176 pixels; a smaller image
    gets as many as fit its shorter side (3 at 64 pixels, 4 at 128), their weights scaled to sum to 1, so
    values are comparable at one image size only. NaN for images under 11 pixels.
    """
    require_images(source, output)
    weights = scale_weights(min(source.shape[2:]))
    if not weights:
        return source.new_full((len(source),), torch.nan)
    planes = (luma(output)[:, None], luma(source)[:, None])
    return multiscale_structural_similarity_index_measure(
        *planes, data_range=_LEVELS, betas=weights, normalize="relu", reduction=None
    ).reshape(-1)


def scale_weights(side: int) -> tuple[float, ...]:
    """The weights of the scales of MS-SSIM that an image with this shorter side has room for."""
    scales = sum(side // 2**scale >= WINDOW for scale in range(len(_SCALE_WEIGHTS)))
    weights = _SCALE_WEIGHTS[:scales]
    return tuple(weight / sum(weights) for weight in weights)


def ssim(image: Tensor, reference: Tensor) -> Tensor:
    """SSIM of images [b, 3, h, w] in levels: [b], -1 to 1, 1 for equal images (Wang et al. 2004)."""
    require_images(image, reference)
    return structural_similarity_index_measure(
        image, reference, data_range=_LEVELS, reduction="none"
    ).reshape(-1)


def psnr(image: Tensor, reference: Tensor, where: Tensor | None = None) -> Tensor:
    """Peak signal-to-noise ratio of images [b, 3, h, w] in levels: [b], in dB, up to 58.9; higher is better.

    10 log10(255^2 / mean square error), the error never under 1/12, that of rounding to whole levels. `where`
    [b, h, w] bool limits it to some pixels; NaN where none is left.
    """
    require_images(image, reference)
    error = (image - reference).square().mean(dim=1)
    inside = torch.ones_like(error) if where is None else where.to(error.dtype)
    mean = (error * inside).sum(dim=(1, 2)) / inside.sum(dim=(1, 2))
    return 10 * torch.log10(_LEVELS**2 / mean.clamp_min(_ROUNDING_ERROR))


def _blur(planes: Tensor) -> Tensor:
    """Gaussian windows that lie inside planes [..., h, w]: [..., h-10, w-10], as two matrix products."""
    down, across = (_window_matrix(size, planes) for size in planes.shape[-2:])
    return down @ planes @ across.T


def _window_matrix(size: int, like: Tensor) -> Tensor:
    """Matrix [size-10, size] whose rows are the window at each place; quicker than a convolution on CPU."""
    places = torch.arange(size - WINDOW + 1, device=like.device)[:, None] + WINDOW // 2
    distance = torch.arange(size, device=like.device)[None] - places
    weights = torch.exp(-0.5 * (distance.to(like.dtype) / _WINDOW_DEVIATION) ** 2)
    weights = weights * (distance.abs() <= WINDOW // 2)
    return weights / weights.sum(dim=1, keepdim=True)
