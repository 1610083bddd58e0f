"""The report on disk: index.html, report.md, results.json, tables/, figures/; no file is ever half."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.comparing.sides import of_several_sources
from bench.errors import BenchError, UsageError
from bench.names import counted, in_part, unknown_name
from bench.runs import atomic
from reports import page, text
from reports.comparability import groups
from reports.contents import GroupContent, colophon, content, main_tables, page_of
from reports.control import Controlled, DeclaredControl, controlled
from reports.figures.files import drawing
from reports.figures.section import drawings
from reports.frame import StudyFrames, read_study, run_folders
from reports.galleries.model import ShownPictures
from reports.galleries.pictures import Pictures
from reports.numbers import listed
from reports.results import results
from reports.run_files import damaged_tables
from reports.tables.ballot import ballots
from reports.tables.comma_separated import to_csv
from reports.tables.latex import card_to_latex, to_latex
from reports.tables.markdown import to_markdown
from reports.tables.model import Table, without_gaps
from reports.tables.published import published_table
from reports.tables.runs import failures_table, run_remarks
from reports.tables.scores import card
from reports.verdict.answers import answer_all
from reports.verdict.model import Answers
from reports.verdict.shares import answers

FORMATS = {"md": to_markdown, "latex": to_latex, "csv": to_csv}
SUFFIXES = {"md": "md", "latex": "tex", "csv": "csv"}
ALL_FORMATS = ("md", "html", "latex", "csv")
MOST_NAMED = 4


@dataclass(frozen=True)
class Request:
    """What to report on, and how. Empty `protocols` and `datasets`: all."""

    roots: tuple[Path, ...]
    out: Path
    formats: tuple[str, ...] = ALL_FORMATS
    protocols: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    allow_different_schedules: bool = False
    pictures: ShownPictures = ShownPictures.ALL
    comparisons: tuple[tuple[str, str], ...] = ()
    """Pairs of variants that a study declared beforehand; empty: all with the reference."""
    control: DeclaredControl | None = None
    """The A/A control that a study declared."""
    planned: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """(protocol, data set, variant) -> seeds that the study declares."""
    remarks: tuple[str, ...] = ()
    """What a reader should know of the choice of runs."""
    name: str = ""
    """What the study is called; empty: as its protocols."""
    refresh: int | None = None
    """Seconds after which the page reloads itself; None: never."""


def parse_formats(text: str) -> tuple[str, ...]:
    """`md,html` as names of formats. Raises UsageError for one that there is not."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in names:
        if name not in ALL_FORMATS:
            raise unknown_name("format", name, ALL_FORMATS, "bench report --help")
    if not names:
        raise UsageError("--format names no format. Write for example: bench report --format md,html")
    return names


def write_report(request: Request) -> Path:
    """Write the report of all runs below the roots; returns the path of its page (or of report.md).

    Raises UsageError for runs of different schedules, BenchError where there is nothing to report.
    """
    atomic.require_writable(request.out, "--out")
    refuse_others_files(request.out)
    study = _study(request)
    stated = groups(study, allow_different_schedules=request.allow_different_schedules)
    found = answers(stated, request.planned)
    by_eye, unread = ballots(request.roots)
    shown = [replace(group, order=found.order, by_eye=tuple(by_eye)) for group in stated]
    if not shown and failures_table(study) is None:
        raise BenchError(_nothing(request))
    request = replace(request, remarks=(*request.remarks, *unread, *of_several_sources(study.cards)))
    pictures = Pictures()
    with drawing() as begin:
        begun = [drawings(group, begin) for group in shown if {"html", "md"} & set(request.formats)]
        contents = [
            content(group, pictures, pictured="html" in request.formats and request.pictures.of(group))
            for group in shown
        ]
        control = controlled(request.control, shown) if request.control else Controlled(())
        found = _told(found, contents, control)
        told = results(shown, [one.summary for one in contents], study, found, control.lines)
        finished = [tuple(wait() for wait in each) for each in begun]
    if finished:
        contents = [replace(one, drawings=each) for one, each in zip(contents, finished, strict=True)]
    _write_tables(request, found, contents, study)
    for each in (each for one in contents for each in one.drawings):
        atomic.write_bytes(request.out / "figures" / f"{each.key}.png", each.png)
        atomic.write_bytes(request.out / "figures" / f"{each.key}.svg", each.svg)
    atomic.write_text(request.out / "results.json", told.model_dump_json(indent=1) + "\n")
    request = replace(request, remarks=(*request.remarks, *_left_out(study)))
    main = request.out / "results.json"
    if "md" in request.formats:
        main = request.out / "report.md"
        atomic.write_text(main, _markdown(study, contents, found, control.lines, request.remarks))
    if "html" in request.formats:
        main = request.out / "index.html"
        view = page_of(found, study, contents, pictures, control.lines, request.remarks, request.name)
        atomic.write_text(main, page.render(view, pictures, request.refresh))
    return main


