"""toy-season: a mountain valley in summer and in winter, a change of colour everywhere (Yosemite)."""

from dataclasses import dataclass

import numpy as np

from bench.data.scenes.backdrop import paint_cloud, paint_sky
from bench.data.scenes.canvas import Canvas, Field, limb, noise, rgb
from bench.data.scenes.landmarks import (
    SEASONS,
    Landmark,
    Season,
    paint_cabin,
    paint_fir,
    paint_oak,
    paint_stone,
)

PAINTERS = {"fir": paint_fir, "oak": paint_oak, "cabin": paint_cabin}


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


def draw_scene(random: np.random.Generator) -> SeasonScene:
    """A scene; half of them are cluttered."""
    cluttered = bool(random.random() < 0.5)
    horizon = random.uniform(0.42, 0.54)
    peaks = random.uniform(0.04, 0.16, 11) + random.uniform(0.0, 0.2, 11) * (np.arange(11) % 2)
    woods = [
        Landmark(random.uniform(0, 1), horizon + 0.015, random.uniform(0.05, 0.10), "fir") for _ in range(14)
    ]
    stones = [
        Landmark(
            random.uniform(0, 1), random.uniform(horizon + 0.1, 1.0), random.uniform(0.03, 0.07), "stone"
        )
        for _ in range(5)
    ]
    return SeasonScene(
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


def paint_scene(scene: SeasonScene, domain: str, size: int) -> Canvas:
    """The scene in domain A (summer) or B (winter)."""
    canvas, season = Canvas(size), SEASONS[domain]
    paint_sky(canvas, season.sky, scene.horizon)
    for x, y, width in scene.clouds:
        paint_cloud(canvas, x, y, width)
    _paint_land(canvas, scene, season)
    for tree in scene.woods:
        paint_fir(canvas, tree, season, label=0)
    for stone in scene.stones:
        paint_stone(canvas, stone, season)
    for label, landmark in enumerate(scene.landmarks, start=1):
        PAINTERS[landmark.kind](canvas, landmark, season, label)
    return canvas


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
