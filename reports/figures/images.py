"""Per-image measurements as distributions: a mean hides whether a variant is a little wrong everywhere or
badly wrong on a few images."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports import metrics
from reports.figures.style import INK, SeriesStyle, looks, panels, plain_title


def distributions(
    values: pd.DataFrame, keys: Sequence[str], variants: Sequence[str], columns: int = 3
) -> Figure:
    """One panel per measurement, one box per variant over the test images, with every image as a point."""
    rows = -(-len(keys) // columns)
    height = 0.9 + 0.26 * len(variants)
    figure, axes = panels(rows, min(columns, len(keys)), width=2.7, height=height)
    style = looks(variants)
    palette = {name: look.colour for name, look in style.items()}
    for at, (axis, key) in enumerate(zip(axes, keys, strict=False)):
        same = values[values["metric"] == key]
        common: dict[str, Any] = {
            "data": same,
            "x": "value",
            "y": "variant",
            "hue": "variant",
            "order": list(variants),
        }
        common |= {"hue_order": list(variants), "palette": palette, "legend": False, "ax": axis}
        # Points are pixels in the SVG too: as vectors they are most of a page.
        seaborn.stripplot(**common, size=2.2, alpha=0.35, jitter=False, linewidth=0, rasterized=True)
        _boxes(axis, [same.loc[same["variant"] == name, "value"] for name in variants], style.values())
        title = plain_title(metrics.heading(key))
        axis.set(xlabel="", ylabel="", title=title, ylim=(len(variants) - 0.5, -0.5))
        first = at % columns == 0
        axis.set_yticks(range(len(variants)), [style[name].label if first else "" for name in variants])
    for axis in axes[len(keys) :]:
        axis.set_visible(False)
    return figure


def _boxes(axis: Axes, values: Sequence["pd.Series[float]"], looks: Iterable[SeriesStyle]) -> None:
    """Boxes at 0, 1, ...: in one call, where seaborn makes them one by one and takes far longer."""
    lines: dict[str, Any] = {"color": INK, "linewidth": 0.8}
    boxes = axis.boxplot(
        values,
        positions=range(len(values)),
        widths=0.6,
        orientation="horizontal",
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        medianprops=lines,
        whiskerprops=lines,
        capprops=lines,
    )
    for box, look in zip(boxes["boxes"], looks, strict=True):
        box.set(facecolor=look.colour, edgecolor=INK, linewidth=0.8, alpha=0.55)
