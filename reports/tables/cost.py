"""What every variant costs: parameters, GFLOP, seconds a step, peak memory, hours (the paper's figure 11).

Seconds compare only between runs on the same device; where a group's runs come from several, the device is
part of the row's note.
"""

from typing import Any

from bench.names import counted
from reports.comparability import Group
from reports.frame import records
from reports.numbers import decimals, fixed, grouped, significant
from reports.parts import table
from reports.tables.distances import time_unit, why_unknown
from reports.tables.model import Cell, Column, Row, Table, missing
from reports.tables.scores import own_generators, own_objectives, row_title

MEASURES = (
    ("parameters", "parameters", 1.0, "Trainable parameters of one generator"),
    ("gflop", "GFLOP", 1.0, "2 × multiply-accumulate of one forward at batch 1"),
    ("seconds_per_step", "s/step", 1.0, "Median over the steps after the first ten"),
    (
        "peak_memory_bytes",
        "peak memory [GiB]",
        2.0**-30,
        "Of the process (CPU) or the allocator (GPU), training",
    ),
    ("seconds_training", "training [min]", 1 / 60, "All sessions together, waiting for images included"),
    ("seconds_data", "data [min]", 1 / 60, "Share of training spent waiting for images"),
    ("seconds_scoring", "scoring [min]", 1 / 60, "Measuring the finished run"),
)


@table("cost", section="cost")
def cost_table(group: Group) -> Table:
    """One row per variant, means over its runs, the range where they differ."""
    unit, factor = time_unit(group)
    measures = [(*one[:1], unit, factor, one[3]) if one[0] == "seconds_training" else one for one in MEASURES]
    columns = tuple(Column(key, title, arrow="down", help=text) for key, title, _, text in measures)
    device = Column("device", "device", numeric=False)
    role = group.kinds
    rows = [
        Row(
            row_title(group, variant),
            (
                *(_cell(group, variant, key, factor) for key, _, factor, _ in measures),
                _device(group, variant),
            ),
            role[variant],
        )
        for variant in group.variants
    ]
    caption = "Means over the runs of a variant [least, most]. Times compare on equal devices alone."
    remarks = (caption, own_generators(group), own_objectives([group]))
    caption = " ".join(part for part in remarks if part)
    return Table("cost", f"Cost, {group.dataset}", "variant", (*columns, device), tuple(rows), caption)


def _cell(group: Group, variant: str, key: str, factor: float) -> Cell:
    values = group.runs_of(variant)[key].dropna().to_numpy(dtype=float) * factor
    if not len(values):
        return missing(why_unknown(group, variant, key))
    mean, least, most = (float(value) for value in (values.mean(), values.min(), values.max()))
    if key == "parameters":
        return Cell(grouped(mean), mean)
    digits = max(2, decimals([mean]))
    text = significant(mean) if mean < 0.01 else fixed(mean, digits)
    varies = fixed(least, digits) != fixed(most, digits)
    return Cell(text, mean, spread=f"[{fixed(least, digits)}, {fixed(most, digits)}]" if varies else "")


def _device(group: Group, variant: str) -> Cell:
    runs = group.runs_of(variant)[["device_name", "threads"]].dropna()
    names = sorted({_name(row) for row in records(runs)})
    return Cell("; ".join(names) if names else "-")


def _name(row: Any) -> str:
    return f"{row.device_name}, {counted(int(row.threads), 'thread')}"
