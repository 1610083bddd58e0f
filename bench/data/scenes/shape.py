"""toy-shape: apples become oranges, a change of outline and colour (apple to orange)."""

from dataclasses import dataclass

import numpy as np

from bench.data.scenes.canvas import Canvas
from bench.data.scenes.fruit import Fruit, draw_fruit, paint_fruit
from bench.data.scenes.kitchen import Kitchen, draw_kitchen, paint_kitchen


@dataclass(frozen=True, eq=False)
class ShapeScene:
    """One to four fruits on a table, from far to near."""

    kitchen: Kitchen
    fruits: tuple[Fruit, ...]


def draw_scene(random: np.random.Generator) -> ShapeScene:
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
    return ShapeScene(kitchen, tuple(sorted(fruits, key=lambda fruit: fruit.ground)))


def paint_scene(scene: ShapeScene, domain: str, size: int) -> Canvas:
    """The scene in domain A (apples) or B (oranges)."""
    canvas = Canvas(size)
    paint_kitchen(canvas, scene.kitchen)
    for label, fruit in enumerate(scene.fruits, start=1):
        paint_fruit(canvas, fruit, orange=domain == "B", label=label)
    return canvas
