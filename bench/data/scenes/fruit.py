"""A fruit that is an apple in one domain and an orange in the other, whole or cut in half.

Its own coordinates: v upwards from the table, u to the right; an orange is 2 high and a little wider.
"""

import math
from dataclasses import dataclass

import numpy as np

from bench.data.scenes.canvas import (
    Canvas,
    Colour,
    Field,
    Patch,
    ellipse,
    joined,
    limb,
    mix,
    noise,
    rgb,
    shaded,
)

APPLES = tuple(rgb(code) for code in ("c3202b", "a81826", "cf3a2c"))
APPLE_BLUSH = rgb("e8b13c")
APPLE_FLESH = rgb("f6edc9")
ORANGE_SKIN = rgb("f28a14")
ORANGE_FLESH = rgb("f7a32a")
PITH = rgb("fdf1d2")
SEGMENTS = 9


@dataclass(frozen=True, eq=False)
class Fruit:
    """Place and looks; nothing here depends on the domain."""

    x: float
    ground: float
    radius: float
    halved: bool
    lean: float
    """Slant of the stem, and turn of the segments."""
    skin: Colour
    """Of the apple."""
    pores: Field
    """Texture of the skin, [14, 14], -1 to 1."""


def draw_fruit(random: np.random.Generator, x: float, ground: float, radius: float) -> Fruit:
    """A fruit on a table."""
    skin = APPLES[int(random.integers(len(APPLES)))]
    return Fruit(
        x=x,
        ground=ground,
        radius=radius,
        halved=random.random() < 0.2,
        lean=random.uniform(-0.3, 0.3),
        skin=mix(skin, APPLE_BLUSH, random.uniform(0.0, 0.2)),
        pores=random.uniform(-1.0, 1.0, (14, 14)),
    )


def paint_fruit(canvas: Canvas, fruit: Fruit, orange: bool, label: int) -> None:
    """Paint the fruit and its shadow, and label its pixels."""
    r = fruit.radius
    patch = canvas.patch(fruit.x - 1.7 * r, fruit.ground - 2.7 * r, fruit.x + 1.7 * r, fruit.ground + 0.5 * r)
    u, v = (patch.x - fruit.x) / r, (fruit.ground - patch.y) / r
    shadow = np.clip(-2.5 * ellipse(u, v, (0.25, 0.05), (1.35, 0.32)), 0.0, 0.5)
    patch.paint(shadow, rgb("2a1c14"))
    brush = _Brush(patch, u, v, fruit, label)
    painters = {
        (False, False): _paint_apple,
        (False, True): _paint_half_apple,
        (True, False): _paint_orange,
        (True, True): _paint_half_orange,
    }
    painters[orange, fruit.halved](brush)


@dataclass(frozen=True, eq=False)
class _Brush:
    """Paints in the coordinates of one fruit."""

    patch: Patch
    u: Field
    v: Field
    fruit: Fruit
    label: int

    def lay(self, distance: Field, colour: Colour | Field) -> None:
        """Paint a shape and label it."""
        coverage = self.patch.coverage(distance, self.fruit.radius)
        self.patch.paint(coverage, colour)
        self.patch.mark(coverage, self.label)

    def light(self, centre: float) -> Field:
        """Light of a ball lit from the upper left, about 0.5 to 1.15, [h, w]."""
        distance = (self.u + 0.35) ** 2 + (self.v - centre - 0.40) ** 2
        return 1.15 - 0.62 * np.clip(distance / 2.6, 0.0, 1.0)

    def gloss(self, centre: float, strength: float) -> None:
        """A soft highlight."""
        shape = ellipse(self.u, self.v, (-0.38, centre + 0.42), (0.26, 0.18))
        self.patch.paint(np.clip(-shape * 9.0, 0.0, 1.0) * strength, rgb("ffffff"))


def _apple_outline(u: Field, v: Field) -> Field:
    """Two shoulders above, narrow below, a dip at the top."""
    shoulders = joined(
        ellipse(u, v, (-0.36, 1.00), (0.58, 0.70)), ellipse(u, v, (0.36, 1.00), (0.58, 0.70)), softness=0.16
    )
    return joined(shoulders, ellipse(u, v, (0.0, 0.68), (0.68, 0.66)), softness=0.22)


