"""Distances of finished runs: who is worth its price, and every seed by itself."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.comparisons import arrow_text
from reports.figures.style import INK, legend_below, looks, panels, place_title
from reports.frame import records

DIRECTIONS = ("A2B", "B2A")


def against_cost(
    table: pd.DataFrame, references: pd.DataFrame, variants: Sequence[str], y_label: str, x_label: str
) -> Figure:
    """One panel per measured direction: cost to the right, distance upwards, bars as in the table."""
    shown = measured(table)
    figure, axes = panels(1, len(shown), width=3.7, height=2.9)
    style = looks(variants)
    for axis, direction in zip(axes, shown, strict=True):
        here = table[table["direction"] == direction].set_index("variant", drop=False)
        for row in records(here.reindex([variant for variant in variants if variant in here.index])):
            look = style[row.variant]
            # The mean of equal values may lie a rounding beyond them.
            reach = [[max(0.0, row.mean - row.low)], [max(0.0, row.high - row.mean)]]
            marks: dict[str, Any] = {
                "fmt": look.marker,
                "color": look.colour,
                "markersize": 7,
                "capsize": 2.5,
                "elinewidth": 1,
            }
            axis.errorbar([row.cost], [row.mean], yerr=reach, label=look.label, **marks)
        _reference_lines(axis, references, direction)
        axis.set_xlabel(x_label)
        axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
        place_title(axis, arrow_text(direction))
    axes[0].set_ylabel(y_label.replace(", ", ",\n"))  # a panel is not high
    legend_below(figure, axes)
    return figure


def by_seed(points: pd.DataFrame, references: pd.DataFrame, variants: Sequence[str], y_label: str) -> Figure:
    """One panel per measured direction: a point per run, a thin line that joins the runs of one seed."""
    width = max(3.7, 0.55 * len(variants))
    shown = measured(points)
    figure, axes = panels(1, len(shown), width=width, height=3.0)
    style = looks(variants)
    place = {variant: at for at, variant in enumerate(variants)}
    for axis, direction in zip(axes, shown, strict=True):
        here = points[points["direction"] == direction]
        for variant, same in here.groupby("variant"):
            look, x = style[str(variant)], [place[str(variant)]] * len(same)
            marks: dict[str, Any] = {
                "marker": look.marker,
                "color": look.colour,
                "s": 34,
                "alpha": 0.9,
                "linewidths": 0,
            }
            axis.scatter(x, same["value"], zorder=2, **marks)
        _reference_lines(axis, references, direction)
        place_title(axis, arrow_text(direction))
        names = [style[variant].label for variant in variants]
        axis.set_xticks(range(len(variants)), names, rotation=25, ha="right")
        axis.grid(visible=False, axis="x")
    axes[0].set_ylabel(y_label.replace(", ", ",\n"))  # a panel is not high
    return figure


def measured(table: pd.DataFrame) -> list[str]:
    """The directions that a table has values of: images of other programs may have one alone."""
    return [direction for direction in DIRECTIONS if direction in set(table["direction"])]


def _reference_lines(axis: Axes, references: pd.DataFrame, direction: str) -> None:
    """Their names stand beside the panel, where no mark is, one above its line and one below."""
    for row in records(references[references["direction"] == direction]):
        for name, value, side in (("floor", row.floor, "top"), ("copy", row.ceiling, "bottom")):
            if pd.notna(value):
                axis.axhline(value, color=INK, linewidth=0.8, dashes=(1, 2), alpha=0.7)
                text: dict[str, Any] = {
                    "xy": (1, value),
                    "xycoords": ("axes fraction", "data"),
                    "xytext": (3, 0),
                }
                axis.annotate(name, **text, textcoords="offset points", ha="left", va=side, fontsize=7.5)
