"""What a report answers, as numbers: every variant held against copying the input, task by task.

A task is one direction of one data set. The unit is the share of a copy's distance: 0 is the target domain, 1
the input returned as it is. Each trained variant is compared with a copy by the paired statistics of all the
rest (seeds and, where the run folders keep features, test images), corrected by Holm over all these results:
marks, headline and tables follow that one verdict. `copy` need not have been run.

Images of other programs, baselines with an objective of their own and runs of another schedule are systems:
they are shown, and neither counted nor called best.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from bench.comparing.sides import sides_against_copy
from bench.runs.folder import RunFolder
from bench.runs.metrics import DEAD_DEVIATION
from bench.runs.records import Direction
from bench.statistics import Comparison, Pair, Verdict, compare
from reports import metrics
from reports.comparability import Group
from reports.comparisons import arrow_text, compare_column, winner
from reports.summaries import Summary
from reports.tables.distances import headline_metric
from reports.tables.scores import DIRECTIONS
from reports.verdict.model import COPY, DECIDED, UNCHANGED, Answers, Attention, Head, Mark, Share, Task


def answers(groups: Sequence[Group], expected: Mapping[tuple[str, str, str], int] | None = None) -> Answers:
    """The answers of some comparison groups.

    `expected` holds (protocol, data set, variant) -> seeds that were planned; where nothing was planned, the
    seeds of a variant are those that have a run folder.
    """
    systems = _systems(groups)
    trained = _unique(v for g in groups for v in g.stated if v in g.trained and v not in systems)
    untrained = _unique(v for g in groups for v in g.stated if v not in (*trained, *systems, COPY))
    bare = [task for group in groups for task in _tasks(group, systems, expected or {})]
    unheld = not bare and any(_measured(group, variant) for group in groups for variant in trained)
    gone = {v for v in trained if all(t.shares[v].mark is Mark.NONE for t in bare if v in t.shares)}
    trained = [variant for variant in trained if variant not in gone]
    untrained = [variant for variant in untrained if variant not in gone]
    by_key = {group.key: group for group in groups}
    tested = _against_copy(by_key, bare, trained)
    tasks = tuple(_ranked(by_key[task.place], task, trained) for task in tested)
    found = Answers(
        tasks,
        tuple(_by_share(trained, tasks)),
        tuple(untrained),
        systems,
        {variant: attention_of(groups, variant) for variant in (*trained, *systems)},
        _unchanged(groups, trained),
    )
    done, planned, going = _progress(groups, expected or {})
    return replace(found, runs_done=done, runs_planned=planned, running=going, without_shares=unheld)


def _measured(group: Group, variant: str) -> bool:
    """Whether a variant has the distance that the page counts in."""
    key = headline_metric(group)
    return key is not None and any(group.summary(key, direction, variant) for direction in DIRECTIONS)


def _unique(names: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _systems(groups: Sequence[Group]) -> dict[str, str]:
    """What is shown and not counted, with the reason in a few words."""
    found: dict[str, str] = {}
    for group in groups:
        found |= {variant: "another program" for variant in group.stated if variant in group.external}
        found |= {variant: f"own objective {own}" for variant, own in group.own_objectives.items()}
        found |= {variant: "another schedule" for variant in group.stated if group.marked(variant)}
    return found


def _tasks(
    group: Group, systems: Mapping[str, str], expected: Mapping[tuple[str, str, str], int]
) -> Iterator[Task]:
    """The tasks of a group whose copy has a distance; marks are those that need no statistics."""
    key = headline_metric(group)
    scores = group.chosen["last"]
    for direction in DIRECTIONS if key else ():
        rows = scores[(scores["metric"] == key) & (scores["direction"] == direction)]
        copy = group.reference(rows, "ceiling")
        if key is None:
            continue
        if copy is None:
            found = group.summary(key, direction, COPY)
            copy = None if found is None else found.mean
        if copy is None or copy <= 0:
            continue
        shares = {}
        for variant in group.stated:
            if variant == COPY:
                continue
            found = group.summary(key, direction, variant)
            shares[variant] = _share(group, variant, found, copy, systems, expected)
        floor = group.reference(rows, "floor")
        yield Task(group.key, group.protocol, group.dataset, direction, key, copy, floor, shares)


def _share(
    group: Group,
    variant: str,
    found: Summary | None,
    copy: float,
    systems: Mapping[str, str],
    expected: Mapping[tuple[str, str, str], int],
) -> Share:
    runs = group.runs_of(variant)
    going = runs["status"].eq("running").any()
    done = 0 if found is None else found.n
    wanted = max(expected.get((group.protocol, group.dataset, variant), 0), len(runs))
    unfinished = bool(going or wanted > len(runs)) and done < wanted
    if found is None:
        return Share(variant, Mark.WAITING if unfinished else Mark.NONE, expected=wanted)
    bounds = found.interval() or (min(found.by_seed), max(found.by_seed))
    placed = Share(
        variant,
        Mark.OPEN,
        found,
        copy,
        (bounds[0] / copy, bounds[1] / copy) if found.n > 1 else None,
        done,
        wanted,
    )
    if variant in group.trained and variant not in systems:
        return replace(placed, mark=Mark.RUNNING) if unfinished else placed
    return replace(placed, mark=Mark.VALUE)


def _against_copy(groups: Mapping[str, Group], tasks: Sequence[Task], trained: Sequence[str]) -> list[Task]:
    """The tasks, every finished result of a trained variant compared with a copy, Holm over all."""
    places = [
        (at, variant)
        for at, task in enumerate(tasks)
        for variant in trained
        if variant in task.shares and task.shares[variant].mark is Mark.OPEN
    ]
    outcomes = compare([_pair(groups[tasks[at].place], tasks[at], variant) for at, variant in places])
    made = [dict(task.shares) for task in tasks]
    for (at, variant), outcome in zip(places, outcomes, strict=True):
        copies = _returns_input(groups[tasks[at].place], variant, tasks[at].direction)
        mark = Mark.COPIES if copies else _mark(outcome)
        made[at][variant] = replace(made[at][variant], mark=mark, comparison=outcome)
    return [replace(task, shares=shares) for task, shares in zip(tasks, made, strict=True)]


def _pair(group: Group, task: Task, variant: str) -> Pair:
    rows = group.rows(task.key, task.direction, variant)
    rows = rows[np.isfinite(rows["value"].astype(float))].drop_duplicates("seed").sort_values("seed")
    values = [float(value) for value in rows["value"]]
    a, b = sides_against_copy(
        task.key,
        cast(Direction, task.direction),
        "last",
        variant,
        [RunFolder(Path(folder)) for folder in rows["folder"]],
        (values, [task.copy] * len(values)),
    )
    return Pair(
        metrics.title(task.key),
        arrow_text(task.direction),
        task.dataset,
        a,
        b,
        tuple(int(seed) for seed in rows["seed"]),
        int(rows["images_generated"].iloc[0]),
        "lower",
        factor=metrics.scale(task.key),
    )


def _mark(outcome: Comparison) -> Mark:
    if outcome.verdict is Verdict.SUPPORTED:
        return Mark.NEARER if outcome.mean_difference < 0 else Mark.FARTHER
    if outcome.verdict is Verdict.NOT_FOUND:
        return Mark.OPEN
    if max(outcome.differences) < 0:
        return Mark.NEARER_EACH
    return Mark.FARTHER_EACH if min(outcome.differences) > 0 else Mark.OPEN


def _ranked(group: Group, task: Task, trained: Sequence[str]) -> Task:
    """The task with its best and worst: told apart from every other trained variant."""
    rivals = [variant for variant in trained if variant in task.shares]
    if any(task.shares[variant].mark in (Mark.RUNNING, Mark.WAITING) for variant in rivals):
        return task
    rivals = [variant for variant in rivals if task.shares[variant].mark in DECIDED]
    scores = group.chosen["last"]
    outcomes = compare_column(scores, rivals, task.key, task.direction)
    lost = dict.fromkeys(rivals, 0)
    for one in outcomes:
        if one.favours is not None:
            lost[one.b if one.favours == "a" else one.a] += 1
    worst = next((name for name, count in lost.items() if count and count == len(rivals) - 1), None)
    best = winner(outcomes, rivals)
    if best and task.shares[best].mark is Mark.COPIES:
        best = None
    return replace(task, best=best, worst=worst if len(rivals) > 2 else None)


def _by_share(trained: Sequence[str], tasks: Sequence[Task]) -> list[str]:
    """By mean log share over the tasks that every trained variant has finished, else over those each has."""
    common = [t for t in tasks if all(_log(t, variant) is not None for variant in trained)]

    def place(variant: str) -> tuple[bool, float]:
        logs = [_log(task, variant) for task in common or tasks]
        known = [one for one in logs if one is not None]
        return not known, float(np.mean(known)) if known else 0.0

    return sorted(trained, key=place)


def _log(task: Task, variant: str) -> float | None:
    share = task.shares.get(variant)
    if share is None or share.mean is None or share.mark not in DECIDED:
        return None
    return math.log(max(share.mean, 1e-3))


def attention_of(groups: Sequence[Group], variant: str) -> Attention:
    """What the masks of a variant do, over its runs in all groups and both directions."""
    deviations: list[float] = []
    effects: dict[tuple[str, str], float] = {}
    measured = False
    for group in groups:
        measured = measured or variant in group.measured
        for direction in DIRECTIONS:
            deviation = group.rows("mask_spatial_deviation", direction, variant)["value"].dropna()
            deviations += [float(value) for value in deviation]
            effect = group.rows("attention_effect", direction, variant)["value"].dropna()
            if len(effect):
                effects[group.key, direction] = float(effect.mean())
    dead = sum(value < DEAD_DEVIATION for value in deviations)
    if not deviations:
        return Attention(Head.NONE if measured else Head.UNKNOWN)
    if any(variant in group.given_masks for group in groups):
        return Attention(Head.GIVEN, dead, len(deviations), effects)
    head = Head.DEAD if dead == len(deviations) else Head.PART if dead else Head.ALIVE
    return Attention(head, dead, len(deviations), effects)


def _unchanged(groups: Sequence[Group], trained: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for group in groups:
        scores = group.chosen["last"]
        rows = scores[(scores["metric"] == "unchanged") & scores["value"].notna()]
        for (variant, _), same in rows.groupby(["variant", "direction"]):
            if variant in trained:
                name = str(variant)
                found[name] = max(found.get(name, 0.0), float(same["value"].mean()))
    return found


def _returns_input(group: Group, variant: str, direction: str) -> bool:
    values = group.rows("unchanged", direction, variant)["value"].dropna()
    return len(values) > 0 and float(values.mean()) >= UNCHANGED


def _progress(groups: Sequence[Group], expected: Mapping[tuple[str, str, str], int]) -> tuple[int, int, bool]:
    """How many runs are done, of how many, and whether any is going on."""
    runs = pd.concat([group.study.runs for group in groups]) if groups else pd.DataFrame()
    if runs.empty:
        return 0, 0, False
    ours = runs[runs["status"] != "external"]
    done = int((ours["status"].eq("done") & ours["scored"].fillna(False).astype(bool)).sum())
    cells = zip(ours["protocol"], ours["dataset"], ours["variant"], strict=True)
    begun = Counter((str(a), str(b), str(c)) for a, b, c in cells)
    planned = sum(max(expected.get(cell, 0), begun[cell]) for cell in {*expected, *begun})
    going = bool(ours["status"].eq("running").any()) or planned > len(ours)
    return done, planned, going
