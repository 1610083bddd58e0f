"""toy-stripes: plain horses become striped zebras, everything else stays (the horse-to-zebra question).

An animal is a plain horse in one domain and a striped zebra in the other. Its own coordinates: u towards the
head, v upwards, feet at v = 0, the withers near v = 1.
"""

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from bench.data.scenes import scene
from bench.data.scenes.backdrop import Meadow, draw_meadow, paint_meadow
from bench.data.scenes.canvas import (
    Canvas,
    Colour,
    Field,
    Patch,
    along,
    ellipse,
    joined,
    limb,
    mix,
    rgb,
    shaded,
)

COATS = tuple(rgb(code) for code in ("8b4f24", "7a431f", "99602f", "6f3a1c"))
HORSE_DARK = rgb("2b1a12")
ZEBRA_WHITE = rgb("f4f1ea")
ZEBRA_BLACK = rgb("17151a")
HOOF = rgb("1d1713")
STRIPES_PER_UNIT = 5.2


@dataclass(frozen=True)
class Animal:
    """Place, pose and coat; nothing here depends on the domain."""

    x: float
    ground: float
    """Height of the feet on the canvas."""
    height: float
    """From the feet to the withers, in scene units."""
    facing: int
    """1: to the right, -1: to the left."""
    neck: float
    """Angle of the neck above the horizon, in radians; negative: it grazes."""
    stride: float
    """How far the legs are apart."""
    coat: Colour
    phase: float
    """Where the stripes begin."""


def draw_animal(random: np.random.Generator, x: float, ground: float, height: float) -> Animal:
    """An animal at a place, in a pose of its own."""
    grazing = random.random() < 0.25
    neck = random.uniform(-0.75, -0.55) if grazing else random.uniform(0.75, 1.1)
    coat = COATS[int(random.integers(len(COATS)))]
    return Animal(
        x=x,
        ground=ground,
        height=height,
        facing=1 if random.random() < 0.5 else -1,
        neck=neck,
        stride=random.uniform(-0.14, 0.14),
        coat=mix(coat, rgb("b07a45"), random.uniform(0.0, 0.25)),
        phase=random.uniform(0.0, 1.0),
    )


def paint_animal(canvas: Canvas, animal: Animal, striped: bool, label: int) -> None:
    """Paint the animal and its shadow, and label its pixels."""
    brush = _Brush(canvas, animal, striped, label)
    patch, u, v = brush.window(-0.85, 0.95, -0.2, 0.2)
    patch.paint(np.clip(-4.0 * ellipse(u, v, (0.05, 0.0), (0.85, 0.13)), 0.0, 0.45), rgb("1c2418"))
    skeleton = _skeleton(animal)
    _paint_far_side(brush, skeleton)
    _paint_near_side(brush, skeleton)
    _paint_details(brush, skeleton)


Joint = tuple[float, float, float]
"""(u, v, radius)"""
Leg = tuple[Joint, Joint, Joint]
"""Hip, knee and foot."""


@dataclass(frozen=True)
class _Skeleton:
    """The joints of an animal in its own coordinates."""

    shoulder: Joint
    poll: Joint
    """The top of the head, where the neck ends."""
    nose: Joint
    near_legs: tuple[Leg, Leg]
    far_legs: tuple[Leg, Leg]


def _skeleton(animal: Animal) -> _Skeleton:
    poll = 0.40 + 0.58 * math.cos(animal.neck), 0.80 + 0.58 * math.sin(animal.neck)
    tilt = animal.neck - (1.25 if animal.neck > 0 else 0.35)
    step = animal.stride
    return _Skeleton(
        shoulder=(0.40, 0.80, 0.20),
        poll=(*poll, 0.115),
        nose=(poll[0] + 0.32 * math.cos(tilt), poll[1] + 0.32 * math.sin(tilt), 0.07),
        near_legs=(_leg(0.36, 0.36 + step, 0.02), _leg(-0.42, -0.44 + step, -0.07)),
        far_legs=(_leg(0.28, 0.28 - step, 0.02), _leg(-0.34, -0.34 - step, -0.07)),
    )


