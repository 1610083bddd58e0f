"""The four answers of a report, and everything that stands above its first plot."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.names import counted
from bench.statistics.claims import SEEDS_FOR_CLAIM, SEEDS_FOR_RANGE, Verdict
from reports.numbers import listed
from reports.verdict.headline import headline, lede
from reports.verdict.model import FAR, NEAR, Answers, Head, Mark, Task
from reports.verdict.words import (
    all_of,
    almost_better,
    begun_text,
    code,
    decided,
    each_seed,
    given_masks,
    has_head,
    head_of,
    part_of,
    range_text,
    seeds_below,
    seeds_text,
    share_text,
    where,
    wins_of,
)

HARDLY = 1.0
"""Levels of 255 under which an attention that moves the output is hardly used."""


@dataclass(frozen=True)
class Said:
    """What stands above the first plot."""

    headline: str
    lede: str
    best: tuple[str, str]
    """(In a word, the rest) of each of the four answers."""
    copying: tuple[str, str]
    attention: tuple[str, str]
    sure: tuple[str, str]
    live: str = ""
    """How far the runs are, while some are going on."""

    def answers(self) -> tuple[tuple[str, str, str, str], ...]:
        """(question, anchor, in a word, the rest)."""
        return (
            ("Who is best?", "sure", *self.best),
            ("Better than copying?", "nearer", *self.copying),
            ("Does the attention attend?", "attend", *self.attention),
            ("How sure?", "sure", *self.sure),
        )


def answer_all(found: Answers) -> Said:
    """All of it."""
    return Said(
        headline(found),
        lede(found),
        best(found),
        copying(found),
        attention(found),
        certainty(found),
        live(found),
    )


def best(found: Answers) -> tuple[str, str]:
    """Who is best?"""
    if not found.results:
        return "Nobody yet.", _not_decided(found)
    if len(found.trained) == 1:
        return "Only one was trained.", f"{code(found.trained[0])} has nothing to be better than."
    wins = wins_of(found)
    worst = _supported_worst(found)
    if wins:
        names = listed([code(name) for name in wins])
        rest = " ".join(f"{code(name)}{where(found, tasks)}." for name, tasks in list(wins.items())[:3])
        return f"{names}.", f"Told apart from every other trained variant: {rest}{worst}"
    if not found.claims:
        lowest = Counter(task.lowest(found.trained) for task in decided(found))
        told = [f"{code(str(name))} in {count}" for name, count in lowest.most_common(3)]
        kind = (
            "show a range and support no claim" if found.seeds[1] >= SEEDS_FOR_RANGE else "support no claim"
        )
        verb = kind if found.seeds[1] > 1 else "supports no claim"
        return (
            "Nobody yet." if found.running else "Nobody.",
            f"{seeds_text(found)} {verb}. Lowest mean: {', '.join(told)} of {len(decided(found))}.",
        )
    word = "Nobody yet." if found.running else "Nobody."
    return word, f"In no task is one variant told apart from all others.{worst}"


def _not_decided(found: Answers) -> str:
    """Why nothing is decided."""
    if found.without_shares:
        return "A copy has no distance above 0 here; the distances themselves stand in the tables."
    if not found.begun:
        return "Nothing trained has been measured."
    told = begun_text(found)
    return f"No variant has all of its seeds: {told}."


def _supported_worst(found: Answers) -> str:
    lost: dict[str, list[Task]] = {}
    for task in found.tasks:
        if task.worst:
            lost.setdefault(task.worst, []).append(task)
    if not lost:
        return ""
    name = max(lost, key=lambda each: len(lost[each]))
    return f" Supported: {code(name)} is worse than all others{where(found, lost[name])}."


def copying(found: Answers) -> tuple[str, str]:
    """Better than copying?"""
    total = len(found.results)
    if not total and found.begun:
        return "Not known yet.", "A variant is held against a copy when all of its seeds are done."
    if not total:
        return "Not known.", "No trained variant has been held against a copy."
    near = sum(share.mark in NEAR for share in found.results)
    far = sum(share.mark in FAR for share in found.results)
    copies = sum(share.mark is Mark.COPIES for share in found.results)
    rest = total - near - far - copies
    word = _how_often(near, total)
    told = (
        [f"{far} {'is' if far == 1 else 'are'} farther from the target than a copy of the input"]
        if far
        else []
    )
    told += (
        [f"{rest} not told apart from one" if far else f"{rest} not told apart from a copy"] if rest else []
    )
    told += [f"{copies} {'is' if copies == 1 else 'are'} a copy"] if copies else []
    sentence = f"{', '.join(told)}." if told else ""
    return f"{word}: {near} of {counted(total, 'result')}{each_seed(found) if not found.claims else ''}.", (
        sentence + _odd_seed(found)
    ).strip()


def _how_often(near: int, total: int) -> str:
    if near == 0:
        return "Never"
    if near == total:
        return "Always"
    return "Seldom" if 3 * near <= total else "Sometimes" if 3 * near < 2 * total else "Mostly"


def _odd_seed(found: Answers) -> str:
    """Which seed keeps the best from being nearer in all of them."""
    if any(share.mark in NEAR for share in found.results) or almost_better(found) is None:
        return ""
    shares = [s for s in found.results if s.mark is Mark.OPEN and seeds_below(s) == s.done - 1]
    share = min(shares, key=lambda one: one.mean or math.inf)
    seeds = share.found.seeds if share.found else ()
    seed, value = next((seed, value) for seed, value in zip(seeds, share.by_seed, strict=True) if value >= 1)
    return f" {code(share.variant)} has {share_text(value)} in seed {seed}."


def attention(found: Answers) -> tuple[str, str]:
    """Does the attention attend?"""
    headed = [name for name in found.trained if has_head(found, name)]
    measured = [name for name in found.trained if head_of(found, name) is not Head.UNKNOWN]
    given = given_masks(found)
    if not headed and given:
        return "There is none.", f"The masks of {_given(given)} are given, not learned."
    if not headed:
        return (
            ("There is none.", "No trained variant has masks.")
            if measured
            else ("Not known.", "Not measured.")
        )
    alive = [name for name in headed if found.attention[name].attends]
    alive.sort(key=lambda name: -max(found.attention[name].effects.values(), default=0.0))
    dead = [name for name in headed if not found.attention[name].attends]
    parts = [_moves(found, name, first=at == 0) for at, name in enumerate(alive[:3])]
    parts += [f"{len(alive) - 3} more are alive"] if len(alive) > 3 else []
    if dead:
        who = code(dead[0]) if len(dead) == 1 else f"{len(dead)} of {len(headed)}"
        verb = "is" if len(dead) == 1 else "are"
        if len(headed) > 1 or alive:
            parts.append(f"{who} {verb} dead: masks flat in every run")
        else:
            parts.append(f"The masks of {who} are flat in every run")
    word = (
        f"In {part_of(len(alive), len(headed))} variants." if len(headed) > 1 else "Yes." if alive else "No."
    )
    if len(headed) > 1 and not alive:
        word = "No."
        parts = [f"{all_of(len(headed))} heads are dead: masks flat in every run"]
    parts += [f"the masks of {_given(given)} are given, not learned"] if given else []
    return word, "; ".join(parts) + "."


def _given(names: Sequence[str]) -> str:
    return listed([code(name) for name in names]) if len(names) <= 2 else counted(len(names), "other")


def _moves(found: Answers, name: str, *, first: bool) -> str:
    known = found.attention[name]
    effects = list(known.effects.values())
    part = f" (dead in {known.dead} of {known.heads} heads)" if known.head is Head.PART else ""
    if not effects:
        return f"{code(name)} is alive{part}"
    amount = range_text(effects)
    if max(effects) < HARDLY:
        return f"{code(name)} is alive{part} but hardly used: it moves the output by {amount} of 255 levels"
    return (
        f"{code(name)} is alive{part} and moves the output by {amount} of 255 levels"
        if first
        else (f"{code(name)}{part} by {amount}")
    )


def certainty(found: Answers) -> tuple[str, str]:
    """How sure?"""
    if not found.results:
        word = "Not yet." if found.begun else "Not at all."
        return word, _not_decided(found)
    if not found.claims:
        if found.seeds[1] >= SEEDS_FOR_RANGE:
            return f"{seeds_text(found)}: ranges, no claims.", f"A claim needs {SEEDS_FOR_CLAIM}."
        return (
            f"{seeds_text(found)}: values, no claims.",
            f"A range needs {SEEDS_FOR_RANGE} seeds, a claim {SEEDS_FOR_CLAIM}.",
        )
    tested = [one for one in found.declared if one.verdict in (Verdict.SUPPORTED, Verdict.NOT_FOUND)]
    supported = sum(one.verdict is Verdict.SUPPORTED for one in tested)
    word = f"{seeds_text(found)}; {supported} of {len(tested)} declared differences supported."
    word = word if tested else f"{seeds_text(found)}."
    if found.control is None:
        return word, f"Against a copy: {counted(found.tests, 'result')} tested, corrected by Holm together."
    claimed, of = found.control
    as_should = ", as it should be" if claimed == 0 else ""
    return word, f"A variant against itself: {claimed} of {of} claimed{as_should}."


def live(found: Answers) -> str:
    """How far the runs are."""
    return f"{found.runs_done} of {found.runs_planned} runs are done." if found.running else ""
