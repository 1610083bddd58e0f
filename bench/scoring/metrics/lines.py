"""Whether the lines of the source are still there in the output."""

import torch
from torch import Tensor

from bench.scoring.metric import metric
from bench.scoring.metrics.colour import luma, require_images

FLAT = 1e-3
"""Edge strength, in levels, below whose deviation an image counts as flat: it has no lines to correlate."""


@metric(
    "edge_correlation",
    title="Edge correlation",
    short_title="edges kept",
    unit="1",
    better="higher",
    table="faithfulness",
    formula="Pearson correlation over pixels of the Sobel gradient lengths of source and output luma",
    source="Sobel and Feldman 1968; Pearson 1895",
    when="source or output is flat, or smaller than 5 pixels",
    bounds=(-1, 1),
    extremes=True,
)
def edge_correlation(source: Tensor, output: Tensor, where: Tensor | None = None) -> Tensor:
    """Pearson correlation over pixels of the Sobel gradient lengths of two images' luma: [b], -1 to 1.

    source and output [b, 3, h, w] in levels; `where` [b, h, w] bool limits it to some pixels, such as those
    outside the foreground. 1 when the lines are kept, whatever happened to colour and contrast; higher
    is better. NaN where either image is flat or fewer than 9 pixels are left.
    """
    require_images(source, output)
    edges = torch.stack([sobel_magnitude(luma(source)), sobel_magnitude(luma(output))])
    inside = torch.ones_like(edges[0]) if where is None else where[:, 1:-1, 1:-1].to(edges.dtype)
    count = inside.sum(dim=(1, 2))
    mean = (edges * inside).sum(dim=(2, 3)) / count
    centred = (edges - mean[:, :, None, None]) * inside
    covariance = (centred[0] * centred[1]).sum(dim=(1, 2)) / count
    deviation = (centred.square().sum(dim=(2, 3)) / count).sqrt()
    defined = (deviation > FLAT).all(dim=0) & (count >= 9)
    correlation = (covariance / deviation.prod(dim=0)).clamp(-1, 1)
    return torch.where(defined, correlation, torch.nan)


def sobel_magnitude(plane: Tensor) -> Tensor:
    """Length of the Sobel gradient of planes [b, h, w]: [b, h-2, w-2], borders left out."""
    smooth_down = plane[:, :-2] + 2 * plane[:, 1:-1] + plane[:, 2:]
    smooth_across = plane[:, :, :-2] + 2 * plane[:, :, 1:-1] + plane[:, :, 2:]
    across = smooth_down[:, :, 2:] - smooth_down[:, :, :-2]
    down = smooth_across[:, 2:] - smooth_across[:, :-2]
    return torch.hypot(across, down)
