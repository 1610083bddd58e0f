"""What a report holds of each comparison group, and in which fold of the page it stands."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reports import page
from reports.comparability import Group
from reports.comparisons import arrow_text
from reports.control import LEAD
from reports.figures.section import Drawing
from reports.figures.tracks import Axis, Panel, PanelRow, difference_panel, truth_track
from reports.findings import GroupSummary, summarise_group
from reports.frame import StudyFrames
from reports.galleries.model import Gallery
from reports.galleries.pictures import Pictures
from reports.galleries.sources import Shown, shown_runs
from reports.galleries.strip import first_look
from reports.numbers import listed
from reports.parts import galleries_of, tables_of
from reports.screen import protocol_name, screen, short_names, shown_first
from reports.tables.main import main_table
from reports.tables.model import Table
from reports.tables.published import published_table
from reports.tables.runs import failures_table, run_remarks
from reports.tables.scores import DIRECTIONS
from reports.verdict.folds import fold_answers
from reports.verdict.model import Answers
from reports.verdict.words import arrow

FOLDS = {
    "nearer": ("distances",),
    "kept": ("faithfulness",),
    "attend": ("masks",),
    "cost": ("cost", "ablation"),
    "how": ("losses",),
}


@dataclass(frozen=True)
class GroupContent:
    """Everything counted and drawn for one comparison group."""

    group: Group
    summary: GroupSummary
    tables: Mapping[str, Sequence[Table]]
    drawings: tuple[Drawing, ...] = ()
    shown: tuple[Shown, ...] = ()
    pictured: bool = False
    """Whether its pictures were asked for."""
    galleries: tuple[Gallery, ...] = ()

    def every(self) -> Iterator[Table]:
        """All tables but the main one."""
        for found in self.tables.values():
            yield from found


def content(group: Group, pictures: Pictures, *, pictured: bool) -> GroupContent:
    """Counted for every format, with pictures for the page alone; its figures are drawn elsewhere."""
    tables: dict[str, list[Table]] = {}
    for section, table in tables_of(group):
        tables.setdefault(section, []).append(table)
    shown = shown_runs(group) if pictured else []
    galleries = tuple(galleries_of(group, shown, pictures)) if pictured else ()
    return GroupContent(group, summarise_group(group), tables, (), tuple(shown), pictured, galleries)


def main_tables(found: Answers, contents: Sequence[GroupContent]) -> list[Table]:
    """The main table of every group that has any number."""
    made = (main_table(one.group, found) for one in contents)
    return [table for table in made if table.rows and table.columns]


def page_of(
    found: Answers,
    study: StudyFrames,
    contents: Sequence[GroupContent],
    pictures: Pictures,
    control: Sequence[str],
    notes: Sequence[str],
    name: str,
) -> page.Page:
    """The page of a report. `notes` are what a reader should know of the choice of runs."""
    groups = [one.group for one in contents]
    top = screen(found, groups, study, name)
    pictured = {one.group.key: (one.group, list(one.shown)) for one in contents if one.shown}
    look = first_look(found, pictured, shown_first(found), pictures)
    titles = {panel.key: panel.title for panel in top.panels}
    galleries = tuple(
        (titles.get(one.group.key, one.group.dataset), front)
        for one in contents
        if (front := tuple(each for each in one.galleries if _in_front(each)))
    )
    said = fold_answers(found, groups)
    blocks = {key: tuple(_blocks(key, found, contents, titles)) for key in FOLDS}
    blocks["sure"] = tuple(_sure(found, contents, titles, control))
    blocks["how"] = (*_how(study, contents, titles, notes), *blocks["how"])
    folds = tuple(
        page.Fold(key, said[key], tuple(block for block in blocks[key] if block))
        for key in said
        if any(blocks[key])
    )
    tables = main_tables(found, contents)
    lead, bare = page.read_once(tables)
    numbers = tuple((shown, page.sources(table)) for shown, table in zip(bare, tables, strict=True))
    absent = " ".join(_without_pictures(contents))
    return page.Page(top, look, numbers, lead, galleries, folds, colophon(study), absent)


def _without_pictures(contents: Sequence[GroupContent]) -> Iterator[str]:
    """Of which data sets no picture is shown, and why."""
    short = _titles_of(contents)
    left_out = [short[one.group.key] for one in contents if not one.pictured]
    kept_none = [short[one.group.key] for one in contents if one.pictured and not one.shown]
    if left_out:
        yield f"Pictures of {listed(left_out)} are left out of this page (`--pictures`)."
    if kept_none:
        yield (
            f"The run folders of {listed(kept_none)} hold no pictures; a run writes them to `samples/`, and "
            "records kept without images have none."
        )


def _titles_of(contents: Sequence[GroupContent]) -> dict[str, str]:
    """Key of a group -> its data set, with the protocol where two groups share one."""
    counts = Counter(one.group.dataset for one in contents)
    return {
        one.group.key: one.group.dataset
        if counts[one.group.dataset] == 1
        else f"{one.group.dataset} ({one.group.protocol})"
        for one in contents
    }


def _in_front(gallery: Gallery) -> bool:
    return gallery.section in ("gallery", "masks") and not gallery.folded


def _blocks(
    key: str, found: Answers, contents: Sequence[GroupContent], titles: Mapping[str, str]
) -> Iterator[page.Block]:
    """What a fold holds of every group."""
    for one in contents:
        tables = [table for section in FOLDS[key] for table in one.tables.get(section, ())]
        drawn = [
            page.drawing_view(drawing)
            for drawing in one.drawings
            if drawing.section in FOLDS[key] and drawing.on_page
        ]
        title = titles.get(one.group.key, one.group.dataset)
        truth = _truth(found, one.group, title) if key == "kept" else None
        yield page.Block(
            f"{one.group.key}-{key}",
            title if len(contents) > 1 else "",
            panels=(truth,) if truth else (),
            tables=page.tables_with_values([table for table in tables if not table.folded]),
            drawings=tuple(drawn),
            more=page.tables_with_values([table for table in tables if table.folded]),
            galleries=tuple(each for each in one.galleries if _fold_of(each) == key and not _in_front(each)),
        )


def _fold_of(gallery: Gallery) -> str:
    return {"masks": "attend", "training": "how"}.get(gallery.section, "kept")


def _sure(
    found: Answers, contents: Sequence[GroupContent], titles: Mapping[str, str], control: Sequence[str]
) -> Iterator[page.Block]:
    """The declared comparisons as a plot and in full, what could not be told, and the A/A control."""
    lead = (
        "Differences between two variants as a share of a copy's distance; left of the line the first is "
        "nearer the target. Filled: supported, after Holm over the comparisons of a data set; hollow: not. "
        "Bars: 95 % intervals from 5 seeds on, else the range of the seeds."
    )
    yield page.Block("sure", lines=(lead,) if found.declared else ())
    for one in contents:
        summary, group = one.summary, one.group
        tasks = [task for task in found.tasks if task.place == group.key]
        copies = {arrow_text(task.direction): task.copy for task in tasks}
        headings = {arrow_text(task.direction): arrow(group.dataset, task.direction) for task in tasks}
        title = titles.get(group.key, group.dataset)
        panel = difference_panel(
            f"{group.key}-differences", title, summary.comparisons, copies, headings, group.study.declared
        )
        yield page.Block(
            f"{group.key}-sure",
            "" if panel else title,
            (*(each.sentence for each in summary.headlines), *summary.not_told),
            tuple(each.sentence for each in summary.found),
            (panel,) if panel else (),
        )
    if control:
        yield page.Block("control", "A/A control", (LEAD, control[0]), tuple(control[1:]))


def _truth(found: Answers, group: Group, title: str) -> Panel | None:
    """How far translations lie from the true ones, where these are known: means, held against no test."""
    every = group.chosen["last"]
    every = every[every["metric"] == "counterfactual_l1"]
    copies = {each: group.reference(every[every["direction"] == each], "ceiling") for each in DIRECTIONS}
    known = {each: copy for each, copy in copies.items() if copy}
    names = short_names(found, [group])
    rows = []
    for name in found.order if known else ():
        tracks = []
        for direction, copy in known.items():
            summary = group.summary("counterfactual_l1", direction, name)
            bounds = None if summary is None else summary.interval()
            tracks.append(None if summary is None else truth_track(summary.mean, bounds, copy))
        if any(tracks):
            kind = "trained" if name in found.trained else "untrained"
            rows.append(PanelRow(names[name], tuple(tracks), kind))
    if not rows:
        return None
    axes = tuple(Axis(arrow(group.dataset, direction)) for direction in known)
    return Panel(f"{group.key}-truth", f"{title}: L1 to the true translation, levels", axes, tuple(rows))


def _how(
    study: StudyFrames, contents: Sequence[GroupContent], titles: Mapping[str, str], notes: Sequence[str]
) -> Iterator[page.Block]:
    """What was run, under which rules, what is missing, and what the runs remark."""
    names = sorted({record.cell.protocol for record in study.records.values()})
    rules = []
    for name in names:
        base, changes = protocol_name(name)
        rules += (
            [f"Protocol `{base}` with {', '.join(f'`{change}`' for change in changes)}."] if changes else []
        )
    yield page.Block("how-rules", lines=tuple(rules))
    for one in contents:
        lines = (*one.summary.compared, *one.summary.schedule)
        title = titles.get(one.group.key, one.group.dataset) if len(contents) > 1 else ""
        yield page.Block(f"{one.group.key}-how", title, lines)
    left_out = failures_table(study)
    if left_out:
        yield page.Block("left-out", "Runs left out", tables=(left_out,))
    published = published_table(sorted(study.runs["dataset"].dropna().unique()))
    if published:
        yield page.Block(
            "published-results",
            "Published results, not measured here",
            more=page.tables_with_values([published]),
        )
    said = (*notes, *(f"{run}: {warning}" for run, warning in run_remarks(study)))
    if said:
        yield page.Block("remarks", "Remarks of the runs", tuple(said))


def colophon(study: StudyFrames) -> str:
    """Software and machines of the runs."""
    environments = [record.environment for record in study.records.values()]
    if not environments:
        if study.runs["status"].eq("external").all():
            return "Made by bench report from scores of images alone: no run is among them."
        return "No run record could be read."
    versions = sorted({f"bench {one.bench}, torch {one.versions.get('torch', '?')}" for one in environments})
    commits = sorted(
        {f"{(one.git_commit or 'unknown')[:12]}{' + changes' * bool(one.git_dirty)}" for one in environments}
    )
    machines = sorted({one.device_name or one.cpu for one in environments})
    return (
        f"Made by bench report from run folders alone. Software of the runs: {'; '.join(versions)}; commit "
        f"{', '.join(commits)}. Machines: {'; '.join(machines)}. Numbers for other programs: results.json."
    )
