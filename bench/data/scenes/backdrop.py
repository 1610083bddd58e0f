"""Grassland under a sky, clean or cluttered with hills, trees, bushes and rocks: the same in both domains."""

from dataclasses import dataclass

import numpy as np

from bench.data.scenes.canvas import Canvas, Colour, Field, ellipse, limb, mix, noise, polygon, rgb, shaded

SKIES = (("5f9fd8", "cfe6f5"), ("6aa8dc", "f3e6c8"), ("7d93b0", "dfe3e8"), ("4b86c8", "b9dcf2"))
GROUNDS = (("93ad55", "5c7f33"), ("c2b066", "8f8443"), ("a9b45c", "6b8338"), ("cdb777", "a18a4e"))


@dataclass(frozen=True, eq=False)
class Thing:
    """A tree, bush or rock."""

    kind: str
    x: float
    ground: float
    height: float
    tone: float
    """0 to 1, picks a colour."""


@dataclass(frozen=True, eq=False)
class Meadow:
    """The background of a scene."""

    horizon: float
    sky: tuple[Colour, Colour]
    """At the top and at the horizon."""
    ground: tuple[Colour, Colour]
    """At the horizon and at the bottom."""
    ridges: Field
    """Heights of the distant hills, [hills, 9], in scene units above the horizon."""
    clouds: Field
    """Each cloud's x, y and width, [clouds, 3]."""
    texture: Field
    """Grid of the ground's patches, [17, 13], -1 to 1."""
    things: tuple[Thing, ...]
    """From far to near."""


def draw_meadow(random: np.random.Generator, cluttered: bool) -> Meadow:
    """A meadow; a clean one has no trees, bushes, rocks or clouds."""
    horizon = random.uniform(0.30, 0.44)
    sky = SKIES[int(random.integers(len(SKIES)))]
    ground = GROUNDS[int(random.integers(len(GROUNDS)))]
    ridges = random.uniform(0.02, 0.16, (2, 9)) * np.array([[1.0], [0.55]])
    clouds = random.uniform((0.0, 0.05, 0.12), (1.0, 0.22, 0.28), (3, 3))
    texture = random.uniform(-1.0, 1.0, (17, 13))
    things = _draw_things(random, horizon)
    return Meadow(
        horizon=horizon,
        sky=(rgb(sky[0]), rgb(sky[1])),
        ground=(rgb(ground[0]), rgb(ground[1])),
        ridges=ridges if cluttered else ridges[:1] * 0.5,
        clouds=clouds if cluttered else clouds[:0],
        texture=texture if cluttered else texture * 0.4,
        things=things if cluttered else (),
    )


def _draw_things(random: np.random.Generator, horizon: float) -> tuple[Thing, ...]:
    things = []
    for _ in range(int(random.integers(4, 9))):
        depth = random.random() ** 1.5
        kind = ("tree", "bush", "rock")[int(random.integers(3))] if depth < 0.45 else "rock"
        height = {"tree": 0.26, "bush": 0.10, "rock": 0.06}[kind] * (0.7 + 0.9 * depth)
        ground = horizon + 0.01 + depth * (0.97 - horizon)
        things.append(Thing(kind, random.uniform(0.0, 1.0), ground, height, random.random()))
    return tuple(sorted(things, key=lambda thing: thing.ground))


def paint_meadow(canvas: Canvas, meadow: Meadow) -> None:
    """Paint sky, hills, ground and what stands on it."""
    patch = canvas.patch()
    paint_sky(canvas, meadow.sky, meadow.horizon)
    for x, y, width in meadow.clouds:
        paint_cloud(canvas, x, y, width)
    far = mix(meadow.sky[1], rgb("53707a"), 0.55)
    for number, heights in enumerate(meadow.ridges):
        edge = meadow.horizon - noise(np.stack([heights, heights]), patch.x, np.zeros((1, 1)))
        patch.paint(patch.coverage(edge - patch.y), mix(far, meadow.ground[0], 0.25 + 0.45 * number))
    below = patch.coverage(np.broadcast_to(meadow.horizon - patch.y, canvas.labels.shape))
    depth = np.clip((patch.y - meadow.horizon) / (1.0 - meadow.horizon), 0.0, 1.0)
    first, last = (np.asarray(colour) for colour in meadow.ground)
    patches = noise(meadow.texture, patch.x, np.sqrt(depth))
    patch.paint(below, (first + (last - first) * depth[..., None]) * (1.0 + 0.13 * patches[..., None]))
    for thing in meadow.things:
        PAINTERS[thing.kind](canvas, thing)


