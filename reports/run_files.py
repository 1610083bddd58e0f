"""The other files of a run folder as frames: read when they are shown, empty where they cannot be read."""

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

NOT_LOSSES = frozenset(
    {"step", "images_seen", "learning_rate", "learning_rate_discriminators", "identity_weight", "seconds"}
)
"""Columns of losses.csv beside the losses."""
UNREADABLE: set[Path] = set()
"""Tables that are there and could not be read when they were last asked for."""


def read_images(folder: str) -> pd.DataFrame:
    """images.csv of a run: direction, file, one column per measurement. Empty where it cannot be read."""
    return _kept(Path(folder) / "images.csv", ("direction", "file"))


def read_losses(folder: str) -> pd.DataFrame:
    """losses.csv of a run, `step` and `images_seen` first. Empty where it cannot be read."""
    return _read_csv(Path(folder) / "losses.csv", ("step", "images_seen"))


def read_validation(folder: str) -> pd.DataFrame:
    """validation.csv of a run. Empty where it cannot be read."""
    return _kept(Path(folder) / "validation.csv", ("step", "images_seen"))


def _kept(path: Path, needed: tuple[str, ...]) -> pd.DataFrame:
    """`_read_csv` of a short table that many parts of a report ask for: read again where it has changed."""
    return _as_of(path, needed, path.stat().st_mtime_ns if path.is_file() else 0)


@lru_cache(maxsize=2048)
def _as_of(path: Path, needed: tuple[str, ...], changed: int) -> pd.DataFrame:
    """`changed` makes a rewritten file a new question."""
    return _read_csv(path, needed)


def _read_csv(path: Path, needed: tuple[str, ...]) -> pd.DataFrame:
    """A table with the needed columns, or an empty one: a run that is being written has no rows yet.

    A table of steps holds numbers alone; one with a word in it, as a hand or a disk left it, cannot be read.
    """
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError, pd.errors.ParserError):
        table = pd.DataFrame()
    whole = "step" not in needed or all(is_numeric_dtype(kind) for kind in table.dtypes) or table.empty
    if whole and set(needed) <= set(table.columns):
        UNREADABLE.discard(path)
        return table
    UNREADABLE.update({path} if path.exists() else ())
    return pd.DataFrame(columns=list(needed))


def damaged_tables(folders: Iterable[str]) -> list[str]:
    """Which tables of these run folders could not be read: `RUN/images.csv`, sorted."""
    asked = {Path(folder) for folder in folders}
    return sorted(str(path) for path in UNREADABLE if path.parent in asked and path.exists())


def read_samples(folder: str) -> list[dict[str, Any]]:
    """The entries of samples/index.json; an empty list where it cannot be read."""
    try:
        entries = json.loads((Path(folder) / "samples" / "index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
