"""Convolutions of stride 1 with many channels: Winograd's algorithm on CPUs, torch's own elsewhere.

One 5x5 layer of 256 channels is 84 % of the work of the published slot decoder, and the 3x3 layers of the
residual blocks are three quarters of the trunk's. With tiles of 4 x 4 outputs they take 6.25 and 4 times
fewer multiplications; what is left of that after the transforms is in docs/performance.md. Rounding is about
ten times that of the direct algorithm, 5e-6 of the result's deviation, and a five-hundredth of bf16's.

Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308, equation 8: a tile
of m x m outputs of a filter of r x r is A^T [(G g G^T) * (B^T d B)] A, with (m + r - 1)^2 multiplications a
tile in place of m^2 r^2. The three matrices follow from m + r - 2 points and infinity by the construction of
Toom and Cook.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import isqrt
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor

TILE = 4
"""Outputs of a tile along either side."""
FEWEST_CHANNELS = {(3, torch.float32): 256, (5, torch.float32): 64, (5, torch.bfloat16): 256}
"""By kernel size and precision; below, for 3x3 in bf16, and in bf16 on processors with matrix units for it,
torch's own convolution is the quicker one."""
TILES_AT_ONCE = 128
"""About what the second-level cache holds; also what bounds the memory needed beside input and output."""


def apply(layer: nn.Conv2d, image: Tensor) -> Tensor:
    """What a convolution of stride 1 and as many zeros on every side makes of images [b, c, h, w]."""
    assert not isinstance(layer.padding, str)
    return convolve(image, layer.weight, layer.bias, layer.padding[0])


def convolve(image: Tensor, weight: Tensor, bias: Tensor | None, border: int = 0) -> Tensor:
    """Images [b, c, h, w] with `border` zeros around under filters [o, c, k, k], plus bias [o]: stride 1.

    Gives [b, o, h', w'], h' = h + 2 border - k + 1.
    """
    if winograd_pays(image, weight):
        result: Tensor = WinogradConvolution.apply(image, weight, border)
        return result if bias is None else result.add_(bias.view(-1, 1, 1))
    return F.conv2d(image, weight, bias, padding=border)


def winograd_pays(image: Tensor, weight: Tensor) -> bool:
    """Whether Winograd's algorithm applies and is the quicker one; never where shapes alone are computed."""
    if isinstance(image, FakeTensor) or image.device.type != "cpu" or weight.dtype != torch.float32:
        return False
    precision = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else image.dtype
    if precision == torch.bfloat16 and multiplies_matrices_in_bf16():
        return False
    fewest = FEWEST_CHANNELS.get((weight.shape[3], precision))
    return fewest is not None and min(weight.shape[:2]) >= fewest


def multiplies_matrices_in_bf16() -> bool:
    """Whether this processor has matrix units for bf16 (AMX): with them the direct algorithm is quicker.

    False where this version of torch cannot tell.
    """
    capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16", False))


class WinogradConvolution(torch.autograd.Function):
    """Stride 1, no bias. Sums are in float32 whatever comes in; the way back is the exact adjoint."""

    @staticmethod
    def forward(context: Any, image: Tensor, weight: Tensor, border: int) -> Tensor:
        context.border = border
        with torch.autocast("cpu", enabled=False):
            result, tiles = correlate(image, weight, border)
        context.save_for_backward(image, weight, tiles)
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        image, weight, tiles = context.saved_tensors
        return *correlate_back(image, weight, context.border, gradient, tiles), None


def correlate(image: Tensor, weight: Tensor, border: int) -> tuple[Tensor, Tensor | None]:
    """Images [b, c, h, w] under filters [o, c, k, k]: [b, o, h', w'] in the type of the images.

    With it the transformed tiles, where they are few enough to be kept for the way back.
    """
    kernel = weight.shape[3]
    filtering = minimal_filtering(TILE, kernel, torch.float32)
    filters = transformed_filters(weight)
    height, width = (side + 2 * border - kernel + 1 for side in image.shape[2:])
    result = image.new_empty(len(image), len(weight), height, width)
    pieces = list(parts(len(image), height, width))
    for part in pieces:
        of_image = transformed_tiles(image, part, border, kernel)
        sums = square(torch.bmm(filters, of_image))
        tiles = transform(filtering.output, sums).unflatten(3, (part.count, part.down, part.across))
        # [4, 4, o, images, tiles down, tiles across]: rows and columns of a tile go back beside its place.
        whole = tiles.permute(3, 2, 4, 0, 5, 1).flatten(4, 5).flatten(2, 3)
        result[part.images, :, part.rows] = whole[:, :, : part.height, :width]
    return result, of_image if len(pieces) == 1 else None


