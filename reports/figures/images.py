"""Per-image measurements as distributions: a mean hides whether a variant is a little wrong everywhere or
badly wrong on a few images."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from reports import metrics
from reports.figures.style import INK, looks, panels, plain


def distributions(
    values: pd.DataFrame, keys: Sequence[str], variants: Sequence[str], columns: int = 3
) -> Figure:
    """One panel per measurement, one box per variant over the test images, with every image as a point."""
    rows = -(-len(keys) // columns)
    height = 0.9 + 0.26 * len(variants)
    figure, axes = panels(rows, min(columns, len(keys)), width=2.7, height=height)
    style = looks(variants)
    look: dict[str, Any] = {
        "widths": 0.6,
        "orientation": "horizontal",
        "patch_artist": True,
        "showfliers": False,
        "manage_ticks": False,
        "boxprops": {"linewidth": 0.8, "edgecolor": INK},
    }
    look |= {f"{part}props": {"color": INK, "linewidth": 0.8} for part in ("median", "whisker", "cap")}
    for at, (axis, key) in enumerate(zip(axes, keys, strict=False)):
        of_key = dict(iter(values[values["metric"] == key].groupby("variant")["value"]))
        drawn = [name for name in variants if name in of_key]
        places = [variants.index(name) for name in drawn]
        for name, place in zip(drawn, places, strict=True):
            # Points are pixels in the SVG too: as vectors they are most of a page.
            marks: dict[str, Any] = {"s": 4.84, "alpha": 0.35, "linewidths": 0, "rasterized": True}
            axis.scatter(
                of_key[name], [place] * len(of_key[name]), color=style[name].colour, zorder=1, **marks
            )
        boxes = axis.boxplot([of_key[name].to_numpy() for name in drawn], positions=places, **look)
        for name, box in zip(drawn, boxes["boxes"], strict=True):
            box.set(facecolor=style[name].colour, alpha=0.55)
        axis.set_ylim(len(variants) - 0.5, -0.5)
        axis.grid(visible=False, axis="y")
        axis.set(xlabel="", ylabel="", title=plain(metrics.heading(key)))
        first = at % columns == 0
        axis.set_yticks(range(len(variants)), [style[name].label if first else "" for name in variants])
    for axis in axes[len(keys) :]:
        axis.set_visible(False)
    return figure
