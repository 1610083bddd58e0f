"""A table before a wall, clean or cluttered with books, jugs and bottles: the same in both domains."""

from dataclasses import dataclass

import numpy as np

from bench.data.scenes.canvas import (
    Canvas,
    Colour,
    Field,
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
