"""A table and a figure of the report in one file: how many translations lose the lines of their input.

bench report --plugin docs/example_table.py
"""

from collections.abc import Iterator

import pandas as pd

from reports.comparability import Group
from reports.figures.style import legend_below, looks, panels
from reports.parts import Sketch, figure, table
from reports.run_files import read_images
from reports.tables.model import Cell, Column, Row, Table, missing

DIRECTIONS = ("A2B", "B2A")
HALF = 0.5


def kept(group: Group, variant: str, direction: str) -> pd.Series:
    """How much of its edges every test image keeps, 0 to 1, in all runs of a variant."""
    runs = group.study.runs
    tables = [read_images(str(folder)) for folder in runs.loc[runs["variant"] == variant, "folder"]]
    known = [one for one in tables if "edge_correlation" in one.columns]
    every = [one.loc[one["direction"] == direction, "edge_correlation"].dropna() for one in known]
    return pd.concat(every) if every else pd.Series(dtype=float)


@table("lost-lines", section="faithfulness")
def lost_lines(group: Group) -> Table:
    """The share of test images that keep less than half of their edges."""
    columns = tuple(Column(each, each.replace("2", " → "), arrow="down") for each in DIRECTIONS)
    rows = []
    for variant in group.variants:
        cells = []
        for direction in DIRECTIONS:
            values = kept(group, variant, direction)
            share = float((values < HALF).mean())
            cells.append(Cell(f"{share:.0%}", share) if len(values) else missing("Not measured."))
        rows.append(Row(variant, tuple(cells)))
    return Table(
        "", f"Images that lose half of their lines, {group.dataset}", "variant", columns, tuple(rows)
    )


@figure("kept-lines", section="faithfulness")
def kept_lines(group: Group) -> Iterator[Sketch]:
    """One curve a variant: which share of the test images keeps at most so much of its edges."""

    def draw():
        drawing, axes = panels(1, len(DIRECTIONS))
        style = looks(group.variants)
        for axis, direction in zip(axes, DIRECTIONS, strict=True):
            for variant in group.variants:
                values = kept(group, variant, direction)
                axis.ecdf(values, label=style[variant].label, **style[variant].line())
            axis.set_title(direction.replace("2", " → "))
            axis.set_xlabel("share of the edges kept")
        legend_below(drawing, axes)
        return drawing

    if all(len(kept(group, variant, "A2B")) for variant in group.variants):
        yield Sketch("Lines kept", "Share of the test images that keep at most so much.", draw)
