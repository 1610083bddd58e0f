"""The folder of images that other programs made: like a run folder, without run.json, as there was no run.

Documented in docs/run-folder.md. Both directions of one system stand in one folder: scoring the second one
keeps the first.
"""

import csv
from pathlib import Path

import numpy as np

from bench.errors import BenchError
from bench.runs import atomic
from bench.runs.folder import RunFolder
from bench.runs.scores import Direction, Scores, Selection, read_scores
from bench.scoring.external_scores import Card, ExternalScores, images_alone
from bench.scoring.image_table import write_image_table
from bench.scoring.measure_direction import OUTPUT, Measured
from bench.scoring.run import npy

SAME = ("name", "feature_network", "weights_sha256", "dataset", "protocol")
"""Parts of the card that both directions in one folder must share."""


def external_scores(found: ExternalScores, direction: Direction, card: Card) -> Scores:
    """The scores of one direction as scores.json holds them: step 0, as nothing was trained here."""
    selection = Selection(step=0, images_seen=0, directions={direction: found.scores})
    return Scores(selections={"last": selection}, card=card)


def write_external(path: Path, found: ExternalScores, direction: Direction, card: Card) -> Scores:
    """Write scores.json, images.csv and features/ of one direction; the other one's are kept.

    Returns all scores of the folder. Raises BenchError for the folder of a run, or of another system,
    network, data set or protocol.
    """
    folder = RunFolder(path)
    with folder.locked():
        earlier = _earlier(folder, card)
        scores = _merged(external_scores(found, direction, card), earlier)
        network = str(card["feature_network"])
        for name, features in (
            ("last", found.measured.features[OUTPUT]),
            ("real", found.reference.real),
        ):
            atomic.write_bytes(folder.features / f"{name}-{direction}-{network}.npy", npy(features))
        tables = _other_direction(folder.images_csv, direction) | {direction: found.measured}
        write_image_table(folder, dict(sorted(tables.items())))
        atomic.write_text(folder.scores_json, scores.model_dump_json(indent=2) + "\n")
    return scores


def _earlier(folder: RunFolder, card: Card) -> Scores | None:
    """The scores that are there already; None where there are none."""
    if folder.run_json.exists():
        raise BenchError(
            f"{folder.path} is the folder of a run. Choose another with --out, or another --name."
        )
    if not folder.scores_json.exists():
        return None
    earlier = read_scores(folder.scores_json)
    differing = [key for key in SAME if earlier.card.get(key) != card.get(key)]
    if differing:
        lines = "\n".join(f"  {key}: here {earlier.card.get(key)}, now {card.get(key)}" for key in differing)
        raise BenchError(
            f"{folder.path} holds other scores:\n{lines}\n"
            "Choose another folder with --out, or remove this one."
        )
    return earlier


def _merged(new: Scores, earlier: Scores | None) -> Scores:
    """The new direction and the other one of `earlier`, the card likewise."""
    if earlier is None:
        return new
    selection = new.selections["last"]
    directions = earlier.selections["last"].directions | selection.directions
    merged = selection.model_copy(update={"directions": dict(sorted(directions.items()))})
    return Scores(selections={"last": merged}, card=earlier.card | new.card)


def _other_direction(path: Path, direction: Direction) -> dict[Direction, Measured]:
    """The other direction's rows of an images.csv, as they were measured; empty where there are none."""
    if not path.exists():
        return {}
    other: Direction = "B2A" if direction == "A2B" else "A2B"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["direction"] == other]
    if not rows:
        return {}
    keys = [key for key in rows[0] if key not in ("direction", "file")]
    columns = {key: np.array([float(row[key] or "nan") for row in rows]) for key in keys}
    names = tuple(row["file"] for row in rows)
    return {other: images_alone(names, columns, {}, {})}
