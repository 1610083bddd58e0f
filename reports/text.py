"""`report.md`: the report for the code host: the summary, every table, the figures as links."""

from collections.abc import Mapping, Sequence

from reports.figures.section import Drawing
from reports.findings import GroupSummary
from reports.parts import SECTIONS
from reports.tables.markdown import escape, to_markdown
from reports.tables.model import Table
from reports.verdict.answers import Said


def verdict(said: Said) -> str:
    """The first lines of the report: what the first screen of the page says."""
    parts = [f"# {_sentence(said.headline)}"]
    parts += [_sentence(said.live)] if said.live else []
    parts += [_sentence(said.lede)] if said.lede else []
    answers = [
        f"- **{question}** {_sentence(f'{word} {rest}'.strip())}"
        for question, _, word, rest in said.answers()
    ]
    return "\n\n".join([*parts, "\n".join(answers)]) + "\n"


def _sentence(text: str) -> str:
    """A sentence with its names as code: a backtick is their only markup."""
    pieces = text.split("`")
    return "`".join(piece if at % 2 else escape(piece) for at, piece in enumerate(pieces))


def group_text(
    name: str, summary: GroupSummary, tables: Mapping[str, Sequence[Table]], drawings: Sequence[Drawing]
) -> str:
    """One comparison group: summary first, then section by section."""
    parts = [f"## {escape(name)}", *_summary(summary)]
    for key, (title, lead) in SECTIONS.items():
        here = [drawing for drawing in drawings if drawing.section == key]
        if not tables.get(key) and not here:
            continue
        parts += [f"### {title}", lead]
        parts += [text for table in tables.get(key, ()) for text in table_text(table)]
        parts += [_figure(drawing) for drawing in here]
    return "\n\n".join(parts) + "\n"


def table_text(table: Table, level: int = 4) -> list[str]:
    """A table under its title."""
    return [f"{'#' * level} {escape(table.title)}", to_markdown(table).rstrip()]


def closing_text(title: str, table: Table | None, lines: Sequence[str]) -> str:
    """A last section: a table, or lines."""
    parts = [f"## {escape(title)}"]
    parts += [to_markdown(table).rstrip()] if table else []
    parts += ["\n".join(f"- {escape(line)}" for line in lines)] if lines else []
    return "\n\n".join(parts) + "\n"


def _summary(summary: GroupSummary) -> list[str]:
    found = [f"- **{finding.kind}**: {escape(finding.sentence)}" for finding in summary.headlines]
    full = [f"- {escape(finding.sentence)}" for finding in summary.found]
    parts = ["**What was compared.** " + escape(" ".join(summary.compared))]
    parts += ["**Under which schedule.** " + escape(" ".join(summary.schedule))] if summary.schedule else []
    parts += ["**What was found.**", "\n".join(found) if found else "Nothing yet."]
    if full:
        parts += ["<details><summary>Every comparison in full</summary>", "\n".join(full), "</details>"]
    if summary.not_told:
        parts += ["**What could not be told.**", "\n".join(f"- {escape(line)}" for line in summary.not_told)]
    return parts


def _figure(drawing: Drawing) -> str:
    title = escape(drawing.title)
    return f"![{title}](figures/{drawing.key}.png)\n\n*{title}.* {escape(drawing.caption)}"
