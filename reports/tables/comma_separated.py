"""CSV for further computation: one row per table row, raw numbers, the reason of a missing one beside it."""

import csv
import io

from reports.tables.model import Cell, Column, Table

FORMULA_STARTS = ("=", "+", "@", "\t")
"""A spreadsheet would compute a field that begins so; it gets an apostrophe in front."""


def to_csv(table: Table) -> str:
    """`title`, `role`, then per numeric column its value, spread, the value of every seed and the note."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([table.first, "role", *(name for column in table.columns for name in _names(column))])
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
    return [value, cell.spread, " ".join(repr(float(point)) for point in cell.points), cell.note or ""]


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
