"""Run folders as data frames: one row per run, one row per score, nothing left out.

A run that is unfinished, failed or damaged keeps its row, with its status and the reason in words; a value
that is missing stays missing (NaN or None), and is never filled in.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.comparing.sides import network_hash, network_name
from bench.errors import BenchError, UsageError
from bench.names import command
from bench.runs.copies import copies_among, schedule_of
from bench.runs.folder import find_folders
from bench.runs.records import RunRecord, Scores, is_there, read_record, read_scores
from reports.numbers import listed

RUN_COLUMNS = [
    "folder",
    "status",
    "reason",
    "protocol",
    "protocol_hash",
    "dataset",
    "data_fingerprint",
    "masks_fingerprint",
    "variant",
    "kind",
    "seed",
    "schedule_hash",
    "trace_hash",
    "trace_hash_without_pool",
    "own_objective",
    "objective_hash",
    "images_seen",
    "images_to_see",
    "steps",
    "parameters",
    "gflop",
    "seconds_training",
    "seconds_data",
    "seconds_scoring",
    "seconds_per_step",
    "peak_memory_bytes",
    "device",
    "device_name",
    "threads",
    "precision",
    "features",
    "features_hash",
    "scored",
    "started",
]
WHOLE = ["seed", "images_seen", "images_to_see", "steps", "parameters", "peak_memory_bytes", "threads"]
"""Columns of whole numbers."""
MOST_DIGITS = 18
"""Of a seed in a folder's name: more are beyond 64 bits."""
SCORE_COLUMNS = [
    "folder",
    "protocol",
    "dataset",
    "variant",
    "seed",
    "selection",
    "step",
    "direction",
    "metric",
    "value",
    "reason",
    "spread",
    "floor",
    "ceiling",
    "images_generated",
    "images_real",
    "network",
]


@dataclass(frozen=True)
class StudyFrames:
    """What is known of a number of runs.

    `runs` has one row per run folder (RUN_COLUMNS), `scores` one row per run, selection of weights, direction
    and metric (SCORE_COLUMNS). `records` and `cards` hold the whole run.json and the card of the scores, by
    folder, for what is printed but not computed with.
    """

    runs: pd.DataFrame
    scores: pd.DataFrame
    records: dict[str, RunRecord]
    cards: dict[str, dict[str, Any]]
    declared: tuple[tuple[str, str], ...] = ()
    """Pairs of variants whose comparison was declared beforehand; empty: all with the reference."""

    def tidy(self) -> pd.DataFrame:
        """One frame: every score with the facts of its run; a run without scores keeps one row."""
        names = ["protocol", "dataset", "variant", "seed"]
        scores = self.scores.drop(columns=names).rename(columns={"reason": "score_reason"})
        return self.runs.merge(scores, on="folder", how="left")

    def without_copies(self) -> "StudyFrames":
        """The same but for finished runs that another folder holds, too: a seed counts once."""
        records = ((Path(folder), record) for folder, record in self.records.items())
        left_out = {str(path) for path in copies_among(records, schedule_of).used}
        return self.select(set(self.runs["folder"]) - left_out) if left_out else self

    def select(self, folders: Iterable[str]) -> "StudyFrames":
        """The same for some of the runs."""
        kept = set(folders)
        return StudyFrames(
            self.runs[self.runs["folder"].isin(kept)].reset_index(drop=True),
            self.scores[self.scores["folder"].isin(kept)].reset_index(drop=True),
            {folder: record for folder, record in self.records.items() if folder in kept},
            {folder: card for folder, card in self.cards.items() if folder in kept},
            self.declared,
        )


def run_folders(roots: Sequence[Path]) -> list[Path]:
    """Every run folder at or below `roots`, sorted by path, each once.

    A folder counts as a run if it holds run.json or scores.json, or if it is called seed<k>: a run that
    crashed before its first file is reported, not overlooked. Links are followed, and what cannot be looked
    into is reported too. Raises UsageError for a root that is missing or a file of no run.
    """
    for root in roots:
        if not is_there(root):
            raise UsageError(f"There is no folder {root}. Give run folders or a folder that holds some.")
        if root.is_file() and root.name not in ("run.json", "scores.json"):
            raise UsageError(
                f"{root} is a file. Give run folders, a folder that holds some, or a study.toml."
            )
    places = [root.parent if root.is_file() else root for root in roots]
    return sorted(find_folders(places, {"run.json", "scores.json"}, crashed=True), key=str)