def _left_out(study: StudyFrames) -> Iterator[str]:
    """What finished runs hold and could not be read: it is missing wherever it would be counted or drawn."""
    done = study.runs[study.runs["status"] == "done"]
    damaged = damaged_tables(done["folder"])
    if damaged:
        yield (
            f"Of finished runs {counted(len(damaged), 'table')} cannot be read, and what belongs there is "
            f"missing here: {in_part(damaged, MOST_NAMED)}. `bench score RUN` writes images.csv anew; the "
            "other tables come from training alone."
        )


def refuse_others_files(out: Path) -> None:
    """Raise UsageError where what would be written over is no report: every report has a results.json."""
    there = [name for name in ("index.html", "report.md", "results.json") if (out / name).exists()]
    if not there:
        return
    results = out / "results.json"
    told = results.read_text(encoding="utf-8", errors="replace") if results.is_file() else ""
    if not ('"schema_version"' in told and '"groups"' in told):
        raise UsageError(
            f"{out} holds {', '.join(there)}, and not of a report: it would be written over. Give another "
            "folder to --out, or move it away."
        )


def _told(found: Answers, contents: Sequence[GroupContent], control: Controlled) -> Answers:
    """The answers with the comparisons that were declared and the control of the study."""
    outcome = control.outcome
    claimed = (outcome.claims, outcome.comparisons) if outcome is not None and outcome.comparisons else None
    declared = tuple(one for content in contents for one in content.summary.comparisons)
    return replace(found, declared=declared, control=claimed)


def _study(request: Request) -> StudyFrames:
    folders = run_folders([root for root in request.roots if root.exists() or len(request.roots) > 1])
    study = replace(read_study(folders).without_copies(), declared=request.comparisons)
    runs = study.runs
    for column, wanted in (("protocol", request.protocols), ("dataset", request.datasets)):
        if wanted:
            runs = runs[runs[column].isin(wanted)]
    if runs.empty:
        raise BenchError(_nothing(request))
    return study if len(runs) == len(study.runs) else study.select(runs["folder"])


def _nothing(request: Request) -> str:
    where = listed([str(root) for root in request.roots])
    asked = [f"protocol {name}" for name in request.protocols] + [
        f"dataset {name}" for name in request.datasets
    ]
    only = f" with {listed(asked)}" if asked else ""
    return f"There is nothing to report: no run{only} in {where}. Make one with: bench run --variant slot9"


def _write_tables(
    request: Request, found: Answers, contents: Sequence[GroupContent], study: StudyFrames
) -> None:
    tables: list[Table | None] = [
        *main_tables(found, contents),
        failures_table(study),
        published_table(study.runs["dataset"].dropna().unique()),
    ]
    for one in contents:
        tables += one.every()
    if "latex" in request.formats:
        for group in (one.group for one in contents):
            path = request.out / "tables" / f"{group.key}-card.tex"
            atomic.write_text(path, card_to_latex(f"{group.dataset}, {group.protocol}", card(group)))
    for name in request.formats:
        for table in tables if name in FORMATS else ():
            # For other programs what is missing keeps its column, with the reason; people get a sentence.
            shown = table if name == "csv" or table is None else without_gaps(table)
            if shown is not None:
                path = request.out / "tables" / f"{shown.key}.{SUFFIXES[name]}"
                atomic.write_text(path, FORMATS[name](shown))


def _markdown(
    study: StudyFrames,
    contents: Sequence[GroupContent],
    found: Answers,
    control: Sequence[str],
    notes: Sequence[str],
) -> str:
    parts = [text.verdict(answer_all(found))]
    parts += ["\n\n".join(text.table_text(table, level=2)) + "\n" for table in main_tables(found, contents)]
    for one in contents:
        tables = {
            key: [kept for table in every if (kept := without_gaps(table))]
            for key, every in one.tables.items()
        }
        name = f"{one.group.dataset}, protocol {one.group.protocol}"
        parts.append(text.group_text(name, one.summary, tables, one.drawings))
    parts += list(_closing(study, control, notes))
    return "\n".join([*parts, f"---\n\n{text.escape(colophon(study))}\n"])


def _closing(study: StudyFrames, control: Sequence[str], notes: Sequence[str]) -> Iterator[str]:
    if control:
        yield text.closing_text("A/A control", None, control)
    left_out = failures_table(study)
    if left_out:
        yield text.closing_text("Runs left out", left_out, ())
    published = published_table(sorted(study.runs["dataset"].dropna().unique()))
    if published:
        yield text.closing_text("Published results", without_gaps(published), ())
    said = (*notes, *(f"{run}: {warning}" for run, warning in run_remarks(study)))
    if said:
        yield text.closing_text("Remarks of the runs", None, said)
