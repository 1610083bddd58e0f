"""LaTeX with booktabs, ready to be pasted into a paper: needs \\usepackage{booktabs} alone."""

from reports.tables.model import Cell, Column, Table, letter

ARROWS = {"": "", "down": r" $\downarrow$", "up": r" $\uparrow$", "target": r" $\to$ target"}
ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': r"\textquotedbl{}",
    "−": "$-$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "±": r"$\pm$",
    "→": r"$\to$",
    "∞": r"$\infty$",
    "\u202f": r"\,",
    "–": "--",
    "‡": r"$\ddagger$",
    "†": r"$\dagger$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "…": r"\ldots{}",
    "\n": " ",
}


def escape(text: str) -> str:
    """`text` as LaTeX prints it literally; signs beyond ASCII that pdfLaTeX lacks are spelled in maths."""
    return "".join(ESCAPES.get(sign, sign) for sign in text)


def to_latex(table: Table) -> str:
    """A table environment: caption, label, booktabs rules, notes and card in small print beneath."""
    alignment = "l" + "".join("r" if column.numeric else "l" for column in table.columns)
    body = [
        r"\begin{table}[t]",
        r"  \centering\small",
        rf"  \caption{{{escape(table.title)}. {escape(table.caption)}}}",
        rf"  \label{{tab:{table.key}}}",
        rf"  \begin{{tabular}}{{{alignment}}}",
        r"    \toprule",
        *_group_heading(table),
        "    " + " & ".join([escape(table.first), *(_heading(column) for column in table.columns)]) + r" \\",
        r"    \midrule",
        *_rows(table),
        r"    \bottomrule",
        r"  \end{tabular}",
        *_small_print(table),
        r"\end{table}",
    ]
    return "\n".join(body) + "\n"


def _group_heading(table: Table) -> list[str]:
    if not any(column.group for column in table.columns):
        return []
    fields, rules, start = [""], [], 2
    for title, width in table.groups():
        fields += [rf"\multicolumn{{{width}}}{{c}}{{{escape(title)}}}"] if title else [""] * width
        rules += [rf"\cmidrule(lr){{{start}-{start + width - 1}}}"] if title else []
        start += width
    return ["    " + " & ".join(fields) + r" \\", "    " + " ".join(rules)]


def _heading(column: Column) -> str:
    return escape(column.title) + ARROWS[column.arrow]


def _rows(table: Table) -> list[str]:
    lines, previous = [], table.rows[0].role if table.rows else ""
    for row in table.rows:
        if (row.role == "variant") != (previous == "variant"):
            lines.append(r"    \midrule")
        previous = row.role
        fields = [escape(row.title), *(_field(table, cell) for cell in row.cells)]
        lines.append("    " + " & ".join(fields) + r" \\")
    return lines


def _field(table: Table, cell: Cell) -> str:
    text = "--" if cell.text == "-" else escape(cell.text)
    text = rf"\textbf{{{text}}}" if cell.bold else text
    spread = rf" {{\scriptsize {escape(cell.spread)}}}" if cell.spread else ""
    note = rf"\textsuperscript{{{table.mark(cell)}}}" if cell.note else ""
    return f"{text}{spread}{note}"


def _small_print(table: Table) -> list[str]:
    notes = [rf"\textsuperscript{{{letter(at)}}} {escape(note)}" for at, note in enumerate(table.notes())]
    card = "; ".join(f"{escape(key)}: {escape(value)}" for key, value in table.card)
    parts = notes + ([rf"Metric card. {card}."] if card else [])
    return [r"  \par\medskip\footnotesize\raggedright " + r"\\ ".join(parts)] if parts else []
