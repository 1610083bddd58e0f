"""The statistics behind a column: every pair of variants compared over the seeds they share.

One call compares all pairs of a column (one metric, one direction, one dataset), corrected by Holm over
them, because bold is given to the best value and the best is not known beforehand.
"""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from bench.comparing.sides import sides
from bench.runs.folder import RunFolder
from bench.runs.records import Direction
from bench.statistics.comparison import Comparison, Pair, Side, compare
from reports import metrics

MOST_VARIANTS = 12
"""With more, all pairs are too many to be told apart; nothing is bold then, and the caption says so."""


def compare_column(
    scores: pd.DataFrame, variants: Sequence[str], key: str, direction: str
) -> tuple[Comparison, ...]:
    """The comparisons of all pairs of one column, Holm over them; none where nothing is better or worse.

    `scores` are rows of one dataset and one selection of weights.
    """
    if metrics.better(key) == "none" or not 2 <= len(variants) <= MOST_VARIANTS:
        return ()
    return compare(pairs_of(scores, variants, key, direction))


def pairs_of(scores: pd.DataFrame, variants: Sequence[str], key: str, direction: str) -> list[Pair]:
    """All pairs of `variants` with at least one common seed, in the order of `variants`."""
    rows = scores[(scores["metric"] == key) & (scores["direction"] == direction)]
    rows = rows[np.isfinite(rows["value"].astype(float)) & rows["seed"].notna()]
    by_variant = {
        str(name): same.drop_duplicates("seed").set_index("seed").sort_index()
        for name, same in rows.groupby("variant")
    }
    present = [variant for variant in variants if variant in by_variant]
    target = _target(rows, key)
    if len({tuple(by_variant[variant].index) for variant in present}) == 1:
        made = _sides_of_all(by_variant, present, key, direction)
        return [
            _pair(by_variant[a], (made[a], made[b]), key, direction, target)
            for a, b in combinations(present, 2)
        ]
    pairs = []
    for a, b in combinations(present, 2):
        seeds = by_variant[a].index.intersection(by_variant[b].index)
        if len(seeds):
            of_a, of_b = by_variant[a].loc[seeds], by_variant[b].loc[seeds]
            pairs.append(_pair(of_a, _sides((a, b), (of_a, of_b), key, direction), key, direction, target))
    return pairs


def winner(comparisons: Sequence[Comparison], variants: Sequence[str]) -> str | None:
    """The variant whose value is better than that of every other one, each difference supported."""
    wins = dict.fromkeys(variants, 0)
    for outcome in comparisons:
        if outcome.favours is not None:
            wins[outcome.a if outcome.favours == "a" else outcome.b] += 1
    best = [variant for variant, count in wins.items() if count and count == len(variants) - 1]
    return best[0] if best else None


def arrow_text(direction: str) -> str:
    """`A → B`."""
    return direction.replace("2", " → ")


def _target(rows: pd.DataFrame, key: str) -> float | None:
    """Where nearer to the target domain is better: the value of its real images, which is the floor."""
    floors = rows["floor"].dropna()
    return float(floors.mean()) if metrics.better(key) == "nearer target" and len(floors) else None


def _sides_of_all(
    rows: dict[str, pd.DataFrame], variants: Sequence[str], key: str, direction: str
) -> dict[str, Side]:
    """Every variant's side, its images checked against those of the first variant."""
    if len(variants) < 2:
        return {}
    made: dict[str, Side] = {}
    for variant in variants[1:]:
        first, other = _sides((variants[0], variant), (rows[variants[0]], rows[variant]), key, direction)
        made[variant] = other
        if first.leave_one_out or variants[0] not in made:
            made[variants[0]] = first
    return made


def _sides(
    names: tuple[str, str], rows: tuple[pd.DataFrame, pd.DataFrame], key: str, direction: str
) -> tuple[Side, Side]:
    """Both sides, with what leaving out single images does where their files tell it."""
    folders = tuple([RunFolder(Path(folder)) for folder in side["folder"]] for side in rows)
    values = tuple([float(value) for value in side["value"]] for side in rows)
    found = {str(selection) for side in rows for selection in side["selection"]}
    # `copy` has no weights to choose: beside a chosen step its one selection is compared by values alone.
    selection = found.pop() if len(found) == 1 else "mixed"
    where = cast(Direction, direction)
    return sides(key, where, selection, names, (folders[0], folders[1]), (values[0], values[1]))


def _pair(
    rows: pd.DataFrame, made: tuple[Side, Side], key: str, direction: str, target: float | None
) -> Pair:
    """`rows` are the first side's, one per common seed."""
    return Pair(
        metric=metrics.title(key),
        direction=arrow_text(direction),
        dataset=str(rows["dataset"].iloc[0]),
        a=made[0],
        b=made[1],
        seeds=tuple(int(seed) for seed in rows.index),
        images=int(rows["images_generated"].iloc[0]),
        better=metrics.better(key)
        if target is not None or metrics.better(key) != "nearer target"
        else "none",
        target=target,
        factor=metrics.scale(key),
    )
