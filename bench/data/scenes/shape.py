"""toy-shape: apples become oranges, a change of outline and colour (apple to orange).

A fruit is an apple in one domain and an orange in the other, whole or cut in half. Its own coordinates: v
upwards from the table, u to the right; an orange is 2 high and a little wider. The table before
a wall, clean or cluttered with books, jugs and bottles, is the same in both domains.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from bench.data.scenes import scene
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
    polygon,
    rgb,
    shaded,
)

WALLS = tuple(rgb(code) for code in ("cdd6d5", "d8cbb4", "b9c7d6", "c9d3ba"))
TABLES = tuple(rgb(code) for code in ("9a6b43", "b58a5c", "e4ded2", "7f8fa3"))
WARES = tuple(rgb(code) for code in ("4a6f94", "7a8f77", "e9e4da", "6b5a7e"))


@dataclass(frozen=True, eq=False)
class Ware:
    """A thing at the back of the table."""

    kind: str
    x: float
    foot: float
    height: float
    colour: Colour


@dataclass(frozen=True, eq=False)
class Kitchen:
    """The background of a scene."""

    edge: float
    """Height of the far edge of the table."""
    wall: Colour
    papered: bool
    table: Colour
    grain: Field
    """Grid of the table's texture, [24, 4], -1 to 1."""
    wares: tuple[Ware, ...]


def draw_kitchen(random: np.random.Generator, cluttered: bool) -> Kitchen:
    """A kitchen; a clean one has a bare wall and an empty table."""
    edge = random.uniform(0.38, 0.50)
    wall = WALLS[int(random.integers(len(WALLS)))]
    table = TABLES[int(random.integers(len(TABLES)))]
    grain = random.uniform(-1.0, 1.0, (24, 4))
    papered = bool(random.random() < 0.6)
    count = int(random.integers(2, 5))
    wares = tuple(_draw_ware(random, (place + 0.5) / count, edge) for place in range(count))
    return Kitchen(
        edge=edge,
        wall=wall,
        papered=papered and cluttered,
        table=table,
        grain=grain if cluttered else grain * 0.3,
        wares=wares if cluttered else (),
    )


def _draw_ware(random: np.random.Generator, x: float, edge: float) -> Ware:
    kind = ("books", "jug", "bottle")[int(random.integers(3))]
    height = {"books": 0.16, "jug": 0.22, "bottle": 0.32}[kind] * random.uniform(0.85, 1.15)
    colour = WARES[int(random.integers(len(WARES)))]
    return Ware(kind, x + random.uniform(-0.08, 0.08), edge + random.uniform(0.03, 0.08), height, colour)


def paint_kitchen(canvas: Canvas, kitchen: Kitchen) -> None:
    """Paint the wall, the table and what stands at its back."""
    patch = canvas.patch()
    canvas.pixels[...] = shaded(kitchen.wall, np.broadcast_to(1.06 - 0.25 * patch.y, canvas.labels.shape))
    if kitchen.papered:
        stripe = np.abs((patch.x * 8.0) % 1.0 - 0.5) - 0.25
        patch.paint(0.35 * patch.coverage(np.broadcast_to(stripe / 8.0, canvas.labels.shape)), rgb("ffffff"))
    below = patch.coverage(np.broadcast_to(kitchen.edge - patch.y, canvas.labels.shape))
    light = 0.86 + 0.22 * (patch.y - kitchen.edge) / (1.0 - kitchen.edge)
    patch.paint(below, shaded(kitchen.table, light * (1.0 + 0.10 * noise(kitchen.grain, patch.x, patch.y))))
    rim = np.abs(patch.y - kitchen.edge) - 0.006
    patch.paint(0.4 * patch.coverage(np.broadcast_to(rim, canvas.labels.shape)), rgb("33241a"))
    for ware in kitchen.wares:
        PAINTERS[ware.kind](canvas, ware)


