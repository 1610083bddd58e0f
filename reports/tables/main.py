"""The main table of a data set: distance and share of a copy's, attention, edges kept, cost.

The same columns stand on the page, in report.md and in LaTeX. Values have the unit of all tables; the share
beside them is what compares across data sets.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reports import metrics
from reports.comparability import Group
from reports.comparisons import arrow_text
from reports.numbers import fixed, grouped
from reports.summaries import spread_rule
from reports.tables.distances import cost_column, headline_metric, time_unit
from reports.tables.model import Cell, Column, Row, Table, missing
from reports.tables.scores import (
    DIRECTIONS,
    card,
    own_objectives,
    row_title,
    score_column,
)
from reports.verdict.model import COPY, DECIDED, Answers, Attention, Head, Task
from reports.verdict.words import arrow, head_words, share_number

Place = tuple[Column, dict[str, Cell], Cell, Cell]
"""A column: its cells by variant, that of a copy and that of the floor."""


def main_table(group: Group, found: Answers) -> Table:
    """The page's table of a data set: distance and share of a copy's, attention, edges kept, cost."""
    tasks = {task.direction: task for task in found.tasks if task.place == group.key}
    columns: list[Place] = []
    for direction in DIRECTIONS:
        where = arrow(group.dataset, direction)
        task = tasks.get(direction)
        columns += _of_copy(group, task, where) if task else _alone(group, direction, where)
    columns += _attention(group, found)
    columns += _edges(group)
    unit, seconds = time_unit(group)
    short = unit.partition(" ")[2].strip("[]")
    for name, title, scale, digits in (("gflop", "GFLOP", 1.0, 2), ("seconds_training", short, seconds, 1)):
        one = cost_column(group, name, title, scale, "")
        if any(cell.value for cell in one.cells.values()):
            cells = {each: _plain(cell, digits) for each, cell in one.cells.items()}
            columns.append((one.column, cells, Cell("0", 0.0), Cell("")))
    shown = [
        name for name in group.variants if any(cells[name].value is not None for _, cells, _, _ in columns)
    ]
    shown = [name for name in shown if name != COPY]
    rows = [
        Row(
            row_title(group, name),
            tuple(cells[name] for _, cells, _, _ in columns),
            _role(group, found, name),
        )
        for name in shown
    ]
    if any(copy.text or floor.text for _, _, copy, floor in columns):
        rows.append(Row("copy of the input", tuple(copy for _, _, copy, _ in columns), "ceiling"))
    if any(floor.text for _, _, _, floor in columns):
        rows.append(Row("floor: real against real", tuple(floor for _, _, _, floor in columns), "floor"))
    counts = [
        task.shares[name].done for task in tasks.values() for name in found.trained if name in task.shares
    ]
    caption = " ".join(
        part for part in (*_how_to_read(found, tasks, counts), own_objectives([group])) if part
    )
    return Table(
        f"{group.key}-main-last",
        group.dataset,
        "variant",
        tuple(c for c, _, _, _ in columns),
        tuple(rows),
        caption,
        card(group),
    )


def _role(group: Group, found: Answers, name: str) -> str:
    if name in found.systems:
        return "external"
    return "untrained" if name in found.untrained else group.kinds[name]


def _of_copy(group: Group, task: Task, where: str) -> list[Place]:
    """Two columns of a task: the value, in the unit of all tables, and its share of a copy's."""
    factor = metrics.scale(task.key)
    digits = max(0, 2 - math.floor(math.log10(factor * task.copy)))
    title = _titled(task.key, where)
    values, shares = {}, {}
    for name in group.variants:
        share = task.shares.get(name)
        if share is None or share.found is None:
            why = missing(share.mark.value.capitalize() + "." if share else "Not a row.")
            values[name] = shares[name] = why
            continue
        bold = task.best == name
        points = tuple(factor * value for value in share.found.by_seed)
        values[name] = Cell(
            fixed(factor * share.found.mean, digits),
            factor * share.found.mean,
            bold,
            None,
            share.found.spread(digits, factor),
            points,
        )
        shares[name] = Cell(
            share_number(share.mean or 0.0), share.mean, bold, points=share.by_seed, kind=share.mark.value
        )
    floor = Cell("") if task.floor is None else Cell(fixed(factor * task.floor, digits), factor * task.floor)
    floor_share = (
        Cell("")
        if task.floor_share is None
        else Cell(share_number(max(0.0, task.floor_share)), task.floor_share)
    )
    copied = Cell(fixed(factor * task.copy, digits), factor * task.copy)
    key = f"{task.direction}-{task.key}"
    return [
        (Column(key, "value", title, "down"), values, copied, floor),
        (Column(f"{key}-share", "of a copy", title, "down"), shares, Cell("1", 1.0), floor_share),
    ]


