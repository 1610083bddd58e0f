"""What every mask selects, and what all but the background select together (figures 16 to 18)."""

from collections.abc import Iterator
from typing import Any

import numpy as np

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
                f"Test image {file}, the first by file name; {seeds_shown(masked)}. White selects. First row "
                "of a variant: its masks; second row: mask × content, scaled alike; the last picture is "
                "the sum of all masks but the background's. Slots are exchangeable: numbers mean nothing."
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
    under = pictures.add_file(run.folder, f"{place}/source.png")
    masks, selected = [Shot("source", under, note="" if under else "The picture cannot be read.")], []
    output = pictures.add_file(run.folder, f"{place}/output.png")
    selected.append(Shot("output", output, note="" if output else "The picture cannot be read."))
    for at in range(_masks(entry)):
        mask = read_picture(run.folder, f"{place}/mask-{at}.png")
        content = read_picture(run.folder, f"{place}/content-{at}.png")
        label = f"mask {at + 1}" + (" (input)" if at == background else "")
        share = "" if mask is None else f"mean {mask.mean() / 255 * _scale(entry):.2f}"
        name = None if mask is None else pictures.add(mask)
        masks.append(Shot(label, under if name else None, share, name, "" if name else "It cannot be read."))
        selected.append(_selected(f"content {at + 1}", mask, content, entry, pictures))
    whole = foreground(run, entry)
    if whole is not None:
        mean = f"mean {whole.mean() / 255:.2f}"
        masks.append(Shot("foreground sum", under, mean, pictures.add(whole)))
    yield Strip(f"{run.variant}: masks", tuple(masks))
    yield Strip(f"{run.variant}: selected content", tuple(selected))


def _scale(entry: dict[str, Any]) -> float:
    scale = entry.get("mask_scale")
    return float(scale) if isinstance(scale, int | float) else 1.0


def _selected(
    label: str, mask: Pixels | None, content: Pixels | None, entry: dict[str, Any], pictures: Pictures
) -> Shot:
    """Mask times content on black: what this mask puts into the output."""
    if mask is None or content is None or mask.shape[:2] != content.shape[:2] or content.ndim != 3:
        return Shot(label, None, note="It cannot be read.")
    weight = np.clip(mask.astype(np.float64) / 255 * _scale(entry), 0, 1)[..., None]
    return Shot(label, pictures.add((content * weight).round().astype(np.uint8)))
