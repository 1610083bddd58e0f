"""Structural similarity of two images: the structure term of SSIM, SSIM, MS-SSIM, and PSNR.

On a CPU torchmetrics takes ten times as long, more than the Inception pass leaves for all measurements
together; the tests hold these functions to its values.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor

from bench.scoring.metric import metric
from bench.scoring.metrics.colour import luma, require_images

WINDOW = 11
_WINDOW_DEVIATION = 1.5
_RADIUS = WINDOW // 2
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_LEVELS = 255.0
_LUMINANCE_CONSTANT = (0.01 * _LEVELS) ** 2
_CONTRAST_CONSTANT = (0.03 * _LEVELS) ** 2
_ROUNDING_ERROR = 1 / 12
"""Mean square error of rounding to whole levels: no 8-bit image is measured to be nearer than that."""


class Windows(NamedTuple):
    """Statistics of two planes in Gaussian windows around every pixel, each [b, h, w], borders mirrored."""

    mean_x: Tensor
    mean_y: Tensor
    variance_x: Tensor
    variance_y: Tensor
    covariance: Tensor


@metric(
    "structure",
    title="SSIM structure",
    short_title="structure",
    unit="1",
    better="higher",
    table="faithfulness",
    formula="mean of (covariance + C3) / (deviation_x deviation_y + C3) in 11-pixel Gaussian windows of "
    "source and output luma",
    source="Wang et al. 2004, equation 10",
    when=f"the image is smaller than {WINDOW} pixels",
    bounds=(-1, 1),
)
def structure(source: Tensor, output: Tensor) -> Tensor:
    """Mean of SSIM's structure term of the luma of images [b, 3, h, w] in levels: [b], -1 to 1.

    s = (covariance + C3) / (deviation_x deviation_y + C3), C3 = (0.03 * 255)^2 / 2, in Gaussian windows of
    11 pixels with deviation 1.5 that lie inside the image (Wang et al. 2004, equation 10). It ignores
    brightness and contrast, so it asks for shapes alone; 1 is best. NaN for images under 11 pixels.
    """
    require_images(source, output)
    if min(source.shape[2:]) < WINDOW:
        return _undefined(source)
    windows = _windows(luma(source), luma(output))
    constant = _CONTRAST_CONSTANT / 2
    deviations = (windows.variance_x * windows.variance_y).sqrt()
    return _inside((windows.covariance + constant) / (deviations + constant)).mean(dim=(1, 2))


def ssim(image: Tensor, reference: Tensor) -> Tensor:
    """SSIM of the luma of images [b, 3, h, w] in levels: [b], -1 to 1, 1 for equal images, higher is better.

    Wang et al. 2004, equation 13, windows as in `structure`. NaN for images under 11 pixels.
    """
    require_images(image, reference)
    if min(image.shape[2:]) < WINDOW:
        return _undefined(image)
    windows = _windows(luma(image), luma(reference))
    return (_luminance(windows) * _contrast_structure(windows)).mean(dim=(1, 2))


@metric(
    "ms_ssim",
    title="MS-SSIM",
    unit="1",
    better="higher",
    table="faithfulness",
    formula="MS-SSIM of source and output luma; under 176 pixels fewer scales (3 at 64, 4 at 128), their "
    "weights scaled to sum to 1: compare at one image size only",
    source="Wang, Simoncelli and Bovik 2003",
    when=f"the image is smaller than {WINDOW} pixels",
    bounds=(0, 1),
)
def ms_ssim(source: Tensor, output: Tensor) -> Tensor:
    """MS-SSIM of the luma of images [b, 3, h, w] in levels: [b], 0 to 1, 1 for equal images.

    Wang, Simoncelli and Bovik 2003: the product over scales, each half the size of the one before, of the
    contrast and structure terms, and of the luminance term at the last, to the power of the scale's weight;
    terms below 0 count 0. Five scales need 176 pixels; a smaller image gets as many as fit its shorter side
    (3 at 64 pixels, 4 at 128), their weights scaled to sum to 1, so values are comparable at one image size
    only. NaN for images under 11 pixels.
    """
    require_images(source, output)
    weights = scale_weights(min(source.shape[2:]))
    if not weights:
        return _undefined(source)
    x, y = luma(source), luma(output)
    product = torch.ones_like(x[:, 0, 0])
    for scale, weight in enumerate(weights, start=1):
        windows = _windows(x, y)
        similarity = _contrast_structure(windows)
        last = scale == len(weights)
        term = similarity * _luminance(windows) if last else _inside(similarity)
        product = product * term.mean(dim=(1, 2)).clamp_min(0) ** weight
        x, y = functional.avg_pool2d(torch.stack([x, y]), 2) if not last else (x, y)
    return product


def scale_weights(side: int) -> tuple[float, ...]:
    """The weights of the scales of MS-SSIM that an image with this shorter side has room for."""
    scales = sum(side // 2**scale >= WINDOW for scale in range(len(_SCALE_WEIGHTS)))
    weights = _SCALE_WEIGHTS[:scales]
    return tuple(weight / sum(weights) for weight in weights)


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


def _luminance(windows: Windows) -> Tensor:
    numerator = 2 * windows.mean_x * windows.mean_y + _LUMINANCE_CONSTANT
    return numerator / (windows.mean_x**2 + windows.mean_y**2 + _LUMINANCE_CONSTANT)


def _contrast_structure(windows: Windows) -> Tensor:
    numerator = 2 * windows.covariance + _CONTRAST_CONSTANT
    return numerator / (windows.variance_x + windows.variance_y + _CONTRAST_CONSTANT)


def _windows(x: Tensor, y: Tensor) -> Windows:
    # Taking the image's own mean off first changes no variance and keeps single precision exact enough.
    offset_x, offset_y = (plane.mean(dim=(1, 2), keepdim=True) for plane in (x, y))
    x, y = x - offset_x, y - offset_y
    mean_x, mean_y, square_x, square_y, product = _blur(torch.stack([x, y, x * x, y * y, x * y]))
    return Windows(
        mean_x=mean_x + offset_x,
        mean_y=mean_y + offset_y,
        variance_x=(square_x - mean_x**2).clamp_min(0),
        variance_y=(square_y - mean_y**2).clamp_min(0),
        covariance=product - mean_x * mean_y,
    )


def _blur(planes: Tensor) -> Tensor:
    """Gaussian windows around every pixel of planes [p, b, h, w], borders mirrored: one axis after the other.

    Eleven shifted sums an axis: four times quicker on a CPU than a convolution with a single channel.
    """
    offsets = torch.arange(-_RADIUS, _RADIUS + 1, dtype=planes.dtype)
    window = torch.exp(-0.5 * (offsets / _WINDOW_DEVIATION) ** 2)
    weights = (window / window.sum()).tolist()
    for axis, padding in ((2, (0, 0, _RADIUS, _RADIUS)), (3, (_RADIUS, _RADIUS, 0, 0))):
        size = planes.shape[axis]
        padded = functional.pad(planes, padding, mode="reflect")
        planes = padded.narrow(axis, 0, size) * weights[0]
        for place, weight in enumerate(weights[1:], start=1):
            planes.add_(padded.narrow(axis, place, size), alpha=weight)
    return planes


def _inside(plane: Tensor) -> Tensor:
    """The part of [b, h, w] whose windows lie inside the image."""
    return plane[:, _RADIUS:-_RADIUS, _RADIUS:-_RADIUS]


def _undefined(image: Tensor) -> Tensor:
    return image.new_full((len(image),), torch.nan)
