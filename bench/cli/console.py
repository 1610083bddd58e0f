"""Printing for people: results on stdout, remarks on stderr."""

import math
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.cli.options import print_json
from bench.runs.folder import RunFolder
from bench.runs.scores import DIRECTIONS, Scores, read_scores
from bench.scoring.catalogue import metric


def announce(text: str) -> None:
    """One line on stderr about what is being done."""
    print(text, file=sys.stderr, flush=True)


def print_record(path: Path, as_json: bool) -> None:
    """The outcome of a run: its scores in a small table, its costs, where it lies."""
    folder = RunFolder(path)
    record = folder.read()
    if as_json:
        print_json(record.model_dump(mode="json"))
        return
    for warning in record.warnings:
        announce(f"note: {warning}")
    print_scores(read_scores(folder.scores_json))
    if record.costs:
        seconds = record.costs.seconds_training + record.costs.seconds_scoring
        print(f"{record.status} in {seconds:.0f} s, {record.images_seen} images of each domain seen: {path}")
    print(f"Look at it with: bench report {path}")


def print_scores(scores: Scores) -> None:
    """The set distances of the last step, a row for each direction, with floor and ceiling."""
    from rich.console import Console
    from rich.table import Table

    directions = scores.selections["last"].directions
    table = Table("score", "direction", "value", "floor: real images", "ceiling: copying")
    for key in headline_keys(directions["A2B"].metrics):
        for direction in DIRECTIONS:
            score = directions[direction].metrics[key]
            values = (score.value, score.floor, score.ceiling)
            cells = [printed(key, value) for value in values]
            table.add_row(heading(key), direction.replace("2", " → "), *cells)
    Console().print(table)


def heading(key: str) -> str:
    """The title of a score with its factor or unit; a key that the catalogue does not know as it is."""
    known = metric(key)
    return known.heading if known else key


def printed(key: str, value: float | None) -> str:
    """A score as people are shown it: times its factor, with four significant digits."""
    known = metric(key)
    return number(value if value is None or known is None else known.factor * value)


def headline_keys(metrics: Mapping[str, object]) -> list[str]:
    """Keys of the Frechet and kernel distances among the metrics."""
    return [key for key in metrics if key.split("(")[0] in {"fid", "kid", "fd", "kd"}]


def number(value: float | None) -> str:
    """Four significant digits, without exponent between 0.0001 and ten million; a dash for no value.

    >>> number(903.2), number(0.01), number(15081.3), number(None)
    ('903.2', '0.01000', '15081', '-')
    """
    if value is None or not math.isfinite(value):
        return "-"
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3e}"
    decimals = 3 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{max(0, decimals)}f}"
