"""Small plots inside the cells of tables: one mark on an axis from 0 over a copy of the input to twice that.

The number of a cell is text, its plot is hidden from readers. What a mark says it says by shape, fill and
place; colour repeats it: a circle is nearer than a copy, a diamond farther, a hollow black circle not told
apart, a hollow coloured one the same in every seed of too few, a dashed one still
running, an arrow beyond the axis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.statistics import Comparison, Verdict
from reports.numbers import fixed
from reports.verdict.model import FAR, NEAR, Answers, Mark, Share, Task
from reports.verdict.words import share_number

END = 2.0
"""Copies at the right end of the axis."""


@dataclass(frozen=True)
class Track:
    """One cell: places are in per cent of its width."""

    text: str
    said: str
    """The rest of what the plot shows, for readers."""
    colour: str = "open"
    """`below`, `above`, `open` or `plain`."""
    shape: str = "circle"
    """`circle`, `diamond`, `dot`, `beyond`, `before` or nothing."""
    hollow: bool = False
    dashed: bool = False
    at: str = ""
    reach: tuple[str, str] | None = None
    seeds: tuple[str, ...] = ()
    lowest: bool = False
    bold: bool = False
    small: str = ""


@dataclass(frozen=True)
class Axis:
    """What all cells of a column share."""

    heading: str
    floor: str = ""
    line: str = "50.00"
    zone: str = "50.00"
    ends: tuple[str, str, str] = ("0", "copy", "2")
    foot: tuple[str, str] = ("", "")
    """(In bold, the rest) beneath the axis."""
    warning: str = ""


@dataclass(frozen=True)
class Name:
    """A variant as rows and captions show it: its name, the parameters that differ, its role."""

    base: str
    parameters: str = ""
    role: str = ""

    @property
    def whole(self) -> str:
        return f"{self.base}[{self.parameters}]" if self.parameters else self.base


@dataclass(frozen=True)
class PanelRow:
    """A variant in both directions of a data set."""

    name: Name
    tracks: tuple[Track | None, ...]
    kind: str
    """`trained`, `system` or `untrained`."""
    folded: bool = False


@dataclass(frozen=True)
class Panel:
    """One data set."""

    key: str
    title: str
    axes: tuple[Axis, ...]
    rows: tuple[PanelRow, ...]
    foot: str = "beat a copy"
    kind: str = ""

    @property
    def hidden(self) -> int:
        return sum(row.folded for row in self.rows)


def place_of(value: float) -> str:
    """Copies as per cent of the axis, within it.

    >>> place_of(1.0), place_of(7.0)
    ('50.00', '100.00')
    """
    return f"{100 * min(END, max(0.0, value)) / END:.2f}"


def share_axis(task: Task, found: Answers, heading: str) -> Axis:
    """The axis of a task, and how many beat a copy there."""
    decided = [name for name in found.trained if name in task.shares and task.shares[name] in found.results]
    near = len(task.marked(NEAR, decided))
    undecided = len(task.marked(frozenset({Mark.OPEN}), decided))
    going = len(task.marked(frozenset({Mark.RUNNING, Mark.WAITING}), found.trained))
    rest = [f"{undecided} undecided"] if undecided else []
    rest += [f"{going} running"] if going else []
    foot = f"{near} of {len(decided)}" if decided else ""
    floor = "" if task.floor_share is None else place_of(task.floor_share)
    warning = (
        f"real images lie {share_number(task.floor_share)} of a copy's distance apart"
        if task.warned and task.floor_share is not None
        else ""
    )
    return Axis(heading, floor, foot=(foot, f"({', '.join(rest)})" if rest else ""), warning=warning)


def share_track(share: Share, *, lowest: bool = False, bold: bool = False) -> Track:
    """A variant in a task."""
    if share.mean is None:
        return Track("", share.mark.value, shape="", small=share.mark.value)
    colour, shape, hollow, dashed = _look(share)
    parts = []
    if share.bounds is not None and share.mark is not Mark.VALUE:
        parts.append(f"{share_number(share.bounds[0])} to {share_number(share.bounds[1])}")
    parts.append("untrained, one value" if share.mark is Mark.VALUE else share.mark.value)
    parts += ["lowest of the trained"] if lowest else []
    beyond = share.mean > END
    reach = None
    single = share.mark is Mark.VALUE or len(share.by_seed) < 2
    if share.bounds is not None and not beyond and not single:
        reach = (place_of(share.bounds[0]), place_of(share.bounds[1]))
    return Track(
        share_number(share.mean),
        ", ".join(parts),
        colour,
        ("beyond" if beyond else shape),
        hollow,
        dashed,
        place_of(share.mean),
        reach,
        () if single else tuple(place_of(value) for value in share.by_seed if value <= END),
        lowest,
        bold,
        f"{share.done} of {share.expected}" if share.mark is Mark.RUNNING else "",
    )


def _look(share: Share) -> tuple[str, str, bool, bool]:
    """(colour, shape, hollow, dashed)."""
    mark = share.mark
    if mark is Mark.VALUE:
        return "plain", "dot", False, False
    if mark is Mark.RUNNING:
        return "open", "circle", True, True
    few = mark in (Mark.NEARER_EACH, Mark.FARTHER_EACH)
    if mark in NEAR:
        return "below", "circle", few, False
    if mark in FAR:
        return "above", "diamond", few, False
    return "open", "circle", True, False


def difference_panel(
    key: str,
    title: str,
    comparisons: Sequence[Comparison],
    copies: Mapping[str, float],
    headings: Mapping[str, str],
    declared: Sequence[tuple[str, str]] = (),
) -> Panel | None:
    """Differences between two variants in shares of a copy's distance: left of the line the first is nearer.

    `copies` and `headings` are by direction, as the comparisons spell it. Pairs stand as and in the order in
    which they were `declared`. None without any.
    """
    directions = [each for each in copies if any(one.direction == each for one in comparisons)]
    by_pair: dict[tuple[str, str], dict[str, Comparison]] = {pair: {} for pair in declared}
    for one in comparisons:
        turned = (one.b, one.a) in by_pair and (one.a, one.b) not in by_pair
        pair = (one.b, one.a) if turned else (one.a, one.b)
        by_pair.setdefault(pair, {})[one.direction] = one
    rows = []
    for (a, b), found in by_pair.items():
        if not found:
            continue
        tracks = [
            difference_track(found[each], copies[each], 1 if found[each].a == a else -1)
            if each in found
            else None
            for each in directions
        ]
        rows.append(PanelRow(Name(f"{a} minus {b}"), tuple(tracks), "trained"))
    ends = ("−2", "same", "+2")
    axes = tuple(Axis(headings[each], ends=ends) for each in directions)
    return Panel(key, title, axes, tuple(rows), kind="pairs") if rows and axes else None


def difference_track(one: Comparison, copy: float, sign: int = 1) -> Track:
    """One difference: filled where it is supported, hollow where none was found or seeds are too few.

    With `sign` -1 that of the second less the first.
    """
    mean = sign * one.mean_difference / copy
    bounds = one.interval or (min(one.differences), max(one.differences))
    low, high = sorted(sign * bound for bound in bounds)
    supported = one.verdict is Verdict.SUPPORTED
    at = place_around(mean)
    shape = "beyond" if mean > END else "before" if mean < -END else "circle" if mean < 0 else "diamond"
    seeds = tuple(place_around(sign * value / copy) for value in one.differences if abs(value / copy) <= END)
    return Track(
        f"+{share_number(mean)}" if mean > 0 else share_number(mean),
        str(one.verdict),
        ("below" if mean < 0 else "above") if supported else "open",
        shape if supported or shape in ("beyond", "before") else "circle",
        hollow=not supported,
        at=at,
        reach=(place_around(low / copy), place_around(high / copy)) if len(one.seeds) > 1 else None,
        seeds=seeds if len(one.seeds) > 1 else (),
    )


def place_around(value: float) -> str:
    """Copies as per cent of an axis from two less to two more.

    >>> place_around(0.0), place_around(-7.0)
    ('50.00', '0.00')
    """
    return f"{100 * (min(END, max(-END, value)) + END) / (2 * END):.2f}"


def truth_track(mean: float, bounds: tuple[float, float] | None, copy: float) -> Track:
    """A distance from the true translation, in copies; its number is the distance itself."""
    side = "nearer" if mean < copy else "farther"
    reach = None if bounds is None else (place_of(bounds[0] / copy), place_of(bounds[1] / copy))
    shape = "beyond" if mean / copy > END else "circle" if mean < copy else "diamond"
    said = f"levels, {side} than a copy"
    return Track(fixed(mean, 1), said, "open", shape, True, at=place_of(mean / copy), reach=reach)
