"""A table as data, before any format: columns with direction of better, rows of cells, notes, a card."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

Arrow = Literal["", "down", "up", "target"]
MISSING = "-"
SIGNS = {
    "nearer than a copy": "● ",
    "farther than a copy": "◆ ",
    "not told apart from a copy": "○ ",
    "nearer in every seed, too few seeds for a claim": "(●) ",
    "farther in every seed, too few seeds for a claim": "(◆) ",
}
"""What print sets before a cell of a kind."""


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
    kind: str = ""
    """What the cell says, where it is one of a few things: formats set a sign or a colour by it."""


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
    folded: bool = False
    """Whether the page shows it only when asked."""

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


def without_gaps(table: Table) -> Table | None:
    """The table without columns and rows that hold nothing; the caption says what they lack, once.

    None where nothing is left.
    """
    columns = [at for at, column in enumerate(table.columns) if _holds(table, at)]
    rows = [row for row in table.rows if row.role in ("floor", "ceiling") or _row_holds(table, row)]
    if not columns or all(row.role in ("floor", "ceiling") for row in rows):
        return None
    lacking = [
        _lack(table.columns[at].title, [row.cells[at] for row in table.rows])
        for at in range(len(table.columns))
        if at not in columns
    ]
    lacking += [_lack(row.title, _numbers(table, row)) for row in table.rows if row not in rows]
    said = f"Not shown: {'; '.join(unique(lacking))}." if lacking else ""
    rows = [row for row in rows if row.role not in ("floor", "ceiling") or _shows(row, columns)]
    kept = tuple(Row(row.title, tuple(row.cells[at] for at in columns), row.role) for row in rows)
    caption = " ".join(part for part in (table.caption, said) if part)
    return replace(table, columns=tuple(table.columns[at] for at in columns), rows=kept, caption=caption)


def _holds(table: Table, at: int) -> bool:
    cells = [row.cells[at] for row in table.rows if row.role not in ("floor", "ceiling")]
    return any(cell.text not in ("", MISSING) for cell in cells)


def _shows(row: Row, columns: Iterable[int]) -> bool:
    return any(row.cells[at].text for at in columns)


def _row_holds(table: Table, row: Row) -> bool:
    numbers = _numbers(table, row)
    return not numbers or any(cell.text not in ("", MISSING) for cell in numbers)


def _numbers(table: Table, row: Row) -> list[Cell]:
    """The cells of a row that were measured; how many seeds there are was not."""
    return [
        cell
        for column, cell in zip(table.columns, row.cells, strict=True)
        if column.numeric and column.key != "seeds"
    ]


def _lack(title: str, cells: Iterable[Cell]) -> str:
    """What is not shown, with its reason."""
    reason = next((cell.note for cell in cells if cell.note), None)
    return f"{title} ({reason.rstrip('.')})" if reason else title


def in_parts(table: Table, most: int) -> list[Table]:
    """A table as tables of at most `most` columns, about equally many each."""
    count = -(-len(table.columns) // most)
    if count < 2:
        return [table]
    bounds = [len(table.columns) * at // count for at in range(count + 1)]
    return [
        replace(
            table,
            key=table.key if not at else f"{table.key}-part{at + 1}",
            title=f"{table.title}, {at + 1} of {count}",
            columns=table.columns[low:high],
            rows=tuple(
                replace(row, cells=row.cells[low:high])
                for row in table.rows
                if row.role not in ("floor", "ceiling") or _shows(row, range(low, high))
            ),
            caption=table.caption if at == count - 1 else "",
        )
        for at, (low, high) in enumerate(pairwise(bounds))
    ]
