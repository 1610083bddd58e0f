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
from reports.parts import gallery
from reports.tables.scores import DIRECTIONS

IMAGES = 1
"""Test images of each direction shown with all their masks."""
MOST_MASKS = 12
MOST_VARIANTS = 8
UNREADABLE = "The picture cannot be read."
SELECTED = ": selected content"
OKABE_ITO = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#000000")
"""Colours that everybody tells apart (Okabe and Ito 2008), one a mask, repeated where masks are more."""
Weights = NDArray[np.float64]


@gallery("masks")
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
                f"Test image {file}, the first by file name; {seeds_shown(masked)}. All on one scale and "
                "never stretched: grey is an equal share, black none, white twice an equal share or more; a "
                "flat grey square attends to nothing. Segments: every pixel in the colour of its largest "
                "mask, beside the true foreground where it is known. Slot numbers and colours mean nothing."
            )
            key, where = f"masks-{direction}-{at + 1}", arrow_text(direction)
            masks = tuple(strip for strip in strips if not strip.title.endswith(SELECTED))
            yield Gallery(key, "masks", f"The masks, {where}", rule, (), masks)
            rule = (
                f"Test image {file}: mask times content, each as bright as its largest weight allows. First "
                "the output."
            )
            selected = tuple(strip for strip in strips if strip.title.endswith(SELECTED))
            title = f"What the masks select, {where}"
            yield Gallery(f"{key}-selected", "masks", title, rule, (), selected, folded=True)


def _masks(entry: dict[str, Any]) -> int:
    count = entry.get("masks")
    return min(count, MOST_MASKS) if isinstance(count, int) else 0


def _strips(run: Shown, direction: str, file: str, pictures: Pictures) -> Iterator[Strip]:
    entry = run.final(direction).get(file)
    if entry is None or not _masks(entry):
        return
    place, background = str(entry.get("folder")), entry.get("background")
    planes = planes_of(run, entry)
    source = pictures.add_file(run.folder, f"{place}/source.png")
    masks = [Shot("source", source, note="" if source else UNREADABLE)]
    output = pictures.add_file(run.folder, f"{place}/output.png")
    selected = [Shot("output", output, note="" if output else UNREADABLE)]
    for at, plane in enumerate(planes):
        label = "input" if at == background else str(at + 1)
        content = read_picture(run.folder, f"{place}/content-{at}.png")
        masks.append(_mask_shot(label, plane, len(planes), pictures))
        selected.append(_selected(f"content {at + 1}", plane, content, pictures))
    whole = foreground(run, entry)
    if whole is not None:
        masks.append(Shot("all but input", pictures.add(whole), f"mean {whole.mean() / 255:.2f}, white 1"))
    masks += _overlays(run, place, planes, run.numbers(direction, file, ("best_mask_iou",)), pictures)
    yield Strip(run.variant, tuple(masks))
    yield Strip(f"{run.variant}{SELECTED}", tuple(selected))


def _overlays(
    run: Shown, place: str, planes: list[Weights | None], iou: str, pictures: Pictures
) -> Iterator[Shot]:
    """The largest mask at every pixel, where that is not one alone, and the true foreground where known."""
    source = read_picture(run.folder, f"{place}/source.png")
    if source is None or source.ndim != 3:
        return
    known = [plane for plane in planes if plane is not None and plane.shape == source.shape[:2]]
    if len(known) < max(2, len(planes)):
        return
    labels = np.stack(known).argmax(axis=0)
    if len(np.unique(labels)) == 1:
        return
    yield Shot("segments", pictures.add(segments(source, labels)), iou)
    truth = read_picture(run.folder, f"{place}/foreground.png")
    if truth is not None and truth.shape == labels.shape:
        yield Shot("true foreground", pictures.add(lit(source, truth >= 128)))


def segments(source: Pixels, labels: NDArray[np.intp]) -> Pixels:
    """An image [h, w, 3] in grey, each pixel tinted by its label [h, w]."""
    colours = np.array([[int(name[at : at + 2], 16) for at in (1, 3, 5)] for name in OKABE_ITO])
    grey = source.mean(axis=2, keepdims=True)
    return (0.4 * grey + 0.6 * colours[labels % len(colours)]).round().astype(np.uint8)


def lit(source: Pixels, inside: NDArray[np.bool_]) -> Pixels:
    """An image [h, w, 3] as it is inside, and nearly black outside."""
    return np.where(inside[..., None], source, source // 5).astype(np.uint8)


def planes_of(run: Shown, entry: dict[str, Any]) -> list[Weights | None]:
    """The masks [h, w] of a picture in their own unit; None for one that cannot be read."""
    return [_weights(run, f"{entry.get('folder')}/mask-{at}.png", entry) for at in range(_masks(entry))]


def on_absolute_scale(plane: Weights, count: int) -> Pixels:
    """A mask of `count` as grey: an equal share is half, twice that or more is white."""
    return (np.clip(plane * count / 2, 0, 1) * 255).round().astype(np.uint8)


def _weights(run: Shown, inner: str, entry: dict[str, Any]) -> Weights | None:
    """A mask [h, w] in its own unit."""
    pixels = read_picture(run.folder, inner)
    scale = entry.get("mask_scale")
    factor = float(scale) if isinstance(scale, int | float) else 1.0
    return None if pixels is None or pixels.ndim != 2 else pixels / 255 * factor


def _mask_shot(label: str, plane: Weights | None, count: int, pictures: Pictures) -> Shot:
    """A mask on the one scale of the page."""
    if plane is None:
        return Shot(label, None, note=UNREADABLE)
    return Shot(
        label,
        pictures.add(on_absolute_scale(plane, count)),
        f"mean {plane.mean():.2f}, most {plane.max():.2f}",
    )


def _brightened(plane: Weights) -> Weights:
    largest = float(plane.max())
    return plane / largest if largest > 0 else plane


def _selected(label: str, plane: Weights | None, content: Pixels | None, pictures: Pictures) -> Shot:
    """Mask times content on black, as bright as the mask is shown: what this mask puts into the output."""
    if plane is None or content is None or content.ndim != 3 or plane.shape != content.shape[:2]:
        return Shot(label, None, note=UNREADABLE)
    shown = (content * _brightened(plane)[..., None]).round().astype(np.uint8)
    return Shot(label, pictures.add(shown, exact=False))
