"""What every mask selects, and what all but the background select together (figures 16 to 18)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.comparability import Group
from reports.comparisons import arrow_text
from reports.galleries.model import Gallery, Shot, Strip
from reports.galleries.outputs import foreground
from reports.galleries.pictures import Pictures, Pixels, read_picture
from reports.galleries.sources import Shown, seeds_shown
from reports.tables.scores import DIRECTIONS

IMAGES = 1
"""Test images of each direction shown with all their masks."""
MOST_MASKS = 12
MOST_VARIANTS = 8
UNREADABLE = "The picture cannot be read."
Weights = NDArray[np.float64]


def mask_galleries(group: Group, shown: list[Shown], pictures: Pictures) -> Iterator[Gallery]:
    """One gallery per direction and image: one row of masks, then one of selected content, per variant."""
    for direction in DIRECTIONS:
        masked = [run for run in shown if any(_masks(entry) for entry in run.final(direction).values())]
        files = sorted({file for run in masked for file in run.final(direction)})[:IMAGES]
        for at, file in enumerate(files):
            strips = tuple(
                strip for run in masked[:MOST_VARIANTS] for strip in _strips(run, direction, file, pictures)
            )
            rule = (
                f"Test image {file}, the first by file name; {seeds_shown(masked)}. First row of a variant: "
                "its masks, each with its largest weight in white (the caption says which). Second row: mask "
                "times content, as bright. Last: the sum of all masks but the background's. Slot numbers "
                "mean nothing."
            )
            title = f"Masks and what they select, {arrow_text(direction)}"
            yield Gallery(f"{group.key}-masks-{direction}-{at + 1}", "masks", title, rule, (), strips)


def _masks(entry: dict[str, Any]) -> int:
    count = entry.get("masks")
    return min(count, MOST_MASKS) if isinstance(count, int) else 0


def _strips(run: Shown, direction: str, file: str, pictures: Pictures) -> Iterator[Strip]:
    entry = run.final(direction).get(file)
    if entry is None or not _masks(entry):
        return
    place, background = str(entry.get("folder")), entry.get("background")
    planes = [_weights(run, f"{place}/mask-{at}.png", entry) for at in range(_masks(entry))]
    source = pictures.add_file(run.folder, f"{place}/source.png")
    masks = [Shot("source", source, note="" if source else UNREADABLE)]
    output = pictures.add_file(run.folder, f"{place}/output.png")
    selected = [Shot("output", output, note="" if output else UNREADABLE)]
    for at, plane in enumerate(planes):
        label = f"mask {at + 1}" + (" (input)" if at == background else "")
        content = read_picture(run.folder, f"{place}/content-{at}.png")
        masks.append(_mask_shot(label, plane, source, pictures))
        selected.append(_selected(f"content {at + 1}", plane, content, pictures))
    whole = foreground(run, entry)
    if whole is not None:
        mean = f"mean {whole.mean() / 255:.2f}, white 1"
        masks.append(Shot("foreground sum", source, mean, pictures.add(whole)))
    yield Strip(f"{run.variant}: masks", tuple(masks))
    yield Strip(f"{run.variant}: selected content", tuple(selected))


def _weights(run: Shown, inner: str, entry: dict[str, Any]) -> Weights | None:
    """A mask [h, w] in its own unit."""
    pixels = read_picture(run.folder, inner)
    scale = entry.get("mask_scale")
    factor = float(scale) if isinstance(scale, int | float) else 1.0
    return None if pixels is None or pixels.ndim != 2 else pixels / 255 * factor


def _mask_shot(label: str, plane: Weights | None, source: str | None, pictures: Pictures) -> Shot:
    """A mask over the source, made so bright that its largest weight is white."""
    if plane is None:
        return Shot(label, None, note=UNREADABLE)
    grey = pictures.add((_brightened(plane) * 255).round().astype(np.uint8))
    return Shot(label, source or grey, f"mean {plane.mean():.2f}, white {plane.max():.2f}", grey)


def _brightened(plane: Weights) -> Weights:
    largest = float(plane.max())
    return plane / largest if largest > 0 else plane


def _selected(label: str, plane: Weights | None, content: Pixels | None, pictures: Pictures) -> Shot:
    """Mask times content on black, as bright as the mask is shown: what this mask puts into the output."""
    if plane is None or content is None or content.ndim != 3 or plane.shape != content.shape[:2]:
        return Shot(label, None, note=UNREADABLE)
    return Shot(label, pictures.add((content * _brightened(plane)[..., None]).round().astype(np.uint8)))
