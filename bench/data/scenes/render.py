"""The embedded data sets as arrays: which scenes they hold, their pixels and their ground truth.

Scene number i of a split is the same scene at every size and however many are asked for: it follows from the
name of the set, the split, the domain and i, and from nothing else. Domains share no scene, so that training
is unpaired.
"""

import hashlib
from collections.abc import Iterator
from importlib import resources
from typing import Any

import numpy as np

from bench.data.dataset import Images
from bench.data.scenes import season, shape, stripes
from bench.data.scenes.canvas import Canvas

SCENES: dict[str, Any] = {"toy-stripes": stripes, "toy-season": season, "toy-shape": shape}
CHANGES_EVERYWHERE = {"toy-season"}
"""Sets in which the right translation changes every pixel, not the objects alone."""
FAINT = 12
"""Changes up to this (of 255) do not make a pixel foreground: the faint rim of antialiased edges."""
OTHER = {"A": "B", "B": "A"}


def renderer_version() -> str:
    """16 hex digits that change with the code of the renderer and with NumPy."""
    digest = hashlib.sha256(np.__version__.encode())
    folder = resources.files("bench.data.scenes")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".py"):
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def scene_images(name: str, split: str, domain: str, count: int, size: int) -> Iterator[Images]:
    """The first `count` images of a split of a domain, each uint8 [1, size, size, 3]."""
    for index in range(count):
        yield _paint(name, split, domain, index, domain, size).image()[None]


def scene_truth(name: str, domain: str, count: int, size: int) -> Iterator[Images]:
    """Ground truth of the first `count` test images of a domain, each uint8 [1, size, size, 5].

    Channels: red, green, blue of the counterfactual; 1 in the foreground; the object's label, 0 for none.
    """
    for index in range(count):
        source = _paint(name, "test", domain, index, domain, size)
        target = _paint(name, "test", domain, index, OTHER[domain], size)
        before, after = source.image(), target.image()
        changed = np.abs(before.astype(np.int16) - after).max(axis=2) > FAINT
        foreground = changed | (source.labels > 0) | (target.labels > 0) | (name in CHANGES_EVERYWHERE)
        yield np.dstack([after, foreground.astype(np.uint8), source.labels])[None]


def _paint(name: str, split: str, domain: str, index: int, shown_in: str, size: int) -> Canvas:
    """Scene number `index` of a domain's split, as it looks in domain `shown_in`."""
    text = f"{name}/{split}{domain}/{index}"
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    scene = SCENES[name].draw_scene(np.random.Generator(np.random.PCG64(seed)))
    canvas: Canvas = SCENES[name].paint_scene(scene, shown_in, size)
    return canvas
