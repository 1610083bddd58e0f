"""The folder of images that other programs made: like a run folder, without run.json, as there was no run.

Documented in docs/run-folder.md. Both directions of one system stand in one folder: scoring the second one
keeps the first.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.errors import BenchError
from bench.protocol import ScoreSettings
from bench.runs import atomic
from bench.runs.folder import RunFolder, find_runs
from bench.runs.pictures import Entry, read_entries, replace_entries, sample_indices, write_pictures
from bench.runs.records import Direction, Scores, Selection, read_scores
from bench.scoring.external_scores import Card, ExternalScores, images_alone
from bench.scoring.final_samples import extremes
from bench.scoring.image_table import write_image_table
from bench.scoring.measure_direction import OUTPUT, Measured
from bench.scoring.pairing import matches
from bench.scoring.run import npy

SAME = ("name", "feature_network", "weights_sha256", "dataset", "protocol")
"""Parts of the card that both directions in one folder must share."""
NO_MASKS: Entry = {"masks": 0, "mask_scale": 1.0, "background": None}


def external_scores(found: ExternalScores, direction: Direction, card: Card) -> Scores:
    """The scores of one direction as scores.json holds them: step 0, as nothing was trained here."""
    selection = Selection(step=0, images_seen=0, directions={direction: found.scores})
    return Scores(selections={"last": selection}, card=card)


def write_external(path: Path, found: ExternalScores, direction: Direction, card: Card) -> Scores:
    """Write scores.json, images.csv, features/ and samples/ of one direction; the other one's are kept.

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
        write_pictures_of(folder, found, direction)
        atomic.write_text(folder.scores_json, scores.model_dump_json(indent=2) + "\n")
    return scores


def write_pictures_of(folder: RunFolder, found: ExternalScores, direction: Direction) -> None:
    """Keep pictures of one direction for galleries, the other direction's as they are."""
    asked = list(_pictures_to_keep(folder, found.measured, direction))
    shown = [place for place, _ in asked]
    sets = {"output": found.sets.generated, "source": found.sets.source}
    pictures = {what: list(each.pick(shown)) for what, each in sets.items() if each is not None}
    entries = [entry for entry in read_entries(folder) if entry.get("direction") != direction]
    for at, (place, facts) in enumerate(asked):
        write_pictures(folder, facts["folder"], {what: made[at] for what, made in pictures.items()})
        of_image = {"direction": direction, "file": found.measured.names[place], "step": 0}
        entries.append({**NO_MASKS, **of_image, **facts})
    replace_entries(folder, ("final", "extreme"), entries)


def _pictures_to_keep(
    folder: RunFolder, measured: Measured, direction: Direction
) -> Iterator[tuple[int, Entry]]:
    """(place, facts) of the test images that the runs beside it keep, else of evenly spaced ones; then of the
    extremes by the measures that a run's are chosen by."""
    wanted = [place for place, _ in matches(measured.names, _shown_beside(folder, direction))]
    for at, place in enumerate(wanted or sample_indices(len(measured.names), ScoreSettings().samples)):
        yield place, {"kind": "final", "folder": f"samples/final/{direction}/{at:02d}"}
    for measure, column in measured.columns.items():
        if measure == "edge_correlation" or measure.startswith("realism"):
            for rank, place, value in extremes(column):
                within = f"samples/extreme/{direction}/{measure}-{rank}"
                facts = {"measure": measure, "rank": rank, "value": value}
                yield place, {"kind": "extreme", "folder": within, **facts}


def _shown_beside(folder: RunFolder, direction: Direction) -> list[str]:
    """The test images of which the first run of the same protocol and data set keeps pictures."""
    for index in sorted(folder.path.parent.glob("*/seed*/samples/index.json")):
        try:
            entries = read_entries(RunFolder(index.parents[1]))
        except (BenchError, OSError):
            continue
        final = [entry for entry in entries if entry.get("kind") == "final"]
        files = [str(entry.get("file")) for entry in final if entry.get("direction") == direction]
        if files:
            return files
    return []


def _earlier(folder: RunFolder, card: Card) -> Scores | None:
    """The scores that are there already; None where there are none."""
    if folder.run_json.exists():
        raise BenchError(
            f"{folder.path} is the folder of a run. Choose another with --out, or another --name."
        )
    if find_runs(folder.path):
        raise BenchError(
            f"{folder.path} holds runs: scores of images beside them would hide them from reports. Choose "
            "another folder with --out, or another --name."
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
