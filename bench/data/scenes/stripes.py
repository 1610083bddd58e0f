"""toy-stripes: plain horses become striped zebras, everything else stays (the horse-to-zebra question)."""

from dataclasses import dataclass, replace

import numpy as np

from bench.data.scenes.animal import Animal, draw_animal, paint_animal
from bench.data.scenes.backdrop import Meadow, draw_meadow, paint_meadow
from bench.data.scenes.canvas import Canvas


@dataclass(frozen=True, eq=False)
class StripesScene:
    """One to four animals on a meadow, from far to near."""

    meadow: Meadow
    animals: tuple[Animal, ...]


def draw_scene(random: np.random.Generator) -> StripesScene:
    """A scene; half of them are cluttered."""
    meadow = draw_meadow(random, cluttered=random.random() < 0.5)
    count = int(random.choice([1, 2, 3, 4], p=[0.35, 0.35, 0.2, 0.1]))
    height = (0.46, 0.34, 0.29, 0.26)[count - 1]
    highest = max(meadow.horizon + 0.10, 0.60)
    animals = []
    for place in (random.permutation(count) + 0.5) / count:
        depth = random.uniform(0.0, 1.0)
        x = place + random.uniform(-0.15, 0.15) / count
        ground = highest + depth * (0.94 - highest)
        animals.append(_inside(draw_animal(random, x, ground, height * (0.8 + 0.25 * depth))))
    return StripesScene(meadow, tuple(sorted(animals, key=lambda animal: animal.ground)))


def _inside(animal: Animal) -> Animal:
    """The animal moved so far that its head and tail are in the picture."""
    ahead, behind = 1.12 * animal.height, 0.82 * animal.height
    left, right = (behind, ahead) if animal.facing > 0 else (ahead, behind)
    return replace(animal, x=min(max(animal.x, left), 1.0 - right))


def paint_scene(scene: StripesScene, domain: str, size: int) -> Canvas:
    """The scene in domain A (horses) or B (zebras)."""
    canvas = Canvas(size)
    paint_meadow(canvas, scene.meadow)
    for label, animal in enumerate(scene.animals, start=1):
        paint_animal(canvas, animal, striped=domain == "B", label=label)
    return canvas