def _alone(group: Group, direction: str, where: str) -> list[Place]:
    """The value's column where a copy has no distance above 0 and so nothing has a share of it."""
    key = headline_metric(group)
    one = score_column(group, key, direction, "last", bold=False) if key else None
    if key is None or one is None or all(cell.value is None for cell in one.cells.values()):
        return []
    return [
        (
            Column(f"{direction}-{key}", "value", _titled(key, where), "down"),
            one.cells,
            one.ceiling,
            one.floor,
        )
    ]


def _titled(key: str, where: str) -> str:
    """What a column of a distance is, with its factor."""
    factor = metrics.scale(key)
    return f"{metrics.title(key)}{'' if factor == 1 else f' ×{grouped(factor)}'}, {where}"


def _attention(group: Group, found: Answers) -> list[Place]:
    """What the masks are, and how far the output moves without them."""
    known = {name: found.attention.get(name, Attention(Head.NONE)) for name in group.variants}
    if all(one.head in (Head.NONE, Head.UNKNOWN) for one in known.values()):
        return []
    words, moves = {}, {}
    for name, one in known.items():
        words[name] = Cell(head_words(one), kind=f"head-{one.head.value}")
        effects = [one.effects.get((group.key, direction)) for direction in DIRECTIONS]
        told = [value for value in effects if value is not None and one.head not in (Head.GIVEN, Head.NONE)]
        moves[name] = Cell(" / ".join(fixed(value, 1) for value in told), told[0] if told else None)
    help_text = (
        "Mean change of the output, in levels of 255, when every mask is replaced by its mean over space"
    )
    none = Cell("")
    return [
        (Column("head", "state", "attention", numeric=False), words, none, none),
        (Column("effect", "moves output", "attention", help=help_text), moves, none, none),
    ]


def _edges(group: Group) -> list[Place]:
    """How much of the edges of its input a variant keeps: no arrow, the truth itself keeps less than all."""
    made = []
    truth = "counterfactual_l1" in set(group.study.scores.loc[group.study.scores["value"].notna(), "metric"])
    for direction in DIRECTIONS:
        one = score_column(group, "edge_correlation", direction, "last", bold=False)
        if not any(cell.value is not None for cell in one.cells.values()):
            continue
        cells = {name: _plain(cell, 2) for name, cell in one.cells.items()}
        kept = _plain(one.floor, 2)
        floor = replace(kept, text=f"{kept.text} truth") if truth and kept.value is not None else Cell("")
        made.append(
            (Column(f"edges-{direction}", arrow_text(direction), "edges kept"), cells, Cell("1", 1.0), floor)
        )
    return made


def _plain(cell: Cell, digits: int) -> Cell:
    """A cell with so many decimals and no spread; a cost that they would show as nothing is not nothing."""
    if cell.value is None:
        return cell
    if cell.value and round(abs(cell.value), digits) == 0:
        return replace(cell, text=f"<{fixed(10**-digits, digits)}", spread="")
    return replace(cell, text=fixed(cell.value, digits) if cell.value else "0", spread="")


def _how_to_read(found: Answers, tasks: Mapping[str, Task], counts: Sequence[int]) -> Iterator[str]:
    known = [count for count in counts if count]
    if not tasks or not known:
        yield "No trained variant has a distance here yet." if found.trained else ""
        return
    rule = spread_rule(min(known), max(known))
    yield f"{rule[0].upper()}{rule[1:]}. Of a copy: the share of what copying the input gets."
    if found.claims:
        yield f"● nearer, ◆ farther, ○ not told apart from a copy: paired, Holm over {found.tests} results."
        if not any(task.best for task in tasks.values()):
            yield "Bold would be a variant told apart from every other trained one; here is none."
        else:
            yield "Bold: told apart from every other trained variant."
    elif any(task.marked(DECIDED, found.trained) for task in tasks.values()):
        each = " in every seed" if found.seeds[1] > 1 else ""
        yield f"(●) nearer, (◆) farther than a copy{each}, ○ neither: too few seeds for a claim."
    for direction, task in tasks.items():
        if task.warned and task.floor_share is not None:
            far = share_number(task.floor_share)
            yield f"{arrow_text(direction)}: real images lie {far} of a copy apart, so shares say little."
