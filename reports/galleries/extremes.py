"""Best, median and worst by a stated measure (figures 8 to 10, 19, 20): nobody picked them."""

from collections.abc import Iterator
from typing import Any

from reports import metrics
from reports.comparability import Group, file_name_of
from reports.comparisons import arrow_text
from reports.galleries.model import Gallery, Shot, Strip
from reports.galleries.pictures import Pictures
from reports.galleries.sources import Shown, seeds_shown
from reports.numbers import fixed
from reports.parts import gallery
from reports.tables.scores import DIRECTIONS

RANKS = ("best", "median", "worst")
MOST_VARIANTS = 12


@gallery("extremes")
def extreme_galleries(group: Group, shown: list[Shown], pictures: Pictures) -> Iterator[Gallery]:
    """One gallery per direction and measure: per variant the source and output of its three images."""
    for direction in DIRECTIONS:
        entries = {
            run.variant: [
                e for e in run.samples if e.get("kind") == "extreme" and e.get("direction") == direction
            ]
            for run in shown[:MOST_VARIANTS]
        }
        for measure in sorted({str(entry.get("measure")) for found in entries.values() for entry in found}):
            strips = [
                _strip(run, measure, entries[run.variant], pictures)
                for run in shown[:MOST_VARIANTS]
                if any(entry.get("measure") == measure for entry in entries[run.variant])
            ]
            better = {"lower": "lowest is best", "higher": "highest is best"}.get(metrics.better(measure), "")
            rule = (
                f"For every variant by itself, its test images with the best, the median and the worst "
                f"{metrics.title(measure)}{f' ({better})' if better else ''}, over the whole test split; "
                f"{seeds_shown(shown)}. Chosen by this number alone."
            )
            columns = tuple(f"{rank}: {what}" for rank in RANKS for what in ("source", "output"))
            title = f"Best, median and worst by {metrics.title(measure)}, {arrow_text(direction)}"
            key = f"extremes-{direction}-{file_name_of(measure)}"
            yield Gallery(key, "gallery", title, rule, columns, tuple(strips), folded=True)


def _strip(run: Shown, measure: str, entries: list[dict[str, Any]], pictures: Pictures) -> Strip:
    shots: list[Shot] = []
    of_measure = {str(entry.get("rank")): entry for entry in entries if str(entry.get("measure")) == measure}
    for rank in RANKS:
        entry = of_measure.get(rank)
        if entry is None:
            shots += [Shot(f"{rank}: {what}", None, note="Not kept.") for what in ("source", "output")]
            continue
        place, value = str(entry.get("folder")), entry.get("value")
        number = (
            f"{metrics.title(measure)} {fixed(float(value), 2)}" if isinstance(value, int | float) else ""
        )
        for what, caption in (("source", run.source_name(str(entry.get("file")))), ("output", number)):
            picture = pictures.add_file(run.folder, f"{place}/{what}.png")
            note = "" if picture else "The picture cannot be read."
            shots.append(Shot(f"{rank}: {what}", picture, caption, note=note))
    return Strip(run.variant, tuple(shots))
