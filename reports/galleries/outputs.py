"""The same test images for every variant, side by side (figures 5 to 7 of the paper)."""

from collections.abc import Iterator

import numpy as np

from bench.names import counted
from reports.comparability import Group
from reports.comparisons import arrow_text
from reports.galleries.model import Gallery, Shot, Strip
from reports.galleries.pictures import LARGE, Pictures, Pixels, read_picture
from reports.galleries.sources import Shown, seeds_shown
from reports.parts import gallery
from reports.tables.scores import DIRECTIONS

MOST_IMAGES = 6
MOST_VARIANTS = 12


@gallery("outputs")
def output_galleries(group: Group, shown: list[Shown], pictures: Pictures) -> Iterator[Gallery]:
    """One gallery per direction: source, every variant in the order of the page, the true counterfactual."""
    drawn = shown[:MOST_VARIANTS]
    for direction in DIRECTIONS:
        finals = {run.variant: run.final(direction) for run in drawn}
        files = sorted({file for entries in finals.values() for file in entries})[:MOST_IMAGES]
        if not files:
            continue
        strips = tuple(_strip(file, direction, drawn, pictures) for file in files)
        columns = ("source", *(run.variant for run in drawn), "truth")
        for at in (-1, 0):  # the counterfactual of real images, the source before the end of training
            if all(strip.shots[at].picture is None for strip in strips):
                kept = slice(0, -1) if at else slice(1, None)
                strips = tuple(Strip(strip.title, strip.shots[kept]) for strip in strips)
                columns = columns[kept]
        more = len(shown) - len(drawn)
        rule = (
            f"{counted(len(files), 'test image')} that every run keeps as pictures, spread evenly over the "
            f"test split; {seeds_shown(drawn)}; in the order of the tables."
        )
        rule += f" {more} more variants are not shown." if more > 0 else ""
        title = f"Translations, {arrow_text(direction)}"
        yield Gallery(f"outputs-{direction}", "gallery", title, rule, columns, strips, compare=True)


def _strip(file: str, direction: str, drawn: list[Shown], pictures: Pictures) -> Strip:
    source, truth, called = None, None, ""
    shots = []
    for run in drawn:
        entry = run.final(direction).get(file)
        if entry is None:
            shots.append(Shot(run.variant, None, note="No picture of this image is kept here."))
            continue
        place = str(entry.get("folder"))
        called = called or run.source_name(file)
        source = source or pictures.add_file(run.folder, f"{place}/source.png", LARGE)
        truth = truth or pictures.add_file(run.folder, f"{place}/counterfactual.png", LARGE)
        picture = pictures.add_file(run.folder, f"{place}/output.png", LARGE)
        overlay = foreground(run, entry)
        numbers = run.numbers(direction, file)
        note = "" if picture else "The picture cannot be read."
        name = None if overlay is None else pictures.add(overlay)
        shots.append(Shot(run.variant, picture, numbers, name if picture else None, note))
    first = Shot("source", source, called, note="" if source else "The picture cannot be read.")
    return Strip(file, (first, *shots, Shot("truth", truth, "true counterfactual")))


def foreground(run: Shown, entry: dict[str, object]) -> Pixels | None:
    """The sum of all masks but the background's, [h, w] of 0 to 255; None without masks or background."""
    count, background = entry.get("masks"), entry.get("background")
    if not isinstance(count, int) or count < 1 or not isinstance(background, int):
        return None
    others = [at for at in range(min(count, 64)) if at != background]
    found = [read_picture(run.folder, f"{entry.get('folder')}/mask-{at}.png") for at in others]
    planes = [plane.astype(np.float64) for plane in found if plane is not None and plane.ndim == 2]
    if not planes or len(planes) != len(others) or len({plane.shape for plane in planes}) != 1:
        return None
    scale = entry.get("mask_scale")
    factor = float(scale) if isinstance(scale, int | float) else 1.0
    return np.clip(sum(planes) * factor, 0, 255).round().astype(np.uint8)
