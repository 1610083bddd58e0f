"""LaTeX with booktabs, ready to be pasted into a paper: needs \\usepackage{booktabs} alone.

All that is written is ASCII, so that it compiles in papers of every encoding and engine.
"""

import re
import unicodedata
from collections.abc import Sequence

from reports.tables.model import SIGNS, Cell, Column, Table, letter

ARROWS = {"": "", "down": r" $\downarrow$", "up": r" $\uparrow$", "target": r" $\to$ target"}


def _pairs(table: str) -> dict[str, str]:
    words = table.split()
    return dict(zip(words[::2], words[1::2], strict=True))


TEXT = _pairs(
    r"""
    \ \textbackslash{}  & \&  % \%  $ \$  # \#  _ \_  { \{  } \}  ~ \textasciitilde{}  ^ \textasciicircum{}
    < \textless{}  > \textgreater{}  | \textbar{}  ` \textasciigrave{}  " {\ttfamily\char34}
    ‘ {`}  ’ {'}  ‚ {,}  “ {``}  ” {''}  „ {,}{,}  – {--}  — {---}  … \ldots{}  ¡ {!`}  ¿ {?`}
    § \S{}  ¶ \P{}  © \copyright{}  ® \textregistered{}  ™ \texttrademark{}  £ \pounds{}  € \texteuro{}
    ß \ss{}  æ \ae{}  Æ \AE{}  œ \oe{}  Œ \OE{}  ø \o{}  Ø \O{}  ł \l{}  Ł \L{}  ı \i{}  ȷ \j{}
    """
) | {"\u00a0": "~", "\u2003": r"\quad{}", "\u2009": r"\,", "\u202f": r"\,"}
"""Signs of text. A straight quotation mark is that of the typewriter: the usual encoding has no other."""
MATHS = _pairs(
    r"""
    − -  × \times  ÷ \div  · \cdot  ⋅ \cdot  • \bullet  ± \pm  ∓ \mp  ° {}^{\circ}  ′ '  ″ ''  ‖ \|  ★ \star
    ● \bullet  ◆ \diamond  ○ \circ
    † \dagger  ‡ \ddagger  ← \leftarrow  → \to  ↑ \uparrow  ↓ \downarrow  ↔ \leftrightarrow
    ⇐ \Leftarrow  ⇒ \Rightarrow  ⇔ \Leftrightarrow  ∞ \infty  ≥ \geq  ≤ \leq  ≠ \neq  ≈ \approx  ≡ \equiv
    ∝ \propto  « \ll  » \gg  ∂ \partial  ∇ \nabla  √ \surd  ∑ \sum  ∏ \prod  ∫ \int  ∈ \in  ∉ \notin
    ∅ \emptyset  ∩ \cap  ∪ \cup  ⊂ \subset  ⊆ \subseteq  ∧ \wedge  ∨ \vee  ¬ \neg  ∀ \forall  ∃ \exists
    ⁰ {}^{0}  ¹ {}^{1}  ² {}^{2}  ³ {}^{3}  ⁴ {}^{4}  ⁵ {}^{5}  ⁶ {}^{6}  ⁷ {}^{7}  ⁸ {}^{8}  ⁹ {}^{9}
    ₀ {}_{0}  ₁ {}_{1}  ₂ {}_{2}  ₃ {}_{3}  ₄ {}_{4}  ₅ {}_{5}  ₆ {}_{6}  ₇ {}_{7}  ₈ {}_{8}  ₉ {}_{9}
    α \alpha  β \beta  γ \gamma  δ \delta  ε \varepsilon  ζ \zeta  η \eta  θ \theta  ι \iota  κ \kappa
    λ \lambda  μ \mu  µ \mu  ν \nu  ξ \xi  ο o  π \pi  ρ \rho  ς \varsigma  σ \sigma  τ \tau  υ \upsilon
    φ \varphi  χ \chi  ψ \psi  ω \omega  Γ \Gamma  Δ \Delta  Θ \Theta  Λ \Lambda  Ξ \Xi  Π \Pi  Σ \Sigma
    Υ \Upsilon  Φ \Phi  Ψ \Psi  Ω \Omega  ϵ \epsilon  ϑ \vartheta  ϕ \phi  ℓ \ell
    """
)
ACCENTS = {
    **dict(zip("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308", "`'^~=u.\"", strict=True)),
    **dict(zip("\u030a\u030b\u030c\u0323\u0327\u0331", "rHvdcb", strict=True)),
    "\u0326": "textcommabelow",
}
"""Combining sign -> the command that puts it on a letter."""
LETTER_WITH_MARKS = re.compile(r".[\u0300-\u036f]*", re.DOTALL)
GROW_TOGETHER = re.compile(r"(?<=([-',]))(?=\1)")
"""Between signs that would be printed as one: two hyphens as a dash."""
LIKE_AN_OPTION = ("[", "*", "(")
"""A row that begins so would be read as an option of the line break or of the rule before it."""