def correlate_back(
    image: Tensor, weight: Tensor, border: int, gradient: Tensor, kept: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Gradients of images and filters, given that of the result [b, o, h', w'] and what `correlate` kept."""
    kernel = weight.shape[3]
    filtering = minimal_filtering(TILE, kernel, torch.float32)
    filters = transformed_filters(weight)
    of_filters = torch.empty_like(filters)
    down, across = (side + TILE for side in rounded_up(gradient.shape[2:]))
    of_image = image.new_zeros(*image.shape[:2], down, across)
    for number, part in enumerate(parts(len(gradient), *gradient.shape[2:])):
        of_sums = transform(filtering.output.T, gradient_tiles(gradient, part)).flatten(0, 1)
        patches = transformed_tiles(image, part, border, kernel) if kept is None else kept
        # With beta 0 what was there is not read.
        of_filters.baddbmm_(of_sums, patches.transpose(1, 2), beta=min(number, 1))
        of_tiles = transform(filtering.input.T, square(torch.bmm(filters.transpose(1, 2), of_sums)))
        add_overlapping(of_image, of_tiles, part)
    height, width = image.shape[2:]
    # The weights' own layout: in any other they would be copied into it at every accumulation.
    of_weight = (of_filters.flatten(1).T @ both_axes(filtering.weights)).view(weight.shape)
    return of_image[:, :, border : border + height, border : border + width], of_weight


def square(transformed: Tensor) -> Tensor:
    """[n * n, ...] as [n, n, ...]."""
    return transformed.unflatten(0, (isqrt(len(transformed)),) * 2)


def transformed_filters(weight: Tensor) -> Tensor:
    """The transformed filters [n * n, o, c]."""
    if KEPT is None or not weight.is_leaf:
        return transform_filters(weight)
    key = (weight.data_ptr(), weight.shape, weight._version)
    if key not in KEPT:
        # The weight too, lest another takes its place in memory.
        KEPT[key] = (transform_filters(weight), weight)
    return KEPT[key][0]


def transform_filters(weight: Tensor) -> Tensor:
    """The same, computed."""
    weights = both_axes(minimal_filtering(TILE, weight.shape[3], torch.float32).weights)
    return (weights @ weight.flatten(2).flatten(0, 1).T).unflatten(1, weight.shape[:2])


KEPT: dict[tuple[int, torch.Size, int], tuple[Tensor, Tensor]] | None = None


@contextmanager
def filters_kept(wanted: bool = True) -> Iterator[None]:
    """Within, filters are transformed once however often they are used.

    A training step uses each six times. At full width this takes 170 MB a generator; results are the same.
    """
    global KEPT
    KEPT = {} if wanted else None
    try:
        yield
    finally:
        KEPT = None


@dataclass(frozen=True)
class Chunk:
    """A piece of the work: rows of the result of some images, and the tiles that cover them."""

    images: slice
    rows: slice
    down: int
    across: int

    @property
    def count(self) -> int:
        """Images."""
        return int(self.images.stop - self.images.start)

    @property
    def height(self) -> int:
        """Rows of the result; the last tile may reach beyond them."""
        return int(self.rows.stop - self.rows.start)


def parts(batch: int, height: int, width: int) -> Iterator[Chunk]:
    """A result of [batch, ., height, width] in parts of about TILES_AT_ONCE tiles."""
    down, across = -(-height // TILE), -(-width // TILE)
    images = max(1, TILES_AT_ONCE // (down * across))
    band = TILE * min(down, max(1, TILES_AT_ONCE // across))
    for first in range(0, batch, images):
        for top in range(0, height, band):
            bottom = min(top + band, height)
            yield Chunk(
                slice(first, min(first + images, batch)),
                slice(top, bottom),
                -(-(bottom - top) // TILE),
                across,
            )


def rounded_up(sides: tuple[int, ...]) -> tuple[int, ...]:
    """The sides of the area that whole tiles cover."""
    return tuple(-(-side // TILE) * TILE for side in sides)


def transformed_tiles(image: Tensor, part: Chunk, border: int, kernel: int) -> Tensor:
    """The transformed input tiles [n * n, c, tiles] of a part of the result, n = k + 3, in float32."""
    size = kernel + TILE - 1
    top, left = part.rows.start - border, -border
    bottom, right = top + TILE * part.down + kernel - 1, left + TILE * part.across + kernel - 1
    height, width = image.shape[2:]
    rows = image[part.images, :, max(0, top) : min(bottom, height), : min(right, width)].float()
    around = (border, max(0, right - width), max(0, -top), max(0, bottom - height))
    tiles = F.pad(rows, around).unfold(2, size, TILE).unfold(3, size, TILE)
    # [images, c, down, across, size, size] -> [size, size, c, images * down * across]
    tiles = tiles.permute(4, 5, 1, 0, 2, 3).flatten(3, 5)
    of_input = minimal_filtering(TILE, kernel, torch.float32).input
    return transform(of_input, tiles).flatten(0, 1)


def gradient_tiles(gradient: Tensor, part: Chunk) -> Tensor:
    """The gradients [4, 4, o, tiles] of the outputs of every tile of a part, zero beyond the result."""
    rows = gradient[part.images, :, part.rows].float()
    missing = (TILE * part.across - rows.shape[3], TILE * part.down - rows.shape[2])
    padded = F.pad(rows, (0, missing[0], 0, missing[1]))
    tiles = padded.unflatten(3, (part.across, TILE)).unflatten(2, (part.down, TILE))
    return tiles.permute(3, 5, 1, 0, 2, 4).flatten(3, 5)


def add_overlapping(total: Tensor, tiles: Tensor, part: Chunk) -> None:
    """Add input tiles [n, n, c, tiles], 4 apart and so overlapping, where they belong in [b, c, h, w].

    One axis after the other: what reaches beyond the 4 of a tile is added to the beginning of the next.
    """
    reach = len(tiles) - TILE
    tiles = tiles.unflatten(3, (part.count, part.down, part.across))
    columns = F.pad(tiles[:, :TILE], (0, 1))
    columns[:, :reach, ..., 1:] += tiles[:, TILE:]
    both = F.pad(columns[:TILE], (0, 0, 0, 1))
    both[:reach, ..., 1:, :] += columns[TILE:]
    # [4, 4, c, images, down + 1, across + 1]
    whole = both.permute(3, 2, 4, 0, 5, 1).flatten(4, 5).flatten(2, 3)
    total[part.images, :, part.rows.start : part.rows.start + whole.shape[2]] += whole


POINTS = {
    3: (Fraction(0), Fraction(1), Fraction(-1)),
    5: (Fraction(0), Fraction(3, 4), Fraction(-3, 4), Fraction(3, 2), Fraction(-3, 2)),
    7: tuple(Fraction(point) for point in ("0", "1", "-1", "2", "-2", "1/2", "-1/2")),
}
"""By their number; of those tried, the ones that round least with tiles of four outputs."""


class Filtering(NamedTuple):
    """The matrices of F(m, r), the minimal filtering of m outputs by r weights, n = m + r - 1."""

    output: Tensor
    """A^T, [m, n]."""
    weights: Tensor
    """G, [n, r]."""
    input: Tensor
    """B^T, [n, n]; the same for every split of n."""


@cache
def minimal_filtering(outputs: int, weights: int, dtype: torch.dtype = torch.float64) -> Filtering:
    """F(outputs, weights), exact before it is rounded. ValueError without points for it.

    For data d [n] and weights g [r], A^T ((G g) * (B^T d)) is the correlation of d with g, [m].
    """
    points = POINTS.get(outputs + weights - 2)
    if points is None:
        raise ValueError(f"F({outputs}, {weights}): no {outputs + weights - 2} points are chosen yet")
    last_output = [Fraction(i == outputs - 1) for i in range(outputs)]
    last_weight = [Fraction(k == weights - 1) for k in range(weights)]
    others = {point: [other for other in points if other != point] for point in points}
    output = [[point**i for point in points] + [last_output[i]] for i in range(outputs)]
    weight = [[point**k / distance(point, others[point]) for k in range(weights)] for point in points]
    inputs = [[*monic_polynomial(others[point]), Fraction(0)] for point in points]
    matrices = (output, [*weight, last_weight], [*inputs, monic_polynomial(points)])
    return Filtering(*(as_tensor(matrix).to(dtype) for matrix in matrices))


def distance(point: Fraction, others: list[Fraction]) -> Fraction:
    """The product of the differences between a point and the others."""
    product = Fraction(1)
    for other in others:
        product *= point - other
    return product


def monic_polynomial(roots: tuple[Fraction, ...] | list[Fraction]) -> list[Fraction]:
    """Coefficients, the constant first, of the product of (x - root)."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted, scaled = [Fraction(0), *coefficients], [*coefficients, Fraction(0)]
        coefficients = [before - root * each for before, each in zip(shifted, scaled, strict=True)]
    return coefficients


def as_tensor(rows: list[list[Fraction]]) -> Tensor:
    """A matrix in float64."""
    return torch.tensor([[float(each) for each in row] for row in rows], dtype=torch.float64)


def transform(matrix: Tensor, tiles: Tensor) -> Tensor:
    """`matrix` [p, q] applied to both leading axes of `tiles` [q, q, ...]: [p, p, ...]."""
    size, taken = matrix.shape
    return (both_axes(matrix) @ tiles.reshape(taken * taken, -1)).view(size, size, *tiles.shape[2:])


def both_axes(matrix: Tensor) -> Tensor:
    """The Kronecker square [p * p, q * q] of a matrix [p, q]: one product in place of one for each axis."""
    return torch.kron(matrix, matrix)
