"""Markdown as code hosts show it: pipe tables, footnotes as lines beneath, every name escaped."""

from reports.tables.model import SIGNS, Cell, Column, Table, letter

ARROWS = {"": "", "down": " ↓", "up": " ↑", "target": " → target"}
SPECIAL = r"\`*_{}[]#|~"


def escape(text: str) -> str:
    """`text` shown as it is: no markup, no HTML, no broken table row."""
    safe = "".join("\\" + sign if sign in SPECIAL else sign for sign in text)
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")


def to_markdown(table: Table) -> str:
    """The table with its caption, notes and card; the title is left to the page."""
    lines = [_row([escape(table.first), *(_heading(column) for column in table.columns)])]
    lines.append(_row([":--", *("--:" if column.numeric else ":--" for column in table.columns)]))
    for row in table.rows:
        title = escape(row.title) if row.role == "variant" else f"*{escape(row.title)}*"
        lines.append(_row([title, *(_field(table, cell) for cell in row.cells)]))
    notes = [f"<sup>{mark}</sup> {escape(note)}" for mark, note in _lettered(table)]
    parts = ["\n".join(lines), escape(table.caption), "<br>".join(notes)]
    if table.card:
        parts.append(
            "*Metric card.* " + "; ".join(f"{escape(key)}: {escape(value)}" for key, value in table.card)
        )
    return "\n\n".join(part for part in parts if part) + "\n"


def _lettered(table: Table) -> list[tuple[str, str]]:
    return [(letter(index), note) for index, note in enumerate(table.notes())]


def _row(fields: list[str]) -> str:
    return "| " + " | ".join(fields) + " |"


def _heading(column: Column) -> str:
    group = f"{escape(column.group)} " if column.group else ""
    return f"{group}{escape(column.title)}{ARROWS[column.arrow]}"


def _field(table: Table, cell: Cell) -> str:
    text = f"**{escape(cell.text)}**" if cell.bold else escape(cell.text)
    text = f"{SIGNS.get(cell.kind, '')}{text}"
    spread = f" {escape(cell.spread)}" if cell.spread else ""
    note = f"<sup>{table.mark(cell)}</sup>" if cell.note else ""
    return f"{text}{spread}{note}"
