"""A table as data, before any format: columns with direction of better, rows of cells, notes, a card."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Arrow = Literal["", "down", "up", "target"]
MISSING = "-"


@dataclass(frozen=True)
class Cell:
    """One field. `value` sorts and goes into CSV; `text` is read; `note` becomes a footnote."""

    text: str
    value: float | None = None
    bold: bool = False
    """Only where the difference to every other row is supported (bench.statistics)."""
    note: str | None = None
    spread: str = ""
    """Interval or range, written small behind the text."""
    points: tuple[float, ...] = ()
    """The value of every seed, in the order of seeds."""


@dataclass(frozen=True)
class Column:
    """`group` is the heading over several columns, such as a direction."""

    key: str
    title: str
    group: str = ""
    arrow: Arrow = ""
    help: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class Row:
    """One variant, or a reference such as floor and ceiling. `role` sets it apart in print."""

    title: str
    cells: tuple[Cell, ...]
    role: str = "variant"


@dataclass(frozen=True)
class Table:
    """`key` names its files; `caption` says how to read it; `card` is what one must know to judge it."""

    key: str
    title: str
    first: str
    """Heading of the column of row titles."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: str = ""
    card: tuple[tuple[str, str], ...] = field(default=())

    def notes(self) -> list[str]:
        """The reasons behind cells, each once, in reading order; a cell's footnote is its place here."""
        return unique(cell.note for row in self.rows for cell in row.cells if cell.note)

    def mark(self, cell: Cell) -> str:
        """The letter of a cell's footnote, or nothing."""
        return letter(self.notes().index(cell.note)) if cell.note else ""

    def groups(self) -> list[tuple[str, int]]:
        """Headings over neighbouring columns, with their widths."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and spans[-1][0] == column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return spans


def missing(reason: str) -> Cell:
    """A dash with its reason as a footnote."""
    return Cell(MISSING, note=reason)


def unique(values: Iterable[str | None]) -> list[str]:
    """Each value once, in order, without None."""
    return list(dict.fromkeys(value for value in values if value is not None))


def letter(index: int) -> str:
    """0 is a, 25 is z, 26 is aa.

    >>> [letter(0), letter(25), letter(26)]
    ['a', 'z', 'aa']
    """
    return (letter(index // 26 - 1) if index >= 26 else "") + chr(ord("a") + index % 26)
