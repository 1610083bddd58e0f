"""images.csv: one row per test image and direction, one column per measurement."""

import math
from collections.abc import Mapping

from bench.runs import atomic
from bench.runs.folder import RunFolder
from bench.runs.records import Direction
from bench.scoring.catalogue_images import IMAGE_METRICS
from bench.scoring.measure_direction import Measured


def write_image_table(folder: RunFolder, measured: Mapping[Direction, Measured]) -> None:
    """Replace images.csv by the columns of both directions, in the order of the catalogue."""
    keys = ordered({key for each in measured.values() for key in each.columns})
    rows: list[list[str]] = []
    for direction, each in measured.items():
        for place, name in enumerate(each.names):
            cells = [_cell(each.columns[key][place]) if key in each.columns else "" for key in keys]
            rows.append([direction, name, *cells])
    atomic.write_csv(folder.images_csv, ["direction", "file", *keys], rows)


def ordered(keys: set[str]) -> list[str]:
    """Keys in the catalogue's order, `..._<k>` by number; those of a feature network come last, by name."""
    places = {metric.key: place for place, metric in enumerate(IMAGE_METRICS)}

    def place(key: str) -> tuple[int, int, str]:
        stem, _, number = key.rpartition("_")
        if key not in places and number.isdigit() and f"{stem}_<k>" in places:
            return places[f"{stem}_<k>"], int(number), ""
        return places.get(key, len(places)), 0, key

    return sorted(keys, key=place)


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.7g}"