def _leg(hip: float, foot: float, knee: float) -> Leg:
    """A leg from hip to foot; `knee` is how far the knee lies before the straight line."""
    return (hip, 0.62, 0.135), ((hip + foot) / 2 + knee, 0.32, 0.062), (foot, 0.045, 0.05)


@dataclass(frozen=True, eq=False)
class _Brush:
    """Paints in the coordinates of one animal."""

    canvas: Canvas
    animal: Animal
    striped: bool
    label: int

    @property
    def dark(self) -> Colour:
        """Colour of mane, tail and muzzle."""
        return ZEBRA_BLACK if self.striped else HORSE_DARK

    def window(self, back: float, front: float, low: float, high: float) -> tuple[Patch, Field, Field]:
        """The pixels of a rectangle, with their u [1, w] and v [h, 1]."""
        animal = self.animal
        sides = animal.x + animal.facing * animal.height * np.array([back, front])
        patch = self.canvas.patch(
            sides.min(),
            animal.ground - high * animal.height,
            sides.max(),
            animal.ground - low * animal.height,
        )
        u = (patch.x - animal.x) * (animal.facing / animal.height)
        return patch, u, (animal.ground - patch.y) / animal.height

    def lay(self, patch: Patch, distance: Field, colour: Colour | Field) -> None:
        """Paint a shape and label it."""
        coverage = patch.coverage(distance, self.animal.height)
        patch.paint(coverage, colour)
        patch.mark(coverage, self.label)

    def bar(self, start: Joint, end: Joint, colour: Colour) -> None:
        """Paint a rounded bar of one colour."""
        radius = max(start[2], end[2])
        patch, u, v = self.window(
            min(start[0], end[0]) - radius,
            max(start[0], end[0]) + radius,
            min(start[1], end[1]) - radius,
            max(start[1], end[1]) + radius,
        )
        self.lay(patch, limb(u, v, start, end), colour)

    def coat(self, patch: Patch, place: Field, light: Field) -> Field:
        """Colour of the skin where `place` runs across the stripes, [h, w, 3]."""
        if not self.striped:
            return shaded(self.animal.coat, light)
        wave = np.sin(2 * np.pi * (STRIPES_PER_UNIT * place + self.animal.phase)) - 0.05
        black = patch.coverage(-wave / (2 * np.pi * STRIPES_PER_UNIT), self.animal.height)
        white = shaded(ZEBRA_WHITE, light)
        return white + black[..., None] * (np.asarray(ZEBRA_BLACK) - white)


def _paint_far_side(brush: _Brush, skeleton: _Skeleton) -> None:
    """The two legs of the far side, in shade, and the tail."""
    for leg in skeleton.far_legs:
        patch, u, v = brush.window(leg[2][0] - 0.3, leg[2][0] + 0.3, -0.05, 0.8)
        place = np.broadcast_to(v * 1.15 + 0.1, patch.labels.shape)
        brush.lay(patch, _leg_distance(u, v, leg), brush.coat(patch, place, np.full(place.shape, 0.62)))
    brush.bar((-0.60, 0.84, 0.04), (-0.74, 0.42, 0.07), brush.dark)


def _leg_distance(u: Field, v: Field, leg: Leg) -> Field:
    hip, knee, foot = leg
    return np.minimum(limb(u, v, hip, knee), limb(u, v, knee, foot))


