"""Small plots inside the cells of tables: one mark on an axis from 0 over a copy of the input to twice that.

The number of a cell is text, its plot is hidden from readers. What a mark says it says by shape, fill and
place; colour repeats it: a circle is nearer than a copy, a diamond farther, a hollow black circle not told
apart, a hollow coloured one the same in every seed of too few, a dashed one still
running, an arrow beyond the axis.
"""

from dataclasses import dataclass

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

    @property
    def hidden(self) -> int:
        return sum(row.folded for row in self.rows)


def place(value: float) -> str:
    """Copies as per cent of the axis, within it.

    >>> place(1.0), place(7.0)
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
    floor = "" if task.floor_share is None else place(task.floor_share)
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
        reach = (place(share.bounds[0]), place(share.bounds[1]))
    return Track(
        share_number(share.mean),
        ", ".join(parts),
        colour,
        ("beyond" if beyond else shape),
        hollow,
        dashed,
        place(share.mean),
        reach,
        () if single else tuple(place(value) for value in share.by_seed if value <= END),
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
