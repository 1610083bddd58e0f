"""Runs that are missing from the tables: failed, unfinished, damaged, unscored; and what runs remark."""

from typing import Any

import pandas as pd

from bench.names import counted
from reports.frame import StudyFrames, records
from reports.tables.model import Cell, Column, Row, Table


def unfinished(study: StudyFrames) -> pd.DataFrame:
    """The runs that are not both done and scored, external images left out."""
    runs = study.runs
    return runs[~((runs["status"].isin(["done", "external"])) & runs["scored"].fillna(False).astype(bool))]


def failures_table(study: StudyFrames) -> Table | None:
    """Status and reason of every such run; None where there is none."""
    runs = unfinished(study)
    if runs.empty:
        return None
    columns = (
        Column("protocol", "protocol", numeric=False),
        Column("dataset", "dataset", numeric=False),
        Column("seed", "seed"),
        Column("status", "status", numeric=False),
        Column("progress", "images seen", numeric=False),
        Column("reason", "reason", numeric=False),
    )
    rows = tuple(Row(str(run.variant or run.folder), _cells(run)) for run in records(runs))
    title = f"{counted(len(rows), 'run')} not in the comparison, or not yet"
    return Table("runs-left-out", title, "variant", columns, rows)


def _cells(run: Any) -> tuple[Cell, ...]:
    def get(name: str) -> Any:
        value = getattr(run, name)
        return None if value is None or pd.isna(value) else value

    seed, seen, to_see = get("seed"), get("images_seen"), get("images_to_see")
    progress = "-" if seen is None or to_see is None else f"{seen} of {to_see}"
    said = get("reason") or (
        "It is still running, or was killed: run it again to go on." if seen is not None else "-"
    )
    return (
        Cell(str(get("protocol") or "-")),
        Cell(str(get("dataset") or "-")),
        Cell("-" if seed is None else str(seed), None if seed is None else float(str(seed))),
        Cell("not scored" if get("status") == "done" else str(get("status"))),
        Cell(progress),
        Cell(str(said)),
    )


def run_remarks(study: StudyFrames) -> list[tuple[str, str]]:
    """(run, warning) of every remark that runs recorded for the readers of their results, each once."""
    found: dict[tuple[str, str], list[str]] = {}
    for record in study.records.values():
        for warning in record.warnings:
            named = f"{record.cell.variant}, {record.cell.dataset}, seed {record.cell.seed}"
            found.setdefault((record.cell.dataset, warning), []).append(named)
    return [
        (names[0] if len(names) == 1 else f"{counted(len(names), 'run')} on {dataset}", warning)
        for (dataset, warning), names in found.items()
    ]