def read_study(folders: Iterable[Path]) -> StudyFrames:
    """Read every folder's run.json and scores.json; a damaged file becomes a row with its reason."""
    runs: list[dict[str, Any]] = []
    scores: dict[str, Scores] = {}
    records: dict[str, RunRecord] = {}
    for folder in folders:
        run, record = _run_row(folder)
        found, reason = _scores_of(folder)
        if record is not None:
            records[run["folder"]] = record
        if found is not None:
            scores[run["folder"]] = found
        runs.append(run | _scored(run, found, reason))
    runs = _with_distinct_names(runs)
    rows = [row for run in runs if run["folder"] in scores for row in _score_rows(run, scores[run["folder"]])]
    cards = {folder: found.card for folder, found in scores.items()}
    return StudyFrames(_typed_runs(runs), _typed_scores(rows), records, cards)


def _with_distinct_names(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Images of other programs are told apart by their folders, not by the names that people gave them.

    One that shares its name with a variant, or with other images, of its protocol and data set is named with
    as much of its folder's path as tells it from them.
    """
    sharing: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for run in runs:
        sharing.setdefault(_place(run), []).append(run)
    return [
        run | {"variant": f"{run['variant']} ({_telling(run['folder'], sharing[_place(run)])})"}
        if run["status"] == "external" and len(sharing[_place(run)]) > 1
        else run
        for run in runs
    ]


def _place(run: dict[str, Any]) -> tuple[Any, ...]:
    return run.get("protocol"), run.get("dataset"), run.get("variant")


def _telling(folder: str, sharing: Sequence[dict[str, Any]]) -> str:
    """The end of a folder's path in which no other of `sharing` ends."""
    parts = Path(folder).parts
    others = [Path(run["folder"]).parts for run in sharing if run["folder"] != folder]
    lengths = range(1, len(parts) + 1)
    enough = (n for n in lengths if not any(other[-n:] == parts[-n:] for other in others))
    return "/".join(parts[-next(enough, len(parts)) :])


def trained_with(record: RunRecord) -> str | None:
    """What a run was trained with, where that is not the protocol's objective or not that alone.

    A generator with losses of its own is no fairer to compare than a baseline with its own objective.
    """
    if not record.own_losses or record.own_objective:
        return record.own_objective
    return f"{record.protocol.get('train', {}).get('objective')} with {' and '.join(record.own_losses)}"


def _run_row(folder: Path) -> tuple[dict[str, Any], RunRecord | None]:
    try:
        record = read_record(folder / "run.json")
    except (BenchError, UnicodeDecodeError) as error:
        return _names_from_path(folder, f"run.json cannot be read: {error}"), None
    row: dict[str, Any] = {
        "folder": str(folder),
        "status": record.status,
        "reason": record.reason,
        **record.cell.model_dump(),
        "precision": record.protocol.get("train", {}).get("precision"),
        "device": record.environment.device,
        "device_name": record.environment.device_name or record.environment.cpu,
        "threads": record.environment.threads,
    }
    row["dataset"] = Path(record.cell.dataset).name
    same_name = set(RUN_COLUMNS) & set(RunRecord.model_fields) - {
        "parameters",
        "status",
        "reason",
        "protocol",
    }
    row |= {name: getattr(record, name) for name in same_name}
    row["masks_fingerprint"] = record.data.get("masks_fingerprint")
    row["own_objective"] = trained_with(record)
    row["objective_hash"] = record.trained_by.hash if record.trained_by else None
    row |= record.costs.model_dump() if record.costs else {}
    odd = _beyond_64_bits({name: row.get(name) for name in WHOLE})
    if odd:
        return _names_from_path(folder, f"run.json cannot be read: {odd}"), None
    return row, record


def _beyond_64_bits(numbers: dict[str, Any]) -> str:
    """Which of the whole numbers no table holds, in words; nothing where there is none."""
    odd = [f"{name} {value}" for name, value in numbers.items() if value is not None and abs(value) >= 2**63]
    return f"{listed(odd)} is beyond 64 bits." if odd else ""


def _names_from_path(folder: Path, reason: str) -> dict[str, Any]:
    """The row of a folder whose run.json cannot be read: its names are those of the path."""
    seed = folder.name.removeprefix("seed")
    # Not the place that a link leads to: that may be called anything.
    names = ([""] * 4 + list(folder.absolute().parts))[-4:]
    known = is_there(folder / "run.json")
    external = not known and is_there(folder / "scores.json")
    row: dict[str, Any] = {"folder": str(folder), "status": "external" if external else "damaged"}
    if external:
        place = {"protocol": names[1], "dataset": names[2], "variant": names[3]}
        return row | place | {"kind": "external", "reason": None}
    if not known and is_there(folder) and os.access(folder, os.R_OK | os.X_OK):
        reason = "It holds no run.json (yet)."
    if not seed.isdigit() and not known:  # a level above runs that cannot be looked into
        return row | {"reason": reason}
    return row | {
        "reason": reason,
        "protocol": names[0],
        "dataset": names[1],
        "variant": names[2],
        "seed": int(seed) if seed.isdecimal() and len(seed) <= MOST_DIGITS else None,
    }


def _scores_of(folder: Path) -> tuple[Scores | None, str | None]:
    if not is_there(folder / "scores.json"):
        return None, f"It has no scores. Make them with: {command('score', folder)}"
    try:
        scores = read_scores(folder / "scores.json")
    except (BenchError, UnicodeDecodeError) as error:
        return None, f"Its scores cannot be read: {error}"
    counts = {
        f"{name} of {direction or selection}": getattr(owner, name)
        for selection, chosen in scores.selections.items()
        for direction, owner in [("", chosen), *chosen.directions.items()]
        for name in (("images_generated", "images_real") if direction else ("step", "images_seen"))
    }
    odd = _beyond_64_bits(counts)
    return (None, f"Its scores cannot be read: {odd}") if odd else (scores, None)


def _scored(run: dict[str, Any], scores: Scores | None, reason: str | None) -> dict[str, Any]:
    """The columns that follow from the scores; a finished run without them says why."""
    if scores is None:
        expected = run["status"] in ("done", "external")
        return {"scored": False, **({"reason": reason} if expected else {})}
    names = {}
    if run["status"] == "external":
        wanted = ("protocol", "dataset", "name")
        names = {key: str(scores.card[key]) for key in wanted if scores.card.get(key)}
        names = {("variant" if key == "name" else key): value for key, value in names.items()}
    return {
        "scored": True,
        "features": network_name(scores.card),
        "features_hash": network_hash(scores.card),
        **names,
    }


def _score_rows(run: dict[str, Any], scores: Scores) -> Iterator[dict[str, Any]]:
    network = network_name(scores.card)
    names = {key: run.get(key) for key in ("folder", "protocol", "dataset", "variant", "seed")}
    for selection, chosen in scores.selections.items():
        for direction, measured in chosen.directions.items():
            place = names | {"selection": selection, "step": chosen.step, "direction": direction}
            counts = {"images_generated": measured.images_generated, "images_real": measured.images_real}
            for metric, score in measured.metrics.items():
                yield {**place, "metric": metric, **score.__dict__, **counts, "network": network}


def _typed_runs(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(RUN_COLUMNS))
    numbers = ["gflop", "seconds_training", "seconds_data", "seconds_scoring", "seconds_per_step"]
    table[WHOLE] = table[WHOLE].astype("Int64")
    table[numbers] = table[numbers].astype("float64")
    return table


def _typed_scores(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(SCORE_COLUMNS))
    table[["seed", "step"]] = table[["seed", "step"]].astype("Int64")
    numbers = ["value", "spread", "floor", "ceiling"]
    table[numbers] = table[numbers].astype("float64")
    return table


def records(table: pd.DataFrame) -> list[Any]:
    """The rows of a frame as named tuples; their types are those of the columns, which no checker knows."""
    return list(table.astype(object).itertuples())  # objects are given out far faster than texts


KINDS = ("variant", "control", "baseline", "external")


def ordered_variants(runs: pd.DataFrame) -> list[str]:
    """The variants of a frame of runs, in the stated order: masks without slots, then slots, controls,
    baselines and images of other programs; by name within each."""
    known = runs.dropna(subset=["kind"]).drop_duplicates("variant")
    kinds = dict(zip(map(str, known["variant"]), map(str, known["kind"]), strict=True))
    return sort_variants(runs["variant"].dropna().unique(), kinds)


def sort_variants(variants: Iterable[str], kinds: dict[str, str]) -> list[str]:
    """`variants` in the stated order; one whose kind is unknown counts as a variant."""

    def place(variant: str) -> tuple[int, bool, list[tuple[bool, int, str]]]:
        kind = kinds.get(variant, "variant")
        rank = KINDS.index(kind) if kind in KINDS else len(KINDS)
        return rank, "slot" in variant, _natural(variant)

    return sorted(variants, key=place)


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """slot9 comes before slot10."""
    parts = re.split(r"(\d+)", name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]
