"""Winograd's minimal filtering: convolution with fewer multiplications (Lavin and Gray 2016).

"Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308, equation 8: a tile of m x m outputs of
a filter of r x r is A^T [(G g G^T) * (B^T d B)] A, with (m + r - 1)^2 multiplications a tile in place of
m^2 r^2. The three matrices follow from m + r - 2 points and infinity by the construction of Toom and Cook.
"""

from fractions import Fraction
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

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
