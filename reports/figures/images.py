"""Per-image measurements as distributions: a mean hides whether a variant is a little wrong everywhere or
badly wrong on a few images."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.cbook import boxplot_stats
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from reports import metrics
from reports.figures.style import INK, SeriesStyle, looks, panels, place_title, plain_title

POINTS: dict[str, Any] = {
    "s": 2.2**2,
    "alpha": 0.35,
    "linewidth": 0,
    "rasterized": True,
    "zorder": 3,
    "legend": False,
}
BOX = 0.6
"""Of the height of a row."""


def distributions(
    values: pd.DataFrame, keys: Sequence[str], variants: Sequence[str], columns: int = 3
) -> Figure:
    """One panel per measurement, one box per variant over the test images, with every image as a point."""
    rows = -(-len(keys) // columns)
    height = 0.9 + 0.26 * len(variants)
    figure, axes = panels(rows, min(columns, len(keys)), width=2.7, height=height)
    style = looks(variants)
    palette = {name: look.colour for name, look in style.items()}
    place = {name: at for at, name in enumerate(variants)}
    for at, (axis, key) in enumerate(zip(axes, keys, strict=False)):
        same = values[values["metric"] == key]
        points = same.assign(place=same["variant"].map(place))
        # Points are pixels in the SVG too: as vectors they are most of a page.
        seaborn.scatterplot(
            points,
            x="value",
            y="place",
            hue="variant",
            hue_order=variants,
            palette=palette,
            **POINTS,
            ax=axis,
        )
        found = [same.loc[same["variant"] == name, "value"].to_numpy(dtype=float) for name in variants]
        _boxes(axis, found, style.values())
        axis.set(xlabel="", ylabel="", ylim=(len(variants) - 0.5, -0.5))
        axis.grid(visible=False, axis="y")
        first = at % columns == 0
        axis.set_yticks(range(len(variants)), [style[name].label if first else "" for name in variants])
        place_title(axis, plain_title(metrics.heading(key)))
    for axis in axes[len(keys) :]:
        axis.set_visible(False)
    return figure


def _boxes(axis: Axes, values: Sequence[np.ndarray], looks: Iterable[SeriesStyle]) -> None:
    """Boxes at 0, 1, ...: one artist for all boxes and one for all lines, where boxplot has six for each."""
    drawn = [(at, look, each) for at, (look, each) in enumerate(zip(looks, values, strict=True)) if len(each)]
    boxes: list[list[tuple[float, float]]] = []
    lines: list[list[tuple[float, float]]] = []
    for (at, _, _), found in zip(drawn, boxplot_stats([each for _, _, each in drawn]), strict=True):
        low, high = at - BOX / 2, at + BOX / 2
        first, third = found["q1"], found["q3"]
        boxes.append([(first, low), (third, low), (third, high), (first, high)])
        for quartile, end in ((first, found["whislo"]), (third, found["whishi"])):
            lines += [[(quartile, at), (end, at)], [(end, at - BOX / 4), (end, at + BOX / 4)]]
        lines.append([(found["med"], low), (found["med"], high)])
    faces = [look.colour for _, look, _ in drawn]
    common: dict[str, Any] = {"edgecolor": INK, "linewidth": 0.8}
    axis.add_collection(PolyCollection(boxes, facecolor=faces, alpha=0.55, zorder=2, **common))
    axis.add_collection(LineCollection(lines, color=INK, linewidth=0.8, zorder=2.1))