def escape(text: str) -> str:
    r"""`text` as LaTeX prints it literally; of a sign that pdfLaTeX lacks, the code point.

    >>> print(escape("50% of Čech's “Δ_1” → 中"))
    50\% of \v{C}ech's {``}$\Delta$\_1{''} $\to$ \texttt{U+4E2D}
    """
    apart = unicodedata.normalize("NFD", GROW_TOGETHER.sub("\u2060", text))
    return "".join(_sign(letter) for letter in LETTER_WITH_MARKS.findall(apart))


def _sign(decomposed: str) -> str:
    """One letter with its accents, or one sign."""
    sign = unicodedata.normalize("NFC", decomposed)
    if sign in TEXT:
        return TEXT[sign]
    if sign in MATHS:
        return f"${MATHS[sign]}$"
    if len(sign) == 1 and sign.isascii() and sign.isprintable():
        return sign
    base, marks = decomposed[0], decomposed[1:]
    if marks and base.isascii() and base.isalpha() and ACCENTS.keys() >= set(marks):
        for mark in marks:
            base = rf"\{ACCENTS[mark]}{{{base}}}"
        return base
    category = unicodedata.category(sign) if len(sign) == 1 else ""
    if category == "Cf":
        return "{}"  # it has no shape
    if category in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    return "".join(rf"\texttt{{U+{ord(each):04X}}}" for each in sign)


def to_latex(table: Table) -> str:
    """A table environment: caption, label, booktabs rules, notes in small print beneath.

    The card is a file of its own (`card_to_latex`): no paper wants it under a table.
    """
    alignment = "l" + "".join("r" if column.numeric else "l" for column in table.columns)
    body = [
        r"\begin{table}[t]",
        r"  \centering\small",
        rf"  \caption{{{escape(table.title)}. {escape(table.caption)}}}",
        rf"  \label{{tab:{table.key}}}",
        rf"  \begin{{tabular}}{{{alignment}}}",
        r"    \toprule",
        *_group_heading(table),
        "    " + " & ".join([_first(table.first), *(_heading(column) for column in table.columns)]) + r" \\",
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
        fields = [_first(row.title), *(_field(table, cell) for cell in row.cells)]
        lines.append("    " + " & ".join(fields) + r" \\")
    return lines


def _first(title: str) -> str:
    text = escape(title)
    return "{}" + text if text.lstrip().startswith(LIKE_AN_OPTION) else text


def _field(table: Table, cell: Cell) -> str:
    text = "--" if cell.text == "-" else escape(cell.text)
    text = rf"\textbf{{{text}}}" if cell.bold else text
    text = f"{escape(SIGNS.get(cell.kind, ''))}{text}"
    spread = rf" {{\scriptsize {escape(cell.spread)}}}" if cell.spread else ""
    note = rf"\textsuperscript{{{table.mark(cell)}}}" if cell.note else ""
    return f"{text}{spread}{note}"


def _small_print(table: Table) -> list[str]:
    notes = [rf"\textsuperscript{{{letter(at)}}} {escape(note)}" for at, note in enumerate(table.notes())]
    return [r"  \par\medskip\footnotesize\raggedright " + r"\\ ".join(notes)] if notes else []


def card_to_latex(title: str, card: Sequence[tuple[str, str]]) -> str:
    """A metric card as comments, a fact a line: it stands in the paper's source, not in the paper."""
    facts = [("Metric card", title), *card]
    return "".join(f"% {escape_comment(key)}: {escape_comment(value)}\n" for key, value in facts)


def escape_comment(text: str) -> str:
    """`text` on one line of ASCII."""
    return " ".join(text.split()).encode("ascii", "backslashreplace").decode()