def paint_books(canvas: Canvas, ware: Ware) -> None:
    """A few books standing side by side."""
    width = 0.24 * ware.height
    for number, (rise, tone) in enumerate(((1.0, 0.0), (0.85, 0.35), (0.95, 0.6), (0.75, 0.2))):
        left = ware.x + (number - 2) * width
        top = ware.foot - rise * ware.height
        patch = canvas.patch(left, top, left + width, ware.foot)
        corners = [(left, top), (left + width, top), (left + width, ware.foot), (left, ware.foot)]
        shape = polygon(patch.x, patch.y, corners)
        round_back = 1.05 - 0.35 * np.abs((patch.x - left) / width - 0.4)
        colour = mix(ware.colour, rgb("7d4038"), tone)
        patch.paint(patch.coverage(shape), shaded(colour, np.broadcast_to(round_back, shape.shape)))


def paint_jug(canvas: Canvas, ware: Ware) -> None:
    """A round jug with a handle."""
    h, x, foot = ware.height, ware.x, ware.foot
    patch = canvas.patch(x - 0.6 * h, foot - h, x + 0.6 * h, foot + 0.05 * h)
    belly = ellipse(patch.x, patch.y, (x, foot - 0.36 * h), (0.34 * h, 0.37 * h))
    neck = limb(patch.x, patch.y, (x, foot - 0.6 * h, 0.17 * h), (x, foot - 0.82 * h, 0.2 * h))
    handle = (
        np.abs(ellipse(patch.x, patch.y, (x + 0.3 * h, foot - 0.6 * h), (0.18 * h, 0.22 * h))) - 0.035 * h
    )
    shape = np.minimum(joined(belly, neck, 0.08 * h), handle)
    light = 1.1 - 0.45 * np.clip((patch.x - x) / h + 0.35, 0.0, 1.0)
    patch.paint(patch.coverage(shape), shaded(ware.colour, np.broadcast_to(light, shape.shape)))


def paint_bottle(canvas: Canvas, ware: Ware) -> None:
    """A slim bottle."""
    h, x, foot = ware.height, ware.x, ware.foot
    patch = canvas.patch(x - 0.25 * h, foot - h, x + 0.25 * h, foot + 0.05 * h)
    body = limb(patch.x, patch.y, (x, foot - 0.12 * h, 0.13 * h), (x, foot - 0.5 * h, 0.13 * h))
    neck = limb(patch.x, patch.y, (x, foot - 0.5 * h, 0.05 * h), (x, foot - 0.92 * h, 0.05 * h))
    shape = joined(body, neck, 0.08 * h)
    light = 0.95 - 0.5 * np.clip((patch.x - x) / h + 0.1, 0.0, 0.5)
    glass = mix(ware.colour, rgb("24402f"), 0.6)
    patch.paint(patch.coverage(shape), shaded(glass, np.broadcast_to(light, shape.shape)))


PAINTERS = {"books": paint_books, "jug": paint_jug, "bottle": paint_bottle}


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


@scene("toy-shape", "Rendered apples and oranges on a table: the outline of the objects changes.")
@dataclass(frozen=True, eq=False)
class ShapeScene:
    """One to four fruits on a table, from far to near."""

    kitchen: Kitchen
    fruits: tuple[Fruit, ...]

    @classmethod
    def draw(cls, random: np.random.Generator) -> Self:
        """A scene; half of them are cluttered."""
        kitchen = draw_kitchen(random, cluttered=random.random() < 0.5)
        count = int(random.choice([1, 2, 3, 4], p=[0.3, 0.35, 0.2, 0.15]))
        radius = (0.24, 0.19, 0.145, 0.13)[count - 1]
        highest = max(kitchen.edge + 0.16, 0.64)
        fruits = []
        for place in (random.permutation(count) + 0.5) / count:
            depth = random.uniform(0.0, 1.0)
            own = radius * (0.85 + 0.2 * depth)
            x = float(np.clip(place + random.uniform(-0.2, 0.2) / count, 1.12 * own, 1.0 - 1.12 * own))
            fruits.append(draw_fruit(random, x, highest + depth * (0.93 - highest), own))
        return cls(kitchen, tuple(sorted(fruits, key=lambda fruit: fruit.ground)))

    def paint(self, domain: str, size: int) -> Canvas:
        """The scene in domain A (apples) or B (oranges)."""
        canvas = Canvas(size)
        paint_kitchen(canvas, self.kitchen)
        for label, fruit in enumerate(self.fruits, start=1):
            paint_fruit(canvas, fruit, orange=domain == "B", label=label)
        return canvas
