"""What figures show, counted: tidy tables with means, ranges and numbers of runs. Nothing here draws."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

import numpy as np
import pandas as pd

from bench.runs.metrics import key_under
from reports import metrics
from reports.comparability import Group
from reports.frame import records
from reports.run_files import NOT_LOSSES, read_images, read_losses, read_validation
from reports.summaries import summarise
from reports.tables.scores import DIRECTIONS

BINS = 100
AGAINST_COPY = ("copy_kd", "kd_from_copy", "kd_from_copy_low", "kd_from_copy_high", "unchanged", "collapsed")
NOT_STATISTICS = {
    "step",
    "images_seen",
    *(f"{name}_{direction}" for name in AGAINST_COPY for direction in ("A2B", "B2A")),
}
"""Columns of validation.csv that are no curves of their own here."""


def loss_curves(group: Group, variants: Sequence[str]) -> pd.DataFrame:
    """variant, loss, images_seen, mean, low, high, seeds: every loss averaged in bins, then over seeds.

    Runs that are unfinished or failed count as far as they got; low and high are the least and the largest
    bin mean of any seed.
    """
    return _curves(group, variants, read_losses, NOT_LOSSES)


def validation_curves(group: Group, variants: Sequence[str]) -> pd.DataFrame:
    """As `loss_curves`, of the mask statistics and distances in validation.csv, in the same columns."""
    return _curves(group, variants, read_validation, NOT_STATISTICS)


def validation_distances(group: Group, curves: pd.DataFrame) -> pd.DataFrame:
    """The kernel distances among the validation curves, named and scaled as tables print them."""
    key = _validation_key(group)
    names = {f"kd_{direction}": f"{metrics.heading(key)} {direction}" for direction in DIRECTIONS}
    chosen = curves[curves["loss"].isin(list(names))]
    scaled = {column: chosen[column] * metrics.scale(key) for column in ("mean", "low", "high")}
    return chosen.assign(loss=chosen["loss"].map(names), **scaled)


def _validation_key(group: Group) -> str:
    """The key of the distance that validations measure: its network is named where there is one alone."""
    networks = {record.protocol.get("score", {}).get("features") for record in group.study.records.values()}
    return key_under("kd", str(networks.pop())) if len(networks) == 1 else "kd"


def validation_shares(group: Group, curves: pd.DataFrame) -> pd.DataFrame:
    """The same as shares of a copy's distance for the same images, in the same columns.

    Empty where some variant was validated and never held against a copy, as in runs of before that was kept.
    """
    validated = set(curves["variant"])
    shares = _curves(group, sorted(validated), _read_shares, NOT_STATISTICS)
    names = {direction: f"{metrics.heading(_validation_key(group))} {direction}" for direction in DIRECTIONS}
    named = shares.assign(loss=shares["loss"].map(names))
    return named if set(named["variant"]) == validated else named.iloc[:0]


def _read_shares(folder: str) -> pd.DataFrame:
    table = read_validation(folder)
    found = table[["step", "images_seen"]].copy()
    for direction in DIRECTIONS:
        own, copy = f"kd_{direction}", f"copy_kd_{direction}"
        if {own, copy} <= set(table.columns):
            found[direction] = table[own] / table[copy].where(table[copy] > 0)
    return found


def _curves(
    group: Group, variants: Sequence[str], read: Callable[[str], pd.DataFrame], left_out: AbstractSet[str]
) -> pd.DataFrame:
    runs = group.study.runs
    parts = []
    for run in records(runs[runs["variant"].isin(variants)]):
        table = read(str(run.folder))
        kept = [name for name in table.columns if name == "images_seen" or name not in left_out]
        parts.append(table[kept].assign(variant=run.variant, seed=run.seed))
    columns = ["variant", "loss", "images_seen", "mean", "low", "high", "seeds"]
    if not parts:
        return pd.DataFrame(columns=columns)
    wide = pd.concat(parts, ignore_index=True)
    # Tables without a row make columns of objects, over which pandas takes means one by one.
    wide["images_seen"] = pd.to_numeric(wide["images_seen"], errors="coerce")
    long = _finite(wide.melt(id_vars=["images_seen", "variant", "seed"], var_name="loss"))
    long = long.dropna(subset=["images_seen"])
    last = long["images_seen"].max() if len(long) else 1
    width = max(last / BINS, 1e-9)
    long["bin"] = np.ceil(long["images_seen"] / width)
    keys = ["variant", "loss", "bin", "seed"]
    by_seed = long.groupby(keys, sort=False, dropna=False).agg(
        value=("value", "mean"), at=("images_seen", "mean")
    )
    spread = by_seed.reset_index().groupby(keys[:3], sort=False)
    table = spread.agg(
        images_seen=("at", "mean"),
        mean=("value", "mean"),
        low=("value", "min"),
        high=("value", "max"),
        seeds=("value", "size"),
    ).reset_index()
    return table.sort_values(["variant", "loss", "bin"], kind="stable")[columns].reset_index(drop=True)


def seed_points(group: Group, key: str, variants: Sequence[str]) -> pd.DataFrame:
    """variant, seed, direction, value (scaled as printed) of the weights of the last step."""
    scores = group.chosen["last"]
    rows = scores[(scores["metric"] == key) & scores["variant"].isin(variants)]
    rows = rows[np.isfinite(rows["value"].astype(float))]
    return rows.assign(value=rows["value"] * metrics.scale(key))[["variant", "seed", "direction", "value"]]


def references(group: Group, key: str) -> pd.DataFrame:
    """direction, floor, ceiling (scaled as printed): those of the tables."""
    rows = group.study.scores[group.study.scores["metric"] == key]
    found = []
    for direction, here in rows.groupby("direction"):
        both = {name: group.reference(here, name) for name in ("floor", "ceiling")}
        scaled = {name: np.nan if v is None else v * metrics.scale(key) for name, v in both.items()}
        found.append({"direction": direction, **scaled})
    return pd.DataFrame(found, columns=["direction", "floor", "ceiling"])


def as_shares(references: pd.DataFrame) -> pd.DataFrame | None:
    """The references in shares of a copy's distance; None where a direction has no copy's distance."""
    ceilings = references["ceiling"]
    if references.empty or ceilings.isna().any() or (ceilings <= 0).any():
        return None
    return references.assign(floor=references["floor"] / ceilings, ceiling=1.0)


def in_shares(table: pd.DataFrame, references: pd.DataFrame) -> pd.DataFrame:
    """Values of `table`, or their means and bounds, divided by the distance of a copy in their direction."""
    copies = table["direction"].map(references.set_index("direction")["ceiling"].to_dict())
    columns = [name for name in ("value", "mean", "low", "high") if name in table.columns]
    return table.assign(**{name: table[name] / copies for name in columns})


def cost_and_quality(group: Group, key: str, variants: Sequence[str], cost: str = "gflop") -> pd.DataFrame:
    """variant, direction, cost, mean, low, high, seeds.

    `low` and `high` are the interval of the mean from 5 seeds on, else the range of the seeds.
    """
    points = seed_points(group, key, variants)
    price = group.study.runs.dropna(subset=[cost]).groupby("variant")[cost].mean().to_dict()
    rows = []
    for (variant, direction), same in points.groupby(["variant", "direction"], sort=False):
        found = summarise(same.assign(folder=""))
        if found is None or variant not in price:
            continue
        low, high = found.interval() or (min(found.by_seed), max(found.by_seed))
        place = {"variant": variant, "direction": direction, "cost": float(price[variant])}
        rows.append({**place, "mean": found.mean, "low": low, "high": high, "seeds": found.n})
    return pd.DataFrame(rows, columns=["variant", "direction", "cost", "mean", "low", "high", "seeds"])


def image_values(group: Group, keys: Sequence[str], variants: Sequence[str]) -> pd.DataFrame:
    """variant, direction, file, metric, value: every test image's measurement, averaged over the seeds."""
    runs = group.study.runs
    parts = []
    for run in records(runs[runs["variant"].isin(variants) & runs["scored"].fillna(False).astype(bool)]):
        table = read_images(str(run.folder))
        names = [name for name in keys if name in table.columns]
        parts.append(table[["direction", "file", *names]].assign(variant=run.variant))
    if not parts:
        return pd.DataFrame(columns=["variant", "direction", "file", "metric", "value"])
    columns = ["variant", "direction", "file", "metric"]
    wide = pd.concat(parts, ignore_index=True)
    long = _finite(wide.melt(id_vars=columns[:3], var_name="metric"))
    return long.groupby(columns, sort=False)["value"].mean().reset_index()


def _finite(long: pd.DataFrame) -> pd.DataFrame:
    """The rows whose value is a finite number."""
    values = pd.to_numeric(long["value"], errors="coerce").replace([np.inf, -np.inf], np.nan)
    return long.assign(value=values).dropna(subset=["value"])
