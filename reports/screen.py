"""The first screen of the page as data: what was compared, the verdict, the distance plot."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.names import counted
from bench.runs.metrics import network, stem
from reports import metrics
from reports.comparability import Group
from reports.figures.tracks import Name, Panel, PanelRow, share_axis, share_track
from reports.frame import StudyFrames
from reports.numbers import grouped, listed
from reports.verdict.answers import Said, answer_all
from reports.verdict.model import Answers, Head, Mark
from reports.verdict.words import arrow, code, head_of, place_names

FEW_ROWS = 8
"""Rows of the plot from which on the pictures stand before it and its rows are lower."""
MOST_ROWS = 12
"""Trained variants from which on a panel shows some and unfolds the rest."""
BEST = 6


@dataclass(frozen=True)
class Screen:
    """Everything above the numbers."""

    study: str
    what: str
    said: Said
    panels: tuple[Panel, ...]
    key: tuple[tuple[str, str], ...]
    """(mark, what it says) of the marks that the plot has."""
    names: Mapping[str, Name]
    tight: bool
    """Whether the pictures stand before the plot."""
    notes: tuple[str, ...] = ()
    progress: int = 100
    """Per cent of the runs that are done."""


def screen(found: Answers, groups: Sequence[Group], study: StudyFrames, name: str = "") -> Screen:
    """The first screen of a report."""
    names = short_names(found, groups)
    panels = tuple(_panels(found, groups, names))
    lines = -(-len(panels) // 3)
    rows = lines * max((sum(not row.folded for row in panel.rows) for panel in panels), default=0)
    return Screen(
        name or _study_name(study),
        " · ".join(part for part in _what(found, groups, study) if part),
        answer_all(found),
        panels,
        tuple(_key(panels, found)),
        names,
        rows > FEW_ROWS,
        tuple(_warnings(found)),
        round(100 * found.runs_done / found.runs_planned) if found.runs_planned else 100,
    )


def short_names(found: Answers, groups: Sequence[Group]) -> dict[str, Name]:
    """Every variant of the report; parameters that all trained ones share are left out."""
    every = dict.fromkeys(name for group in groups for name in group.variants)
    inside = {name: _parameters(name) for name in every}
    trained = [inside[name] for name in found.trained if name in inside]
    shared = set.intersection(*map(set, trained)) if len(trained) > 1 else set()
    kinds = {name: kind for group in groups for name, kind in group.kinds.items()}
    marked = {name for group in groups for name in group.own_objectives}
    names = {}
    for name in every:
        base = name.partition("[")[0] if inside[name] else name
        kept = [part for part in inside[name] if part not in shared]
        base = f"{base} §" if name in marked else base
        names[name] = Name(base, ",".join(kept), _role(found, name, kinds.get(name, "variant")))
    return names


def _parameters(name: str) -> list[str]:
    """`slot9[init=kaiming,width=8]` -> its two parameters; none of a name that is not spelled so."""
    inside = name[:-1].partition("[")[2] if name.endswith("]") else ""
    parts = inside.split(",") if inside else []
    return parts if all("=" in part for part in parts) else []


def _role(found: Answers, name: str, kind: str) -> str:
    if name in found.systems:
        return found.systems[name]
    if name in found.untrained or name == "copy":
        return "untrained"
    if kind == "control":
        return "control"
    return "no attention" if head_of(found, name) is Head.NONE else ""


def _panels(found: Answers, groups: Sequence[Group], names: Mapping[str, Name]) -> Iterator[Panel]:
    folded = _folded(found)
    titles = place_names(found)
    for group in groups:
        tasks = [task for task in found.tasks if task.place == group.key]
        if not tasks:
            continue
        lowest = [task.lowest(found.trained) if len(found.trained) > 1 else None for task in tasks]
        rows = []
        for name in found.order:
            if not any(name in task.shares for task in tasks):
                continue
            tracks = tuple(
                share_track(task.shares[name], lowest=name == low, bold=name == task.best)
                if name in task.shares and task.shares[name].mark is not Mark.NONE
                else None
                for task, low in zip(tasks, lowest, strict=True)
            )
            kind = (
                "system" if name in found.systems else "untrained" if name in found.untrained else "trained"
            )
            if any(track is not None for track in tracks):
                rows.append(PanelRow(names[name], tracks, kind, name in folded))
        if not rows:  # of copies alone: the axis says all that there is
            continue
        axes = tuple(share_axis(task, found, arrow(group.dataset, task.direction)) for task in tasks)
        title = titles[group.protocol, group.dataset] if len(titles) > len(groups) else group.dataset
        if Counter(each.dataset for each in groups)[group.dataset] > 1:
            title = f"{group.dataset}, {group.protocol}"
        yield Panel(group.key, title, axes, tuple(rows))


def _folded(found: Answers) -> set[str]:
    """With many variants: all but the best, the reference, controls and the worst."""
    if len(found.trained) < MOST_ROWS:
        return set()
    kept = {*found.trained[:BEST], found.trained[-1], "spatial"}
    kept |= {name for name in found.trained if head_of(found, name) is Head.GIVEN}
    return set(found.trained) - kept


def shown_first(found: Answers) -> list[str]:
    """The variants that the first screen has room for, in order."""
    folded = _folded(found)
    return [name for name in found.order if name not in folded]


def _key(panels: Sequence[Panel], found: Answers) -> Iterator[tuple[str, str]]:
    tracks = [track for panel in panels for row in panel.rows for track in row.tracks if track]
    looks = {(track.colour, track.shape if track.shape != "beyond" else "", track.hollow) for track in tracks}
    solid = {(colour, hollow) for colour, _, hollow in looks}
    if ("below", False) in solid or ("above", False) in solid:
        yield "below", "nearer than a copy"
    holm = f", after Holm over {found.tests}" if found.tests > 1 else ""
    if any(track.colour == "open" and track.shape and not track.dashed for track in tracks):
        yield "open", f"not told apart{holm}"
    if ("above", False) in solid:
        yield "above", "farther"
    if {("below", True), ("above", True)} & solid:
        seeds = "in every seed, too few for a claim" if found.seeds[1] > 1 else "one seed, no claim"
        yield "each", f"nearer, farther: {seeds}"
    beyond = [track.hollow for track in tracks if track.shape == "beyond"]
    if beyond:
        yield "beyond-each" if all(beyond) else "beyond", "beyond 2"
    if any(track.dashed for track in tracks):
        yield "dashed", "still running"
    if any(row.kind == "untrained" for panel in panels for row in panel.rows):
        yield "plain", "untrained"
    if any(row.kind == "system" for panel in panels for row in panel.rows):
        yield "plain", "another system, not compared"
    if any(track.seeds for track in tracks):
        yield "seed", "a seed"
    if any(axis.floor for panel in panels for axis in panel.axes):
        yield "floor", "floor: real against real"
    if any(track.lowest for track in tracks):
        yield "lowest", "lowest of the trained"


def _warnings(found: Answers) -> Iterator[str]:
    names = place_names(found)
    for task in found.tasks:
        if task.warned and task.floor_share is not None:
            where = f"{names[task.protocol, task.dataset]} {arrow('', task.direction)}"
            yield (
                f"{where}: two sets of real images lie {task.floor_share:.2f} of a copy's distance apart, so "
                "a share says little there."
            )


def _study_name(study: StudyFrames) -> str:
    protocols = sorted({str(name).partition("[")[0] for name in study.runs["protocol"].dropna()})
    return listed(protocols) if len(protocols) <= 2 else counted(len(protocols), "protocol")


def _what(found: Answers, groups: Sequence[Group], study: StudyFrames) -> Iterator[str]:
    """What was compared, in one line."""
    who = [f"**{counted(len(found.trained), 'trained variant')}**"] if len(found.trained) != 1 else []
    who += [f"**{code(found.trained[0])}**"] if len(found.trained) == 1 else []
    who += [f"untrained {listed([code(name) for name in found.untrained[:2]])}"] if found.untrained else []
    who += [counted(len(found.systems), "other system")] if found.systems else []
    datasets = list(dict.fromkeys(group.dataset for group in groups))
    where = f"**{datasets[0]}**" if len(datasets) == 1 else f"**{len(datasets)} data sets**"
    both = {task.direction for task in found.tasks} == {"A2B", "B2A"}
    ways = ", both ways" if both else ""
    tasks = f": {len(found.tasks)} tasks" if len(found.tasks) > 2 else ""
    fewest, most = found.seeds
    several = " each" if len(found.trained) > 1 or len(datasets) > 1 else ""
    each = f", {counted(most, 'seed')}{several}" if most and fewest == most else ""
    each = f", {fewest} to {most} seeds" if fewest != most else each
    yield f"{listed(who)} on {where}{ways}{tasks}{each}"
    yield _schedule(study)
    titles = {metrics.title(task.key) for task in found.tasks}
    if len(titles) == 1:
        title = next(iter(titles))
        yield f"distance: {stem(title)} on {metrics.network_words(network(title) or '')}, lower is nearer"


def _schedule(study: StudyFrames) -> str:
    records = [record for record in study.records.values() if record.images_to_see]
    parts = []
    for get, said in (
        (lambda each: each.protocol.get("images", {}).get("size"), "{} px"),
        (lambda each: each.images_to_see, "{} images of each domain seen"),
    ):
        values = {get(record) for record in records} - {None}
        if len(values) == 1:
            parts.append(said.format(grouped(float(values.pop()))))
    names = sorted({record.cell.protocol for record in study.records.values()})
    if len(names) == 1:
        base, changes = protocol_name(names[0])
        more = f" [+{counted(len(changes), 'change')}](#how)" if changes else ""
        parts.append(f"protocol {code(base)}{more}")
    elif names:
        parts.append(counted(len(names), "protocol"))
    return ", ".join(parts)


def protocol_name(name: str) -> tuple[str, list[str]]:
    """`small[train.batch=2,...]` as its name and its changes."""
    base, _, inside = name.partition("[")
    return base, inside.rstrip("]").split(",") if inside else []
