"""A canvas for antialiased shapes given by signed distances: NumPy alone, alike on every machine.

Scene coordinates run from 0 to 1, x to the right and y downwards, whatever the size in pixels; a shape is a
function that is negative inside and grows like the distance, so that its edge is one soft pixel wide.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]
"""A value at every pixel of a patch, or one that broadcasts to it: [h, w], [h, 1] or [1, w]."""
Colour = tuple[float, float, float]
"""Red, green and blue, 0 to 1."""


@dataclass(frozen=True, eq=False)
class Patch:
    """A rectangle of a canvas: painting on it paints on the canvas."""

    pixels: Field
    """[h, w, 3], a view."""
    labels: NDArray[np.uint8]
    """[h, w], a view: the object that each pixel shows, 0 for none."""
    x: Field
    """Scene coordinates of the pixel centres, [1, w]."""
    y: Field
    """[h, 1]."""
    pixel: float
    """Side of a pixel in scene units."""

    def coverage(self, distance: Field, scale: float = 1.0) -> Field:
        """Share of each pixel inside a shape, whose distance is in units of `scale` scene units."""
        return np.clip(0.5 - distance * (scale / self.pixel), 0.0, 1.0)

    def paint(self, coverage: Field, colour: Colour | Field) -> None:
        """Lay a colour (one for all or [h, w, 3]) over the patch."""
        self.pixels[...] += coverage[..., None] * (np.asarray(colour) - self.pixels)

    def mark(self, coverage: Field, label: int) -> None:
        """Label the pixels at least half of which are covered."""
        self.labels[np.broadcast_to(coverage >= 0.5, self.labels.shape)] = label


class Canvas:
    """A square picture in progress."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.pixels: Field = np.zeros((size, size, 3))
        self.labels: NDArray[np.uint8] = np.zeros((size, size), dtype=np.uint8)
        self._centres = (np.arange(size) + 0.5) / size

    def patch(self, left: float = 0.0, top: float = 0.0, right: float = 1.0, bottom: float = 1.0) -> Patch:
        """The pixels that touch a rectangle given in scene units; empty where it lies outside."""
        columns, rows = self._span(left, right), self._span(top, bottom)
        return Patch(
            self.pixels[rows, columns],
            self.labels[rows, columns],
            self._centres[None, columns],
            self._centres[rows, None],
            1.0 / self.size,
        )

    def image(self) -> NDArray[np.uint8]:
        """The picture as uint8 [h, w, 3]."""
        return np.rint(np.clip(self.pixels, 0.0, 1.0) * 255.0).astype(np.uint8)

    def _span(self, first: float, last: float) -> slice:
        start = min(max(int(np.floor(first * self.size)) - 1, 0), self.size)
        return slice(start, max(start, min(int(np.ceil(last * self.size)) + 1, self.size)))


def rgb(code: str) -> Colour:
    """A colour from six hexadecimal digits.

    >>> rgb("ff0000")
    (1.0, 0.0, 0.0)
    """
    red, green, blue = bytes.fromhex(code)
    return red / 255, green / 255, blue / 255


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`first` with a share of `second`."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue


def shaded(colour: Colour, light: Field) -> Field:
    """A colour times the light at every pixel, [h, w, 3]."""
    return np.asarray(colour) * light[..., None]


def ellipse(x: Field, y: Field, centre: tuple[float, float], radii: tuple[float, float]) -> Field:
    """Distance to an ellipse with upright axes, exact near its edge."""
    across, along = (x - centre[0]) / radii[0], (y - centre[1]) / radii[1]
    radius = np.sqrt(across**2 + along**2)
    slope = np.sqrt((across / radii[0]) ** 2 + (along / radii[1]) ** 2)
    return radius * (radius - 1.0) / np.maximum(slope, 1e-9)


def limb(x: Field, y: Field, start: tuple[float, float, float], end: tuple[float, float, float]) -> Field:
    """Distance to a rounded, tapering bar between two discs (x, y, radius)."""
    share = along(x, y, start[:2], end[:2]).clip(0.0, 1.0)
    dx, dy = end[0] - start[0], end[1] - start[1]
    distance = np.sqrt((x - start[0] - share * dx) ** 2 + (y - start[1] - share * dy) ** 2)
    return distance - (start[2] + share * (end[2] - start[2]))


def along(x: Field, y: Field, start: tuple[float, float], end: tuple[float, float]) -> Field:
    """Place along the line from `start` (0) to `end` (1)."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    return ((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy)


def polygon(x: Field, y: Field, corners: list[tuple[float, float]]) -> Field:
    """Distance to a convex polygon, its corners clockwise as seen on the canvas (y downwards)."""
    distance = np.full(np.broadcast_shapes(x.shape, y.shape), -np.inf)
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        dx, dy = x1 - x0, y1 - y0
        edge = ((x - x0) * dy - (y - y0) * dx) / np.sqrt(dx * dx + dy * dy)
        np.maximum(distance, edge, out=distance)
    return distance


def joined(first: Field, second: Field, softness: float) -> Field:
    """Union of two shapes whose seam is rounded over `softness`."""
    share = np.clip(0.5 + 0.5 * (second - first) / softness, 0.0, 1.0)
    return second + (first - second) * share - softness * share * (1.0 - share)


def noise(grid: Field, x: Field, y: Field) -> Field:
    """Smooth values between those of `grid` [rows, columns], which is stretched over the unit square."""
    row, row_share = _cell(y[:, 0], grid.shape[0])
    column, column_share = _cell(x[0, :], grid.shape[1])
    upper = grid[row] + (grid[row + 1] - grid[row]) * row_share[:, None]
    return upper[:, column] + (upper[:, column + 1] - upper[:, column]) * column_share


def _cell(places: Field, count: int) -> tuple[NDArray[np.intp], Field]:
    """Index of the grid line before each place, and the smoothed way to the next one."""
    scaled = np.clip(places, 0.0, 1.0) * (count - 1)
    cell = np.minimum(scaled.astype(np.intp), count - 2)
    share = scaled - cell
    return cell, share * share * (3.0 - 2.0 * share)
