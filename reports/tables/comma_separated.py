"""CSV for further computation: one row per table row, raw numbers, the reason of a missing one beside it."""

import csv
import io
import re

from reports.tables.model import Cell, Column, Table

FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20].+", re.DOTALL)
"""A spreadsheet would compute such a field (full-width signs too); it gets an apostrophe in front."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)


def to_csv(table: Table) -> str:
    """`title`, `role`, then per numeric column its value, spread, the value of every seed and the note."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    names = ["role", *(name for column in table.columns for name in _names(column))]
    writer.writerow([_safe(table.first), *map(_safe, names)])
    for row in table.rows:
        pairs = zip(table.columns, row.cells, strict=True)
        fields = [field for column, cell in pairs for field in _fields(column, cell)]
        writer.writerow([_safe(row.title), row.role, *fields])
    return buffer.getvalue()


def _names(column: Column) -> list[str]:
    name = f"{column.group} {column.title}".strip()
    return [name, f"{name} (spread)", f"{name} (seeds)", f"{name} (note)"] if column.numeric else [name]


def _fields(column: Column, cell: Cell) -> list[str]:
    if not column.numeric:
        return [_safe(cell.text)]
    value = "" if cell.value is None else repr(float(cell.value))
    return [value, cell.spread, " ".join(repr(float(point)) for point in cell.points), _safe(cell.note or "")]


def _safe(text: str) -> str:
    """`text` as a field that is read as text; a number is left a number."""
    return f"'{text}" if FORMULA.fullmatch(text) and not NUMBER.fullmatch(text) else text
