"""One number for several seeds: mean, and the interval or the range that the number of seeds allows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.statistics.claims import SEEDS_FOR_CLAIM, SEEDS_FOR_RANGE
from bench.statistics.paired import interval, paired_error
from reports.numbers import fixed


@dataclass(frozen=True)
class Summary:
    """The finite values of one variant, in the order of its seeds, or the one value without a seed."""

    by_seed: tuple[float, ...]
    seeds: tuple[int, ...]
    """Empty for images of other programs: one value, of no seed."""

    @property
    def mean(self) -> float:
        return float(np.mean(self.by_seed))

    def mean_over(self, seeds: Collection[int]) -> float:
        """The mean over those of `seeds` that are here; over all where none is."""
        chosen = [value for seed, value in zip(self.seeds, self.by_seed, strict=False) if seed in seeds]
        return float(np.mean(chosen or self.by_seed))

    @property
    def n(self) -> int:
        return len(self.by_seed)

    def interval(self) -> tuple[float, float] | None:
        """95 % Student interval of the mean over seeds; None under 5 seeds or where nothing varies."""
        if self.n < SEEDS_FOR_CLAIM or max(self.by_seed) == min(self.by_seed):
            return None
        return interval(self.mean, paired_error(np.asarray(self.by_seed)))

    def spread(self, digits: int, scale: float = 1) -> str:
        """`±half width` from 5 seeds on, `[least, most]` from 3 on, nothing below."""
        bounds = self.interval()
        if bounds is not None:
            return f"±{fixed(scale * (bounds[1] - bounds[0]) / 2, digits)}"
        if SEEDS_FOR_RANGE <= self.n < SEEDS_FOR_CLAIM:
            return f"[{fixed(scale * min(self.by_seed), digits)}, {fixed(scale * max(self.by_seed), digits)}]"
        return ""


def chosen(scores: pd.DataFrame, selection: str) -> pd.DataFrame:
    """The scores of one selection of weights; a run without training has `last` alone, which is both."""
    rows = scores[scores["selection"] == selection]
    if selection == "last":
        return rows
    others = scores[(scores["selection"] == "last") & (scores["step"].fillna(0) == 0)]
    return pd.concat([rows, others[~others["folder"].isin(rows["folder"])]])


Row = tuple[float, str, float]
"""Seed (NaN without one), folder and value."""


def summarise(scores: pd.DataFrame) -> Summary | None:
    """The summary of one variant's rows of one score; None without a finite value."""
    return _summary([row for row in _rows(scores) if np.isfinite(row[2])])


def summarise_all(scores: pd.DataFrame) -> dict[tuple[str, str, str], Summary]:
    """(metric, direction, variant) -> the summary of its rows, for those with a finite value."""
    names = (_texts(scores[name]) for name in ("metric", "direction", "variant"))
    found: dict[tuple[str, str, str], list[Row]] = {}
    for place, row in zip(zip(*names, strict=True), _rows(scores), strict=True):
        if np.isfinite(row[2]):
            found.setdefault(place, []).append(row)
    made = ((place, _summary(rows)) for place, rows in found.items())
    return {place: summary for place, summary in made if summary is not None}


def _texts(column: "pd.Series[str]") -> list[str]:
    """A column as a list: one after the other pandas gives them out slowly."""
    return [str(each) for each in column.to_numpy(dtype=object)]


def _rows(scores: pd.DataFrame) -> list[Row]:
    values = scores["value"].to_numpy(dtype=float).tolist()
    seeds = scores["seed"].to_numpy(dtype=float, na_value=np.nan).tolist()
    return list(zip(seeds, _texts(scores["folder"]), values, strict=True))


def _summary(rows: Sequence[Row]) -> Summary | None:
    seeded = sorted(row for row in rows if not np.isnan(row[0]))
    if seeded:
        return Summary(tuple(float(row[2]) for row in seeded), tuple(int(row[0]) for row in seeded))
    alone = sorted(rows, key=lambda row: row[1])
    return Summary(tuple(float(row[2]) for row in alone), ()) if alone else None


def spread_rule(n_least: int, n_most: int) -> str:
    """What stands behind the means of a table, in words."""
    if n_least >= SEEDS_FOR_CLAIM:
        return "mean over seeds ± half the 95 % interval of the mean (Student, over seeds)"
    if n_most < SEEDS_FOR_RANGE:
        return "mean over seeds, without a spread: 1 or 2 seeds allow none"
    if n_least >= SEEDS_FOR_RANGE and n_most < SEEDS_FOR_CLAIM:
        return "mean over seeds [least, most]; 3 or 4 seeds allow a range, not an interval"
    return (
        "mean over seeds ± half its 95 % interval from 5 seeds on, [least, most] with 3 or 4, nothing with "
        "1 or 2"
    )
