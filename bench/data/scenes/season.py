"""toy-season: a mountain valley in summer and in winter, a change of colour everywhere (Yosemite).

Firs, oaks, cabins and stones stand in it, in the colours of the season.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from bench.data.scenes import scene
from bench.data.scenes.backdrop import paint_cloud, paint_sky
from bench.data.scenes.canvas import Canvas, Colour, Field, Patch, ellipse, limb, noise, polygon, rgb, shaded


@dataclass(frozen=True)
class Landmark:
    """A tree, cabin or stone."""

    x: float
    ground: float
    height: float
    kind: str


@dataclass(frozen=True)
class Season:
    """The colours of everything."""

    sky: tuple[Colour, Colour]
    mountain: Colour
    cap: Colour
    snow_line: float
    """How high above the horizon the snow begins, in scene units."""
    hills: Colour
    ground: tuple[Colour, Colour]
    roughness: float
    """Contrast of the meadow's patches."""
    water: Colour
    fir: tuple[Colour, Colour]
    """Below and at the lit edge of each tier."""
    leaves: tuple[Colour, Colour]
    wood: Colour
    wall: Colour
    roof: Colour
    stone: tuple[Colour, Colour]
    """Side and top."""


SUMMER = Season(
    sky=(rgb("3f8fdc"), rgb("c4e4f7")),
    mountain=rgb("8a8078"),
    cap=rgb("9a9087"),
    snow_line=0.26,
    hills=rgb("3f6b3a"),
    ground=(rgb("8fb54a"), rgb("5a8f2c")),
    roughness=0.16,
    water=rgb("3f86b8"),
    fir=(rgb("1f4a2a"), rgb("35713a")),
    leaves=(rgb("3d7a26"), rgb("7fb23c")),
    wood=rgb("5b3f28"),
    wall=rgb("9c6a3f"),
    roof=rgb("a8402f"),
    stone=(rgb("7b756d"), rgb("a39c92")),
)
WINTER = Season(
    sky=(rgb("93a9c2"), rgb("e2e7ee")),
    mountain=rgb("8d95a5"),
    cap=rgb("f4f7fb"),
    snow_line=0.09,
    hills=rgb("7d8d98"),
    ground=(rgb("eef2f8"), rgb("d3deec")),
    roughness=0.05,
    water=rgb("b4cadb"),
    fir=(rgb("3c5a58"), rgb("e6eef5")),
    leaves=(rgb("a3b0bd"), rgb("f1f5fa")),
    wood=rgb("564a45"),
    wall=rgb("86664f"),
    roof=rgb("c9d6e6"),
    stone=(rgb("7a8089"), rgb("eef3f8")),
)
SEASONS = {"A": SUMMER, "B": WINTER}


def paint_fir(canvas: Canvas, fir: Landmark, season: Season, label: int) -> None:
    """A trunk and four tiers, each darker towards its foot."""
    x, foot, h = fir.x, fir.ground, fir.height
    _shadow(canvas, fir, 0.26)
    patch = canvas.patch(x - 0.3 * h, foot - 1.02 * h, x + 0.3 * h, foot + 0.02 * h)
    trunk = limb(patch.x, patch.y, (x, foot - 0.02 * h, 0.035 * h), (x, foot - 0.2 * h, 0.03 * h))
    _lay(patch, trunk, season.wood, label)
    below, above = (np.asarray(colour) for colour in season.fir)
    for low, high, width in ((0.12, 0.5, 0.27), (0.3, 0.67, 0.22), (0.48, 0.84, 0.17), (0.66, 1.0, 0.12)):
        corners = [(x, foot - high * h), (x + width * h, foot - low * h), (x - width * h, foot - low * h)]
        rise = np.clip(((foot - patch.y) / h - low) / (high - low), 0.0, 1.0)
        colour = below + (above - below) * (rise**0.7)[..., None]
        _lay(patch, polygon(patch.x, patch.y, corners), colour, label)


def paint_oak(canvas: Canvas, oak: Landmark, season: Season, label: int) -> None:
    """A trunk and a broad crown of five tufts, lit from above."""
    x, foot, h = oak.x, oak.ground, oak.height
    _shadow(canvas, oak, 0.32)
    patch = canvas.patch(x - 0.4 * h, foot - 1.02 * h, x + 0.4 * h, foot + 0.02 * h)
    for lean in (-0.14, 0.0, 0.14):
        branch = limb(
            patch.x, patch.y, (x, foot - 0.02 * h, 0.045 * h), (x + lean * h, foot - 0.6 * h, 0.02 * h)
        )
        _lay(patch, branch, season.wood, label)
    dark, bright = (np.asarray(colour) for colour in season.leaves)
    for dx, dy, r in (
        (-0.22, 0.56, 0.17),
        (0.22, 0.55, 0.17),
        (0.0, 0.6, 0.2),
        (-0.11, 0.76, 0.19),
        (0.12, 0.79, 0.19),
    ):
        middle = (x + dx * h, foot - dy * h)
        tuft = ellipse(patch.x, patch.y, middle, (r * h, 0.9 * r * h))
        light = np.clip(0.45 + (middle[1] - patch.y) / (1.6 * r * h), 0.0, 1.0)
        _lay(patch, tuft, dark + (bright - dark) * light[..., None], label)