def paint_sky(canvas: Canvas, sky: tuple[Colour, Colour], horizon: float) -> None:
    """A gradient from the top down to the horizon, over the whole canvas."""
    share = np.clip(np.arange(canvas.size) / (canvas.size * horizon), 0.0, 1.0)[:, None, None]
    top, bottom = (np.asarray(colour) for colour in sky)
    canvas.pixels[...] = top + (bottom - top) * share


def paint_cloud(canvas: Canvas, x: float, y: float, width: float) -> None:
    """A soft cloud of three puffs."""
    patch = canvas.patch(x - width, y - width / 2, x + width, y + width / 2)
    if patch.pixels.size == 0:
        return
    puffs = ((-0.25, 0.03, 0.26), (0.05, -0.05, 0.30), (0.3, 0.04, 0.22))
    shapes = [
        ellipse(patch.x, patch.y, (x + dx * width, y + dy * width), (r * width, 0.45 * r * width))
        for dx, dy, r in puffs
    ]
    patch.paint(np.clip(-np.minimum.reduce(shapes) * (18.0 / width), 0.0, 1.0) * 0.8, rgb("ffffff"))


def paint_tree(canvas: Canvas, thing: Thing) -> None:
    """A broad tree: trunk and three tufts of leaves, lit from above."""
    h, x, foot = thing.height, thing.x, thing.ground
    patch = canvas.patch(x - 0.5 * h, foot - 1.1 * h, x + 0.5 * h, foot + 0.05 * h)
    if patch.pixels.size == 0:
        return
    trunk = limb(patch.x, patch.y, (x, foot, 0.055 * h), (x, foot - 0.6 * h, 0.03 * h))
    patch.paint(patch.coverage(trunk), rgb("5a4029"))
    tufts = ((-0.2, 0.62, 0.22), (0.2, 0.6, 0.21), (0.0, 0.78, 0.25))
    crown = np.minimum.reduce(
        [ellipse(patch.x, patch.y, (x + dx * h, foot - dy * h), (r * h, 0.85 * r * h)) for dx, dy, r in tufts]
    )
    light = 0.72 + 0.5 * np.clip((foot - 0.45 * h - patch.y) / (0.6 * h), 0.0, 1.0)
    leaves = mix(rgb("3f6b2c"), rgb("6f8a36"), thing.tone)
    patch.paint(patch.coverage(crown), shaded(leaves, np.broadcast_to(light, crown.shape)))


def paint_bush(canvas: Canvas, thing: Thing) -> None:
    """A low bush."""
    h, x, foot = thing.height, thing.x, thing.ground
    patch = canvas.patch(x - h, foot - h, x + h, foot + 0.1 * h)
    if patch.pixels.size == 0:
        return
    tufts = ((-0.45, 0.3, 0.38), (0.4, 0.32, 0.4), (0.0, 0.48, 0.48))
    crown = np.minimum.reduce(
        [ellipse(patch.x, patch.y, (x + dx * h, foot - dy * h), (r * h, 0.9 * r * h)) for dx, dy, r in tufts]
    )
    crown = np.maximum(crown, patch.y - foot)
    light = 0.7 + 0.5 * np.clip((foot - patch.y) / h, 0.0, 1.0)
    leaves = mix(rgb("45702f"), rgb("7c8c3c"), thing.tone)
    patch.paint(patch.coverage(crown), shaded(leaves, np.broadcast_to(light, crown.shape)))


def paint_rock(canvas: Canvas, thing: Thing) -> None:
    """A grey rock with a lit upper side."""
    h, x, foot = thing.height, thing.x, thing.ground
    patch = canvas.patch(x - 1.2 * h, foot - h, x + 1.2 * h, foot + 0.2 * h)
    if patch.pixels.size == 0:
        return
    skew = (thing.tone - 0.5) * 0.6
    corners = [
        (-1.05, 0.0),
        (-0.8, -0.5),
        (-0.2 + skew, -0.9),
        (0.45 + skew, -0.75),
        (1.0, -0.25),
        (1.05, 0.0),
    ]
    stone = mix(rgb("8d8a86"), rgb("a3947f"), thing.tone)
    scaled = [(x + dx * h, foot + dy * h) for dx, dy in corners]
    shape = polygon(patch.x, patch.y, scaled)
    light = 0.6 + 0.55 * np.clip((foot - patch.y) / (0.9 * h) - 0.25 * (patch.x - x) / h, 0.0, 1.0)
    patch.paint(patch.coverage(shape), shaded(stone, light))


PAINTERS = {"tree": paint_tree, "bush": paint_bush, "rock": paint_rock}
