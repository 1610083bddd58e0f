"""The main comparison: kernel and Frechet distances in both directions, and what a run cost.

Read a distance against its floor (what a perfect translator could expect) and its ceiling (what copying the
input gets), never against that of another data set or another feature network.
"""

from reports import metrics
from reports.comparability import Group
from reports.numbers import significant
from reports.tables.model import Cell, Column, Table, missing
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
    found = sorted(set(group.study.scores["metric"]))
    kernel = [key for key in found if metrics.is_kernel(key)]
    return kernel + [key for key in found if metrics.is_frechet(key)]


def headline(group: Group) -> str | None:
    """The key of the kernel distance; KID where it was measured."""
    kernel = [key for key in distance_keys(group) if metrics.is_kernel(key)]
    return next((key for key in kernel if key == "kid"), kernel[0] if kernel else None)


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
    return score_table(
        group, f"{group.key}-distances-{selection}", title, columns, selection, own_generators(group)
    )


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
    runs = group.study.runs
    folders = runs.loc[runs["variant"] == variant, "folder"]
    costs = [group.study.records[folder].costs for folder in folders if folder in group.study.records]
    reasons = [each.gflop_reason for each in costs if each is not None and each.gflop_reason]
    if name == "gflop" and reasons:
        return f"It could not be counted: {reasons[0]}"
    return "Not recorded: nothing was trained, or the run has not got so far."