def paint_cabin(canvas: Canvas, cabin: Landmark, season: Season, label: int) -> None:
    """A log cabin with a door, a lit window and a chimney."""
    x, foot, h = cabin.x, cabin.ground, cabin.height
    _shadow(canvas, cabin, 0.62)
    patch = canvas.patch(x - 0.65 * h, foot - h, x + 0.65 * h, foot + 0.02 * h)

    def box(left: float, right: float, low: float, high: float) -> Field:
        corners = [(x + left * h, foot - high * h), (x + right * h, foot - high * h)]
        corners += [(x + right * h, foot - low * h), (x + left * h, foot - low * h)]
        return polygon(patch.x, patch.y, corners)

    logs = 0.93 + 0.09 * np.sin((foot - patch.y) / h * 2 * np.pi / 0.11) + 0.0 * patch.x
    _lay(patch, box(0.2, 0.32, 0.55, 0.98), season.stone[0], label)
    _lay(patch, box(-0.5, 0.5, 0.0, 0.5), shaded(season.wall, logs), label)
    roof = [(-0.36, 0.9), (0.36, 0.9), (0.62, 0.46), (-0.62, 0.46)]
    _lay(patch, polygon(patch.x, patch.y, [(x + u * h, foot - v * h) for u, v in roof]), season.roof, label)
    _lay(patch, box(-0.32, -0.08, 0.0, 0.36), rgb("3b2618"), label)
    _lay(patch, box(0.1, 0.36, 0.16, 0.36), rgb("f4d27a"), label)


def paint_stone(canvas: Canvas, stone: Landmark, season: Season) -> None:
    """A boulder with a lit or snowy top."""
    x, foot, h = stone.x, stone.ground, stone.height
    patch = canvas.patch(x - 1.3 * h, foot - h, x + 1.3 * h, foot + 0.3 * h)
    shape = ellipse(patch.x, patch.y, (x, foot - 0.3 * h), (1.1 * h, 0.55 * h))
    side, top = (np.asarray(colour) for colour in season.stone)
    light = np.clip((foot - 0.2 * h - patch.y) / (0.5 * h), 0.0, 1.0) + 0.0 * patch.x
    patch.paint(patch.coverage(shape), side + (top - side) * light[..., None])


def _shadow(canvas: Canvas, landmark: Landmark, width: float) -> None:
    h = landmark.height
    patch = canvas.patch(landmark.x - h, landmark.ground - 0.2 * h, landmark.x + h, landmark.ground + 0.2 * h)
    shape = ellipse(patch.x, patch.y, (landmark.x + 0.06 * h, landmark.ground), (width * h, 0.07 * h))
    patch.paint(np.clip(-shape * (12.0 / h), 0.0, 0.35), rgb("1d2a2c"))


def _lay(patch: Patch, distance: Field, colour: Colour | Field, label: int) -> None:
    """Paint a shape and label it; woods at the horizon carry label 0."""
    coverage = patch.coverage(distance)
    patch.paint(coverage, colour)
    patch.mark(coverage, label)


PAINTERS = {"fir": paint_fir, "oak": paint_oak, "cabin": paint_cabin}


