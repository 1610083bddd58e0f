"""A line for every run folder, whatever state it is in."""

import fnmatch
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.runs.folder import RunFolder, find_runs


def list_folder(root: Path) -> list[dict[str, Any]]:
    """One row per run folder below `root`; a damaged record is a row with status `damaged` and the reason."""
    return [describe(folder.path, root) for folder in find_runs(root)]


def matches(row: dict[str, Any], filters: dict[str, str | None]) -> bool:
    """Whether a row passes: `status`, `protocol`, `dataset` and `variant`, wildcards allowed, None: any."""
    parts = Path(row["run"]).parts[-4:]
    names = dict(zip(("protocol", "dataset", "variant"), parts, strict=False)) | {"status": row["status"]}
    return all(
        pattern is None or fnmatch.fnmatchcase(names.get(key, ""), _literal(pattern))
        for key, pattern in filters.items()
    )


def _literal(pattern: str) -> str:
    """A pattern in which the brackets of `slot9[iterations=5]` stand for themselves."""
    return pattern.replace("[", "[[]")


def describe(path: Path, root: Path) -> dict[str, Any]:
    """Folder, status, reason and progress of one run."""
    name = str(path.relative_to(root)) if path != root else str(path)
    try:
        record = RunFolder(path).read()
    except BenchError as error:
        return {"run": name, "status": "damaged", "reason": str(error), "images_seen": None}
    to_see = record.images_to_see
    return {
        "run": name,
        "status": record.status,
        "reason": record.reason,
        "images_seen": None if to_see is None else f"{record.images_seen} of {to_see}",
    }
