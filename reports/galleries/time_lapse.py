"""One test image over training: when does a variant learn to translate, and does it stay?"""

from collections.abc import Iterator
from typing import Any

from reports.comparability import Group
from reports.comparisons import arrow_text
from reports.galleries.model import Gallery, Shot, Strip
from reports.galleries.pictures import Pictures
from reports.galleries.sources import Shown, seeds_shown, step_of
from reports.numbers import grouped
from reports.parts import gallery
from reports.tables.scores import DIRECTIONS

MOST_STEPS = 8
MOST_VARIANTS = 12


@gallery("time")
def time_lapses(group: Group, shown: list[Shown], pictures: Pictures) -> Iterator[Gallery]:
    """One gallery per direction: a row per variant, from the first kept step to the last."""
    for direction in DIRECTIONS:
        found = {run.variant: _progress(run, direction) for run in shown[:MOST_VARIANTS]}
        files = sorted({str(entry.get("file")) for entries in found.values() for entry in entries})
        if not files:
            continue
        strips = [
            _strip(run, direction, files[0], found[run.variant], pictures)
            for run in shown[:MOST_VARIANTS]
            if any(entry.get("file") == files[0] for entry in found[run.variant])
        ]
        rule = (
            f"Test image {files[0]}, the first by file name; {seeds_shown(shown)}. At most {MOST_STEPS} of "
            "the steps that were kept, evenly chosen, the last one included."
        )
        title = f"Over training, {arrow_text(direction)}"
        yield Gallery(f"time-{direction}", "training", title, rule, (), tuple(strips))


def _progress(run: Shown, direction: str) -> list[dict[str, Any]]:
    kept = [e for e in run.samples if e.get("kind") == "progress" and e.get("direction") == direction]
    return sorted(kept, key=step_of)


def _strip(run: Shown, direction: str, file: str, entries: list[dict[str, Any]], pictures: Pictures) -> Strip:
    of_file = [entry for entry in entries if entry.get("file") == file]
    count = min(MOST_STEPS, len(of_file))
    last = len(of_file) - 1
    places = sorted({round(last * at / max(1, count - 1)) for at in range(count)}) if count > 1 else [last]
    final = run.final(direction).get(file)
    source = pictures.add_file(run.folder, f"{final.get('folder')}/source.png") if final else None
    shots = [Shot("source", source)] if source else []  # it is kept at the end of training
    for place in places:
        entry = of_file[place]
        picture = pictures.add_file(run.folder, f"{entry.get('folder')}/output.png", exact=False)
        label = f"step {grouped(step_of(entry))}"
        shots.append(Shot(label, picture, note="" if picture else "The picture cannot be read."))
    return Strip(run.variant, tuple(shots))