@scene(
    "toy-season",
    "A rendered valley in summer and winter: colours change everywhere.",
    changes_everywhere=True,
)
@dataclass(frozen=True, eq=False)
class SeasonScene:
    """One to four trees and cabins in a valley, from far to near; nothing here depends on the season."""

    horizon: float
    peaks: Field
    """Heights of the mountains over the horizon, in scene units, [11]."""
    hills: Field
    """Heights of the wooded hills, [9]."""
    texture: Field
    """Grid of the meadow's patches, [15, 11], -1 to 1."""
    stream: tuple[float, float] | None
    """Where a stream leaves the hills and the picture, None in clean scenes."""
    clouds: Field
    woods: tuple[Landmark, ...]
    """Small firs along the horizon."""
    stones: tuple[Landmark, ...]
    landmarks: tuple[Landmark, ...]
    """The labelled objects."""

    @classmethod
    def draw(cls, random: np.random.Generator) -> Self:
        """A scene; half of them are cluttered."""
        cluttered = bool(random.random() < 0.5)
        horizon = random.uniform(0.42, 0.54)
        peaks = random.uniform(0.04, 0.16, 11) + random.uniform(0.0, 0.2, 11) * (np.arange(11) % 2)
        woods = [
            Landmark(random.uniform(0, 1), horizon + 0.015, random.uniform(0.05, 0.10), "fir")
            for _ in range(14)
        ]
        stones = [
            Landmark(
                random.uniform(0, 1), random.uniform(horizon + 0.1, 1.0), random.uniform(0.03, 0.07), "stone"
            )
            for _ in range(5)
        ]
        return cls(
            horizon=horizon,
            peaks=peaks,
            hills=random.uniform(0.01, 0.07, 9),
            texture=random.uniform(-1.0, 1.0, (15, 11)) * (1.0 if cluttered else 0.4),
            clouds=random.uniform((0.0, 0.05, 0.12), (1.0, 0.2, 0.28), (2, 3)),
            stream=(random.uniform(0.2, 0.8), random.uniform(0.1, 0.9)) if cluttered else None,
            woods=tuple(woods) if cluttered else (),
            stones=tuple(sorted(stones, key=lambda stone: stone.ground)) if cluttered else (),
            landmarks=_draw_landmarks(random, horizon),
        )

    def paint(self, domain: str, size: int) -> Canvas:
        """The scene in domain A (summer) or B (winter)."""
        canvas, season = Canvas(size), SEASONS[domain]
        paint_sky(canvas, season.sky, self.horizon)
        for x, y, width in self.clouds:
            paint_cloud(canvas, x, y, width)
        _paint_land(canvas, self, season)
        for tree in self.woods:
            paint_fir(canvas, tree, season, label=0)
        for stone in self.stones:
            paint_stone(canvas, stone, season)
        for label, landmark in enumerate(self.landmarks, start=1):
            PAINTERS[landmark.kind](canvas, landmark, season, label)
        return canvas


def _draw_landmarks(random: np.random.Generator, horizon: float) -> tuple[Landmark, ...]:
    count = int(random.integers(1, 5))
    size = (0.52, 0.46, 0.40, 0.36)[count - 1]
    landmarks = []
    for place in (random.permutation(count) + 0.5) / count:
        kind = ("fir", "oak", "cabin")[int(random.integers(3))]
        depth = random.uniform(0.0, 1.0)
        height = size * (0.6 + 0.4 * depth) * (0.62 if kind == "cabin" else 1.0)
        x = min(max(place + random.uniform(-0.15, 0.15) / count, 0.4 * height), 1.0 - 0.4 * height)
        landmarks.append(Landmark(x, horizon + 0.12 + depth * (0.84 - horizon), height, kind))
    return tuple(sorted(landmarks, key=lambda landmark: landmark.ground))


def _paint_land(canvas: Canvas, scene: SeasonScene, season: Season) -> None:
    """Mountains with their caps, hills, the valley's floor and its stream."""
    patch = canvas.patch()
    flat = np.zeros((1, 1))
    height = _jagged(scene.peaks, patch.x)
    mountain = patch.coverage(scene.horizon - height - patch.y)
    shade = 0.85 + 0.25 * noise(scene.texture, patch.x, patch.y * 0.7)
    patch.paint(mountain, np.asarray(season.mountain) * shade[..., None])
    zigzag = 0.018 * np.abs((patch.x * 24.0) % 2.0 - 1.0)
    cap = patch.y - (scene.horizon - season.snow_line + zigzag)
    patch.paint(mountain * patch.coverage(cap), np.asarray(season.cap) * (0.25 + 0.75 * shade[..., None]))
    hills = noise(np.stack([scene.hills, scene.hills]), patch.x, flat)
    patch.paint(patch.coverage(scene.horizon - hills - patch.y), season.hills)
    depth = np.clip((patch.y - scene.horizon) / (1.0 - scene.horizon), 0.0, 1.0)
    first, last = (np.asarray(colour) for colour in season.ground)
    patches = noise(scene.texture, patch.x, np.sqrt(depth))[..., None]
    ground = (first + (last - first) * depth[..., None]) * (1.0 + season.roughness * patches)
    patch.paint(patch.coverage(np.broadcast_to(scene.horizon - patch.y, canvas.labels.shape)), ground)
    if scene.stream is not None:
        source, mouth = scene.stream
        water = limb(patch.x, patch.y, (source, scene.horizon + 0.02, 0.008), (mouth, 1.05, 0.09))
        patch.paint(patch.coverage(water), season.water)
        patch.paint(0.5 * patch.coverage(np.abs(water) - 0.006), rgb("5d6a70"))


def _jagged(heights: Field, x: Field) -> Field:
    """Straight lines between the heights, [1, w]."""
    return np.interp(x[0], np.linspace(0.0, 1.0, len(heights)), heights)[None, :]
