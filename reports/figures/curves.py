"""Curves over training: losses (figures 12 to 14 of the paper), distances and mask statistics."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures.style import SeriesStyle, legend_below, looks, panels, place_title, plain_title

X_LABEL = "images of each domain seen"


def overlay(
    curves: pd.DataFrame,
    names: Sequence[str],
    variants: Sequence[str],
    level: tuple[float, str] | None = None,
    columns: int = 2,
) -> Figure:
    """One panel per loss of `names`, one line per variant, a band from the least to the largest seed.

    `level` is where a dashed line stands and what the vertical axis then counts in.
    """
    rows = -(-len(names) // columns)
    figure, axes = panels(rows, min(columns, len(names)), sharex=True)
    style, curve = looks(variants), _by_loss(curves)
    for axis, name in zip(axes, names, strict=False):
        for variant in variants:
            _line(axis, curve(name, variant), style[variant])
        if level is not None:
            axis.axhline(level[0], color="0.4", linewidth=0.9, linestyle="--", zorder=1)
        place_title(axis, plain_title(loss_title(name)))
    for axis in axes[len(names) :]:
        axis.set_visible(False)
    for axis in axes[max(0, len(names) - columns) : len(names)]:
        axis.set_xlabel(X_LABEL)
        axis.tick_params(labelbottom=True)  # where no panel stands beneath
    if level is not None:
        axes[0].set_ylabel(level[1])
    legend_below(figure, axes)
    return figure


def side_by_side(curves: pd.DataFrame, names: Sequence[str], pair: tuple[str, str]) -> Figure:
    """Two panels with one vertical axis: every loss of either variant of `pair`."""
    figure, axes = panels(1, 2, width=3.7, height=3.0)
    style = {name: replace(look, label=loss_title(name)) for name, look in looks(names).items()}
    curve = _by_loss(curves)
    for axis, variant in zip(axes, pair, strict=True):
        for name in names:
            _line(axis, curve(name, variant), style[name])
        axis.set_xlabel(X_LABEL)
    axes[1].sharey(axes[0])
    axes[0].autoscale(axis="y")
    for axis, variant in zip(axes, pair, strict=True):
        place_title(axis, plain_title(variant))
    legend_below(figure, axes)
    return figure


def loss_title(name: str) -> str:
    """`cycle_A` as `cycle A`, `gan_A2B` as `gan A → B`, `mask_entropy` as `mask entropy`."""
    return name.replace("A2B", "A → B").replace("B2A", "B → A").replace("_", " ")


def _by_loss(curves: pd.DataFrame) -> Callable[[str, str], pd.DataFrame]:
    """(loss, variant) -> its curve; one without rows where there is none."""
    found = dict(iter(curves.groupby(["loss", "variant"], sort=False)))
    return lambda name, variant: found.get((name, variant), curves.iloc[:0])


def _line(axis: Axes, curve: pd.DataFrame, look: SeriesStyle) -> None:
    x = curve["images_seen"].to_numpy(dtype=float)
    if (curve["seeds"] > 1).any():
        low, high = curve["low"].to_numpy(dtype=float), curve["high"].to_numpy(dtype=float)
        axis.fill_between(x, low, high, color=look.colour, alpha=0.14, linewidth=0)
    every = max(1, len(x) // 6)
    marks: dict[str, Any] = {"marker": look.marker, "markevery": (every // 2, every), "markersize": 3.6}
    axis.plot(x, curve["mean"].to_numpy(dtype=float), label=look.label, **look.line(), **marks)