def _paint_near_side(brush: _Brush, skeleton: _Skeleton) -> None:
    """Body, neck, head and the near legs as one shape, each part with stripes across its own axis."""
    top = max(1.1, skeleton.poll[1] + 0.15)
    patch, u, v = brush.window(-0.75, max(skeleton.nose[0], skeleton.poll[0]) + 0.15, -0.05, top)
    rump, chest = ellipse(u, v, (-0.30, 0.77), (0.34, 0.275)), ellipse(u, v, (0.22, 0.74), (0.40, 0.26))
    body = joined(rump, chest, softness=0.12)
    neck = limb(u, v, skeleton.shoulder, skeleton.poll)
    head = limb(u, v, skeleton.poll, skeleton.nose)
    legs = np.minimum(*(_leg_distance(u, v, leg) for leg in skeleton.near_legs))
    shape = joined(joined(body, legs, 0.08), joined(neck, head, 0.05), 0.10)

    up_the_neck = along(u, v, skeleton.shoulder[:2], skeleton.poll[:2])
    place = np.where(legs < body, v * 1.15, u + 0.35 * (v - 0.75) * np.clip(-u, -0.1, 0.6))
    on_neck = (neck < np.minimum(body, legs)) & (up_the_neck > 0.12)
    place = np.where(on_neck, 0.45 + 0.58 * up_the_neck, place)
    down_the_head = along(u, v, skeleton.poll[:2], skeleton.nose[:2])
    place = np.where(head < np.minimum(neck, body), 1.03 + 0.32 * down_the_head, place)
    light = 1.08 - 0.42 * np.clip((0.86 - v) / 0.55, 0.0, 1.0) ** 2 - 0.10 * np.clip(shape / 0.05 + 1, 0, 1)
    brush.lay(patch, shape, brush.coat(patch, place, light))


def _paint_details(brush: _Brush, skeleton: _Skeleton) -> None:
    """Mane, ear, muzzle, eye and hooves."""
    poll, nose, shoulder = skeleton.poll, skeleton.nose, skeleton.shoulder
    aside = -math.sin(brush.animal.neck), math.cos(brush.animal.neck)
    root = (shoulder[0] + 0.17 * aside[0] - 0.02, shoulder[1] + 0.17 * aside[1], 0.05)
    brush.bar(root, (poll[0] + 0.10 * aside[0], poll[1] + 0.10 * aside[1], 0.06), brush.dark)
    ear = brush.dark if brush.striped else mix(brush.animal.coat, brush.dark, 0.3)
    brush.bar((poll[0] + 0.01, poll[1] + 0.08, 0.045), (poll[0] + 0.03, poll[1] + 0.23, 0.012), ear)
    brush.bar(nose, (nose[0] + 0.015, nose[1] - 0.015, 0.062), brush.dark)
    eye = (poll[0] + 0.36 * (nose[0] - poll[0]), poll[1] + 0.36 * (nose[1] - poll[1]) + 0.03, 0.028)
    brush.bar(eye, (eye[0] + 0.001, eye[1], 0.028), rgb("0a0a0a"))
    for leg in skeleton.near_legs + skeleton.far_legs:
        brush.bar((leg[2][0], 0.035, 0.052), (leg[2][0] + 0.03, 0.03, 0.048), HOOF)


@scene("toy-stripes", "Rendered horses and zebras on a meadow: the texture of the objects changes.")
@dataclass(frozen=True, eq=False)
class StripesScene:
    """One to four animals on a meadow, from far to near."""

    meadow: Meadow
    animals: tuple[Animal, ...]

    @classmethod
    def draw(cls, random: np.random.Generator) -> Self:
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
        return cls(meadow, tuple(sorted(animals, key=lambda animal: animal.ground)))

    def paint(self, domain: str, size: int) -> Canvas:
        """The scene in domain A (horses) or B (zebras)."""
        canvas = Canvas(size)
        paint_meadow(canvas, self.meadow)
        for label, animal in enumerate(self.animals, start=1):
            paint_animal(canvas, animal, striped=domain == "B", label=label)
        return canvas


def _inside(animal: Animal) -> Animal:
    """The animal moved so far that its head and tail are in the picture."""
    ahead, behind = 1.12 * animal.height, 0.82 * animal.height
    left, right = (behind, ahead) if animal.facing > 0 else (ahead, behind)
    return replace(animal, x=min(max(animal.x, left), 1.0 - right))
