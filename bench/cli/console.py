"""Printing for people: results on stdout, remarks on stderr."""

import sys
from collections.abc import Mapping
from pathlib import Path

from bench.runs.folder import RunFolder
from bench.runs.scores import DIRECTIONS, Scores, read_scores


def announce(text: str) -> None:
    """One line on stderr about what is being done."""
    print(text, file=sys.stderr, flush=True)


def print_record(path: Path, as_json: bool) -> None:
    """The outcome of a run: its scores in a small table, its costs, where it lies."""
    folder = RunFolder(path)
    record = folder.read()
    if as_json:
        print(record.model_dump_json(indent=2))
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
            table.add_row(key, direction.replace("2", " → "), *map(number, values))
    Console().print(table)


def headline_keys(metrics: Mapping[str, object]) -> list[str]:
    """Keys of the Frechet and kernel distances among the metrics."""
    return [key for key in metrics if key.split("(")[0] in {"fid", "kid", "fd", "kd"}]


def number(value: float | None) -> str:
    """Four significant digits; a dash where there is no value."""
    return "-" if value is None else f"{value:.4g}"