def _paint_apple(brush: _Brush) -> None:
    u, v, fruit = brush.u, brush.v, brush.fruit
    streaks = noise(fruit.pores[:2], (u + 1.3) / 2.6, np.zeros((1, 1)))
    light = brush.light(0.9) * (1.0 + 0.07 * streaks)
    light = light * (1.0 - 0.45 * np.clip(-4.0 * ellipse(u, v, (0.0, 1.55), (0.34, 0.20)), 0.0, 1.0))
    brush.lay(_apple_outline(u, v), shaded(fruit.skin, light))
    brush.gloss(0.85, 0.75)
    _paint_stem(brush, 1.50)


def _paint_stem(brush: _Brush, foot: float) -> None:
    """A stem and one leaf."""
    u, v, lean = brush.u, brush.v, brush.fruit.lean
    brush.lay(limb(u, v, (0.0, foot, 0.07), (lean, foot + 0.55, 0.09)), rgb("4a2f1b"))
    upper, lower = (
        ellipse(u, v, (0.46, foot + 0.02), (0.62, 0.46)),
        ellipse(u, v, (0.46, foot + 0.56), (0.62, 0.46)),
    )
    leaf = np.maximum(upper, lower)
    brush.lay(leaf, rgb("4f8f2f"))


def _paint_half_apple(brush: _Brush) -> None:
    u, v = brush.u, brush.v
    outline = _apple_outline(u, v)
    brush.lay(outline, shaded(brush.fruit.skin, np.full(outline.shape, 0.9)))
    brush.lay(outline + 0.10, shaded(APPLE_FLESH, 0.9 + 0.12 * brush.light(0.9)))
    core = np.abs(ellipse(u, v, (0.0, 0.88), (0.30, 0.40))) - 0.02
    brush.lay(core, rgb("d9c98d"))
    for side in (-1, 1):
        brush.lay(limb(u, v, (0.11 * side, 0.98, 0.05), (0.13 * side, 0.80, 0.07)), rgb("4b2a17"))
    _paint_stem(brush, 1.45)


def _paint_orange(brush: _Brush) -> None:
    u, v, fruit = brush.u, brush.v, brush.fruit
    outline = ellipse(u, v, (0.0, 1.0), (1.08, 1.0))
    pores = noise(fruit.pores, (u + 1.1) / 2.2, v / 2.1)
    brush.lay(outline, shaded(ORANGE_SKIN, brush.light(1.0) * (1.0 + 0.05 * pores)))
    brush.gloss(0.95, 0.45)
    for turn in range(5):
        angle = 2 * math.pi * turn / 5 + fruit.lean
        tip = (0.12 + 0.16 * math.cos(angle), 1.72 + 0.09 * math.sin(angle), 0.03)
        brush.lay(limb(u, v, (0.12, 1.72, 0.06), tip), rgb("4d6b25"))


def _paint_half_orange(brush: _Brush) -> None:
    """The cut face: rind, pith and segments."""
    u, v = brush.u, brush.v
    outline = ellipse(u, v, (0.0, 1.0), (1.08, 1.0))
    brush.lay(outline, ORANGE_SKIN)
    brush.lay(outline + 0.11, PITH)
    across, up = u + 0.0 * v, v - 1.0 + 0.0 * u
    radius = np.sqrt(across**2 + up**2)
    turn = np.arctan2(up, across) * (SEGMENTS / (2 * math.pi)) + brush.fruit.lean
    to_wall = (0.5 - np.abs(turn - np.rint(turn))) * radius * (2 * math.pi / SEGMENTS)
    segments = np.maximum(np.maximum(outline + 0.20, 0.05 - to_wall), 0.12 - radius)
    brush.lay(segments, shaded(ORANGE_FLESH, 0.88 + 0.2 * np.clip(radius, 0.0, 1.0)))
