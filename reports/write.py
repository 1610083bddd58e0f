"""The report on disk: index.html, report.md, results.json, tables/, figures/; no file is ever half."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.ballot.records import BallotCount
from bench.errors import BenchError, UsageError
from bench.names import unknown_name
from bench.runs import atomic
from reports import metrics, page, text
from reports.comparability import Group, groups
from reports.control import LEAD, Controlled, DeclaredControl, controlled
from reports.figures.section import Drawing, drawings
from reports.findings import Summary, summarise_group
from reports.frame import Study, read_study, run_folders
from reports.galleries.extremes import extreme_galleries
from reports.galleries.masks import mask_galleries
from reports.galleries.model import Gallery
from reports.galleries.outputs import output_galleries
from reports.galleries.pictures import Pictures
from reports.galleries.sources import shown_runs
from reports.galleries.time_lapse import time_lapses
from reports.numbers import counted, grouped, listed
from reports.order import ordered_variants
from reports.results import results
from reports.shown_pictures import ShownPictures
from reports.tables.ablation import ablation_tables
from reports.tables.ballot import ballot_tables, ballots
from reports.tables.comma_separated import to_csv
from reports.tables.cost import cost_table
from reports.tables.latex import card_to_latex, to_latex
from reports.tables.main import main_table
from reports.tables.markdown import to_markdown
from reports.tables.measurements import measurement_tables
from reports.tables.model import Table
from reports.tables.overview import overview_table
from reports.tables.published import published_table
from reports.tables.runs import failures_table, remarks
from reports.tables.scores import card
from reports.verdict.answers import say
from reports.verdict.model import Answers
from reports.verdict.shares import answers

Closing = tuple[str, str, str, Table | None, tuple[str, ...]]
"""(key, title, lead, table, lines) of a section after the last group."""
FORMATS = {"md": to_markdown, "latex": to_latex, "csv": to_csv}
SUFFIXES = {"md": "md", "latex": "tex", "csv": "csv"}
ALL_FORMATS = ("md", "html", "latex", "csv")
IN_FRONT = {"faithfulness": ("faithfulness", "truth"), "masks": ("masks",)}
FOLDED = {"faithfulness": ("artefacts",), "masks": ("mask-grids",), "distances": ("sets",)}


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


@dataclass(frozen=True)
class GroupContent:
    """Everything counted and drawn for one comparison group."""

    group: Group
    summary: Summary
    tables: dict[str, list[Table]]
    more: dict[str, list[Table]]
    drawings: tuple[Drawing, ...]
    galleries: tuple[Gallery, ...] = field(default=())


def write_report(request: Request) -> Path:
    """Write the report of all runs below the roots; returns the path of its page (or of report.md).

    Raises UsageError for runs of different schedules, BenchError where there is nothing to report.
    """
    atomic.require_writable(request.out, "--out")
    study = _study(request)
    stated = groups(study, allow_different_schedules=request.allow_different_schedules)
    found = answers(stated, request.planned)
    shown = [replace(group, order=found.order) for group in stated]
    if not shown and failures_table(study) is None:
        raise BenchError(_nothing(request))
    pictures = Pictures()
    by_eye, unread = ballots(request.roots)
    contents = [_content(group, pictures, request, by_eye) for group in shown]
    control = controlled(request.control, shown) if request.control else Controlled(())
    found = _told(found, contents, control)
    _write_tables(request, contents, study)
    for content in contents:
        for drawing in content.drawings:
            atomic.write_bytes(request.out / "figures" / f"{drawing.key}.png", drawing.png)
            atomic.write_bytes(request.out / "figures" / f"{drawing.key}.svg", drawing.svg)
    closing = (*_control(control.lines), *_closing(study, (*request.remarks, *unread)))
    told = results(shown, [one.summary for one in contents], study, found, control.lines)
    atomic.write_text(request.out / "results.json", told.model_dump_json(indent=1) + "\n")
    main = request.out / "results.json"
    if "md" in request.formats:
        main = request.out / "report.md"
        atomic.write_text(main, _markdown(study, contents, closing, found))
    if "html" in request.formats:
        main = request.out / "index.html"
        atomic.write_text(main, page.render(_page(study, contents, closing), pictures, request.refresh))
    return main


def _told(found: Answers, contents: Sequence[GroupContent], control: Controlled) -> Answers:
    """The answers with the comparisons that were declared and the control of the study."""
    outcome = control.outcome
    claimed = (outcome.claims, outcome.comparisons) if outcome is not None and outcome.comparisons else None
    declared = tuple(one for content in contents for one in content.summary.comparisons)
    return replace(found, declared=declared, control=claimed)


def _study(request: Request) -> Study:
    folders = run_folders([root for root in request.roots if root.exists() or len(request.roots) > 1])
    study = replace(read_study(folders), declared=request.comparisons)
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


def _content(
    group: Group, pictures: Pictures, request: Request, by_eye: Sequence[BallotCount]
) -> GroupContent:
    """Counted for every format, drawn for those that show figures, with pictures for the page alone."""
    of_name = {name: measurement_tables(group, name) for name in metrics.TABLES}
    tables = {
        section: [table for name in names for table in of_name[name]] for section, names in IN_FRONT.items()
    }
    tables |= {
        "distances": [main_table(group), *ballot_tables(group, by_eye)],
        "cost": [cost_table(group)],
        "ablation": ablation_tables(group),
    }
    more = {
        section: [table for name in names for table in of_name[name]] for section, names in FOLDED.items()
    }
    if "validation" in set(group.study.scores["selection"]):
        more["distances"].insert(0, main_table(group, "validation"))
    with_pictures = "html" in request.formats and request.pictures.of(group)
    shown = tuple(_galleries(group, pictures)) if with_pictures else ()
    drawn = tuple(drawings(group)) if {"html", "md"} & set(request.formats) else ()
    return GroupContent(group, summarise_group(group), tables, more, drawn, shown)


def _galleries(group: Group, pictures: Pictures) -> Iterator[Gallery]:
    shown = shown_runs(group)
    yield from output_galleries(group, shown, pictures)
    yield from extreme_galleries(group, shown, pictures)
    yield from mask_galleries(group, shown, pictures)
    yield from time_lapses(group, shown, pictures)


def _overviews(contents: Sequence[GroupContent]) -> list[Table]:
    by_protocol: dict[str, list[Group]] = {}
    for content in contents:
        by_protocol.setdefault(content.group.protocol, []).append(content.group)
    made = (overview_table(protocol, found) for protocol, found in by_protocol.items())
    return [table for table in made if table is not None]


def _write_tables(request: Request, contents: Sequence[GroupContent], study: Study) -> None:
    tables = [
        *_overviews(contents),
        failures_table(study),
        published_table(study.runs["dataset"].dropna().unique()),
    ]
    for content in contents:
        for found in (*content.tables.values(), *content.more.values()):
            tables += found
    if "latex" in request.formats:
        for group in (content.group for content in contents):
            path = request.out / "tables" / f"{group.key}-card.tex"
            atomic.write_text(path, card_to_latex(f"{group.dataset}, {group.protocol}", card(group)))
    for name in request.formats:
        if name in FORMATS:
            for table in tables:
                if table is not None:
                    path = request.out / "tables" / f"{table.key}.{SUFFIXES[name]}"
                    atomic.write_text(path, FORMATS[name](table))


def _title(study: Study) -> tuple[str, str]:
    """The title of the report and the sentence under it."""
    runs = study.runs
    variants, datasets = ordered_variants(runs), sorted(runs["dataset"].dropna().unique())
    few = 0 < len(variants) <= 3 and sum(map(len, variants)) <= 40
    what = listed(variants) if few else counted(len(variants), "variant")
    where = listed(datasets) if len(datasets) <= 3 else counted(len(datasets), "data set")
    lede = (
        "Generators for unpaired image-to-image translation, trained under one schedule per table, measured "
        "alike, and claimed no more of than their seeds support."
    )
    return (f"{what} on {where}" if datasets else "Runs that cannot be read"), lede


def _number_of(number: int, noun: str) -> tuple[str, str]:
    told, _, label = counted(number, noun).partition(" ")
    return label, told


def _facts(study: Study) -> tuple[tuple[str, str], ...]:
    external = study.runs["status"] == "external"
    runs = study.runs[~external]
    done = int((runs["status"].eq("done") & runs["scored"].fillna(False).astype(bool)).sum())
    facts = [
        _number_of(runs["variant"].nunique(), "variant"),
        _number_of(runs["dataset"].nunique(), "data set"),
        _number_of(runs["seed"].nunique(), "seed"),
        ("runs scored", f"{done} of {len(runs)}"),
    ]
    if external.any():
        label = "program's images" if external.sum() == 1 else "programs' images"
        facts.append((f"other {label}", str(int(external.sum()))))
    trained = runs[runs["images_to_see"].fillna(0) > 0]
    seen = trained["images_to_see"].unique()
    if len(seen) == 1:
        facts.append(("images of each domain seen", grouped(float(seen[0]))))
    return tuple(facts)


def _names(contents: Sequence[GroupContent]) -> dict[str, str]:
    """Group -> its name on the page: the data set, with the protocol where several share it."""
    datasets = [one.group.dataset for one in contents]
    return {
        one.group.key: one.group.dataset
        if datasets.count(one.group.dataset) == 1
        else f"{one.group.dataset}, {one.group.protocol}"
        for one in contents
    }


def _page(study: Study, contents: Sequence[GroupContent], last: Sequence[Closing]) -> page.Page:
    title, lede = _title(study)
    names = _names(contents)
    views = tuple(
        page.group_view(
            one.group, names[one.group.key], one.summary, one.tables, one.more, one.drawings, one.galleries
        )
        for one in contents
    )
    overviews = tuple(page.table_view(table)[0] for table in _overviews(contents))
    closing = tuple(
        page.Section(key, name, lead, (page.table_view(table),) if table else (), lines=lines)
        for key, name, lead, table, lines in last
    )
    short = ()
    return page.Page(title, lede, _facts(study), short, overviews, views, closing, _colophon(study))


def _control(lines: tuple[str, ...]) -> Iterator[Closing]:
    if lines:
        yield "control-section", "A/A control", LEAD, None, lines


def _closing(study: Study, of_the_choice: Sequence[str]) -> Iterator[Closing]:
    left_out = failures_table(study)
    if left_out:
        lead = "They stay in every count of runs; no value of theirs is made up."
        yield "runs-left-out-section", "Runs left out", lead, left_out, ()
    published = published_table(sorted(study.runs["dataset"].dropna().unique()))
    if published:
        yield "published-section", "Published results", "Not measured here.", published, ()
    said = (*of_the_choice, *(f"{run}: {warning}" for run, warning in remarks(study)))
    if said:
        yield "remarks-section", "Remarks of the runs", "", None, said


def _colophon(study: Study) -> str:
    environments = [record.environment for record in study.records.values()]
    versions = sorted({f"bench {one.bench}, torch {one.versions.get('torch', '?')}" for one in environments})
    commits = sorted(
        {f"{(one.git_commit or 'unknown')[:12]}{' + changes' * bool(one.git_dirty)}" for one in environments}
    )
    machines = sorted({one.device_name or one.cpu for one in environments})
    if not environments:
        return "No run record could be read."
    return (
        f"Made by bench report from run folders alone. Software of the runs: {'; '.join(versions)}; commit "
        f"{', '.join(commits)}. Machines: {'; '.join(machines)}. Numbers for other programs: results.json."
    )


def _markdown(study: Study, contents: Sequence[GroupContent], last: Sequence[Closing], found: Answers) -> str:
    parts = [text.verdict(say(found))]
    parts += ["\n\n".join(text.table_text(table)) + "\n" for table in _overviews(contents)]
    for one in contents:
        tables = {key: one.tables.get(key, []) + one.more.get(key, []) for key in page.SECTIONS}
        name = f"{one.group.dataset}, protocol {one.group.protocol}"
        parts.append(text.group_text(name, one.summary, tables, one.drawings))
    parts += [text.closing_text(title, table, lines) for _, title, _, table, lines in last]
    return "\n".join([*parts, f"---\n\n{text.escape(_colophon(study))}\n"])
