"""How figures look: colours that colour-blind eyes tell apart, each with its own line style and marker.

Every series differs in lightness, line style and marker too, so that a print in grey can be read. Ink and
grid are drawn in colours that the page replaces by those of its light or dark theme.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

INK = "#1f2328"
FAINT = "#d5d9dd"
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7a5195", "#6b6b6b")
"""Okabe and Ito (2008), yellow left out (unreadable on white), with a violet and a grey in its place."""
DASHES = (
    (),
    (5, 1.6),
    (1.4, 1.4),
    (7, 1.6, 1.4, 1.6),
    (3, 1.2),
    (9, 2),
    (5, 1.4, 1.4, 1.4, 1.4, 1.4),
    (2, 3),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
MOST_SERIES = len(PALETTE)
"""Lines that one figure can hold and still be read; the caption says what was left out."""

TITLE_PAD = 8
"""Points between a panel and its title."""
RULES: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": TITLE_PAD,
    "axes.labelsize": 8.5,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "path.simplify": True,
    "mathtext.default": "regular",
}


@dataclass(frozen=True)
class SeriesStyle:
    """Colour, dashes and marker of one series."""

    colour: str
    dashes: tuple[float, ...]
    marker: str
    label: str
    """Its name, as `labels` gives it."""

    def line(self) -> dict[str, Any]:
        """Keywords for Axes.plot."""
        return {"color": self.colour, "dashes": self.dashes} if self.dashes else {"color": self.colour}


def looks(names: Sequence[str]) -> dict[str, SeriesStyle]:
    """A look for every name, by its place; from the ninth on colours repeat with other dashes."""
    count, label = len(PALETTE), labels(names)
    turns = {name: (at % count, (at + at // count) % count) for at, name in enumerate(names)}
    return {
        name: SeriesStyle(PALETTE[colour], DASHES[turn], MARKERS[turn], label[name])
        for name, (colour, turn) in turns.items()
    }


MOST_TICKS = 5
"""Intervals between the ticks of an axis: panels are small, and ticks are most of what a figure costs."""


def panels(
    rows: int, columns: int, width: float = 3.4, height: float = 2.3, **shared: Any
) -> tuple[Figure, list[Axes]]:
    """A figure with a grid of axes, in reading order; sizes in inches of one panel.

    `shared` are `sharex` and `sharey` of `Figure.subplots`: an axis that is shared is labelled once.
    """
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False, **shared).ravel())
    for axis in axes:
        axis.locator_params(nbins=MOST_TICKS)
        for spine in axis.spines.values():
            spine.set_in_layout(False)  # ticks and labels say how much room a side takes
    return figure, axes


def place_title(axis: Axes, text: str) -> None:
    """Gives a panel its title, once everything else is in it.

    Where the numbers of the vertical axis have a factor (`1e−6`), that stands above the axis, and the title
    above it. matplotlib would look for such things anew at every drawing, a fifth of what a figure costs.
    """
    numbers = axis.yaxis.get_major_formatter()
    numbers.format_ticks(axis.get_yticks().tolist())
    factor = float(axis.yaxis.get_offset_text().get_fontsize()) if numbers.get_offset() else 0
    axis.set_title(text, loc="left", y=1.0, pad=TITLE_PAD + factor)


LONGEST_LABEL = 28
"""Signs of a name that legends and axes have room for."""


def shorten(name: str, most: int = LONGEST_LABEL) -> str:
    """A name that fits a legend, its middle left out."""
    return name if len(name) <= most else f"{name[: most // 2]}…{name[-(most // 2 - 1) :]}"


def labels(names: Sequence[str], most: int = LONGEST_LABEL) -> dict[str, str]:
    """Name -> label of at most `most` signs; long names that would look alike show where they differ.

    >>> names = [f"slot9[init=kaiming,iterations={number},noise=0.1]" for number in (3, 5)]
    >>> list(labels(names).values())
    ['slot9[i…=3,noise=0.1]', 'slot9[i…=5,noise=0.1]']
    """
    short = {name: shorten(name, most) for name in names}
    for alike in {
        label: [name for name in short if short[name] == label] for label in short.values()
    }.values():
        if len(alike) > 1:
            differ = next(
                at for at in range(max(map(len, alike))) if len({name[at : at + 1] for name in alike}) > 1
            )
            short |= {name: shorten(f"{name[:7]}…{name[differ - 1 :]}", most) for name in alike}
    told_apart = len(set(short.values())) == len(short)
    return {name: literal(short[name] if told_apart else name) for name in names}


def literal(text: str) -> str:
    """A text as matplotlib shows it literally: `$` starts mathematics, a first `_` hides it from legends."""
    return ("\u200b" if text.startswith("_") else "") + text.replace("$", r"\$")


def plain_title(name: str) -> str:
    """A name for a title, shortened."""
    return literal(shorten(name))


MOST_COLUMNS = 4
LINE, GAPS = 3.2, 2.8
"""Beside a label of a legend, in sizes of its font."""


def legend_below(figure: Figure, axes: Sequence[Axes]) -> None:
    """One legend for all panels, outside of them: each series once, though a panel lacks it."""
    found = [axis.get_legend_handles_labels() for axis in axes]
    series = {label: handle for each in found for handle, label in zip(*each, strict=True)}
    if series:
        size = FontProperties(size=rcParams["legend.fontsize"]).get_size_in_points()
        widest = max(_width(label, size) for label in series)
        room = int(72 * figure.get_figwidth() // (widest + (LINE + GAPS) * size))
        place: dict[str, Any] = {
            "loc": "outside lower center",
            "ncols": max(1, min(room, MOST_COLUMNS, len(series))),
            "handlelength": LINE,
        }
        figure.legend(list(series.values()), list(series), **place)


@lru_cache(maxsize=1024)
def _width(label: str, size: float) -> float:
    """Points that a label takes, as `literal` gives it."""
    font = FontProperties(family=RULES["font.sans-serif"], size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(label.replace(r"\$", "$"), font, ismath=False)
    return float(width)
