"""The main comparison: kernel and Frechet distances in both directions, and what a run cost.

Read a distance against its floor (what a perfect translator could expect) and its ceiling (what copying the
input gets), never against that of another data set or another feature network.
"""

import pandas as pd

from bench.names import counted
from bench.runs.metrics import is_frechet, is_kernel
from bench.statistics.copying import images_until_better
from reports.comparability import Group
from reports.comparisons import arrow_text
from reports.numbers import grouped, significant
from reports.parts import table
from reports.run_files import read_validation
from reports.tables.model import MISSING, Cell, Column, Row, Table, missing
from reports.tables.scores import (
    DIRECTIONS,
    ScoreColumn,
    own_generators,
    score_column,
    score_table,
)

SELECTIONS = {
    "last": "weights of the last step",
    "validation": "weights chosen on the validation split",
}


def distance_keys(group: Group) -> list[str]:
    """The set distances of the group, the headline first; one per feature network."""
    found = sorted(group.study.scores["metric"].unique())
    kernel = [key for key in found if is_kernel(key)]
    return kernel + [key for key in found if is_frechet(key)]


def headline_metric(group: Group) -> str | None:
    """The key of the kernel distance; KID where it was measured."""
    kernel = [key for key in distance_keys(group) if is_kernel(key)]
    return next((key for key in kernel if key == "kid"), kernel[0] if kernel else None)


@table("distances", section="distances")
def distances_table(group: Group, selection: str = "last") -> Table:
    """Variants against the distances of both directions and the cost of one run."""
    columns = [
        score_column(group, key, direction, selection)
        for direction in DIRECTIONS
        for key in distance_keys(group)
    ]
    columns.append(
        cost_column(group, "parameters", "parameters [M]", 1e-6, "Trainable parameters of one generator")
    )
    columns.append(
        cost_column(group, "gflop", "GFLOP", 1, "2 × multiply-accumulate of one forward at batch 1")
    )
    unit, factor = time_unit(group)
    columns.append(cost_column(group, "seconds_training", unit, factor, "Training, all sessions together"))
    title = f"Distances, {group.dataset}, {SELECTIONS[selection]}"
    return score_table(group, f"distances-{selection}", title, columns, selection, own_generators(group))


@table("distances-validation", section="distances", folded=True)
def validation_table(group: Group) -> Table | None:
    """The same with the weights chosen on the validation split; None where nobody chose."""
    chosen = "validation" in set(group.study.scores["selection"])
    return distances_table(group, "validation") if chosen else None


@table("until-better", section="distances")
def until_better_table(group: Group) -> Table | None:
    """Images seen until translations of the validation images were better than copies of them, and stayed so.

    None where no run held its validation images against copies.
    """
    columns = tuple(
        Column(f"until-{each}", arrow_text(each), "images of each domain seen", "down") for each in DIRECTIONS
    )
    rows = [
        Row(variant, tuple(_until(group, variant, each) for each in DIRECTIONS), group.kinds[variant])
        for variant in group.variants
        if variant in group.trained
    ]
    if all(cell.text == MISSING for row in rows for cell in row.cells):
        return None
    caption = (
        "The first validation from which on the 95 % interval of the difference from a copy, over validation "
        "images, stays below 0: mean over the seeds that got there [least, most]. Never: in no seed so far."
    )
    title = f"Images until better than copying, {group.dataset}"
    return Table("until-better", title, "variant", columns, tuple(rows), caption)


def _until(group: Group, variant: str, direction: str) -> Cell:
    """Of one variant over its seeds, in one direction."""
    column = f"kd_from_copy_high_{direction}"
    every = [read_validation(str(folder)) for folder in group.runs_of(variant)["folder"]]
    told = [rows for rows in every if column in rows.columns and len(rows)]
    if not told:
        return missing("Its validation images were not held against copies of them.")
    reached = []
    for rows in told:
        highest = pd.to_numeric(rows[column], errors="coerce")
        high = [None if pd.isna(value) else float(value) for value in highest]
        first = images_until_better([int(seen) for seen in rows["images_seen"]], high)
        reached += [] if first is None else [first]
    if not reached:
        return Cell("never")
    mean = sum(reached) / len(reached)
    spread = f"[{grouped(min(reached))}, {grouped(max(reached))}]" if len(set(reached)) > 1 else ""
    some = f"in {len(reached)} of {counted(len(told), 'seed')}" if len(reached) < len(told) else ""
    said = ", ".join(part for part in (spread, some) if part)
    return Cell(grouped(mean), mean, spread=said, points=tuple(map(float, reached)))


def time_unit(group: Group) -> tuple[str, float]:
    """The unit of training time that suits the longest run, and the factor from seconds to it."""
    longest = group.study.runs["seconds_training"].max()
    return ("training [h]", 1 / 3600) if longest >= 3600 else ("training [min]", 1 / 60)


def cost_column(group: Group, name: str, title: str, factor: float, help_text: str) -> ScoreColumn:
    """A cost of the runs, mean over seeds, without references."""
    runs = group.study.runs
    values = runs.dropna(subset=[name]).groupby("variant")[name].mean().astype(float) * factor
    cells = {
        variant: Cell(significant(values[variant]), float(values[variant]))
        if variant in values.index
        else missing(why_unknown(group, variant, name))
        for variant in group.variants
    }
    column = Column(name, title, group="cost", arrow="down", help=help_text)
    return ScoreColumn(column, cells, Cell(""), Cell(""))


def why_unknown(group: Group, variant: str, name: str) -> str:
    """Why a cost of a variant has no value."""
    if group.kinds[variant] == "external":
        return "Images of another program."
    folders = group.runs_of(variant)["folder"]
    costs = [group.study.records[folder].costs for folder in folders if folder in group.study.records]
    reasons = [each.gflop_reason for each in costs if each is not None and each.gflop_reason]
    if name == "gflop" and reasons:
        return f"It could not be counted: {reasons[0]}"
    return "Not recorded: nothing was trained, or the run has not got so far."
