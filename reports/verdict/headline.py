"""The headline and the two lines under it: is copying beaten, where, and is there a winner.

Pure functions from what was found to what is said; names stand in `backticks`, which the page sets as code.
No sentence claims more than the statistics carry: "beats" needs a supported difference, "best" one from every
other trained variant; images of other programs and other systems are named, and never counted. A test holds
each rule.
"""

import math
from collections.abc import Mapping, Sequence

from bench.names import counted
from reports.numbers import listed
from reports.verdict.model import FAR, Answers, Attention, Head, Mark, Task
from reports.verdict.words import (
    MOST_PLACES,
    all_of,
    almost_better,
    arrow,
    begun_text,
    code,
    copiers_of,
    decided,
    each_seed,
    has_head,
    head_of,
    near_in,
    nearest_of_all,
    part_of,
    place_names,
    places_of,
    seeds_text,
    share_text,
    times,
    where,
    who_text,
    wins_of,
)

MANY = 12
"""Variants from which on the headline counts variants, not tasks."""
FAR_AWAY = 2.0
"""Copies from which on a data set is named as the worst."""


def headline(found: Answers) -> str:
    """One sentence or two: is copying beaten, and is there a winner."""
    if not found.results:
        return _nothing_decided(found)
    copiers = [name for name, share in copiers_of(found)]
    if copiers and set(copiers) >= set(found.trained):
        return _learned_to_copy(found)
    first = _copying_clause(found)
    clauses = [f"So far: {first[0].lower()}{first[1:]}" if found.running else first]
    if len(found.trained) > 1 and len(found.trained) < MANY:
        clauses.append(_winner_clause(found))
    elif len(found.trained) >= MANY and not found.claims:
        clauses.append(f"{seeds_text(found)}: no winner is named.")
    elif len(found.trained) == 1 and not found.claims and not _lone_range(found):
        clauses.append(f"{seeds_text(found)}: no claim is made.")
    return " ".join(clauses)


def _nothing_decided(found: Answers) -> str:
    if found.running and found.begun:
        return f"No verdict yet: {begun_text(found)}."
    if found.without_shares:
        return "Copying the input has no distance above 0 here, so nothing can be held against it."
    if found.running:
        return "Nothing is finished yet."
    if found.systems and not found.trained:
        return "Nothing was trained here: these are images of other programs."
    unfinished = found.runs_planned - found.runs_done
    if found.trained or unfinished > 0:
        told = f": {counted(unfinished, 'run')} did not finish" if unfinished > 0 else ""
        return f"No trained variant has a distance yet{told}."
    copied = found.runs_done and found.tasks  # a copy is no row of its own
    if not found.untrained and not copied:
        return "No run has a distance yet."
    return "Nothing was trained here, so nothing can beat copying the input."


def _copying_clause(found: Answers) -> str:
    if len(found.trained) >= MANY:
        return _many(found)
    tasks = decided(found)
    beaten = [task for task in tasks if near_in(found, task)]
    if len({(task.protocol, task.dataset) for task in tasks}) == 1:
        return _of_one_dataset(found, tasks, beaten)
    if not found.claims:
        if not beaten:
            return f"In none of {len(tasks)} tasks does a variant beat copying in every seed."
        return f"In {part_of(len(beaten), len(tasks))} tasks some variant beats copying{each_seed(found)}."
    if not beaten:
        return f"Nothing trained here beats copying the input, in any of {len(tasks)} tasks."
    only = "only " if 2 * len(beaten) <= len(tasks) else ""
    return f"Copying the input is beaten in {only}{part_of(len(beaten), len(tasks))} tasks."


def _of_one_dataset(found: Answers, tasks: Sequence[Task], beaten: Sequence[Task]) -> str:
    """A task is a direction here, and is called by its domains."""
    if not beaten:
        almost = almost_better(found)
        if almost is not None:
            return almost
        who = code(found.trained[0]) if len(found.trained) == 1 else "Nothing trained here"
        verb = "does not beat" if len(found.trained) == 1 else "beats"
        where = ", in either direction" if len(tasks) > 1 else ""
        if not found.claims and len(found.trained) == 1:
            return f"{who} does not come nearer than a copy of the input{where}."
        return f"{who} {verb} copying the input{where}."
    names = [name for name in found.trained if any(name in near_in(found, task) for task in beaten)]
    verb = "beat{} copying" if found.claims else "come{} nearer than a copy"
    act = verb.format("s" if len(names) == 1 else "")
    each = "" if found.claims else each_seed(found)
    near = {arrow(task.dataset, task.direction): near_in(found, task) for task in tasks}
    return f"{who_text(names, found)} {act}{_by_direction(near, each)}."


def _by_direction(near: Mapping[str, Sequence[str]], each: str = "") -> str:
    """In which directions those that come nearer do so; `near` holds, by direction, who does.

    >>> _by_direction({"A → B": ["slot9", "slot5"], "B → A": ["slot9"]})
    ', in one direction or both: 2 A → B, 1 B → A'
    """
    ways = [way for way, names in near.items() if names]
    if len(ways) < len(near):
        others = "".join(f", not {way}" for way in near if way not in ways)
        return f" {ways[0]}{each}{others}"
    if len(near) == 1:
        return f" {ways[0]}{each}"
    if len({frozenset(names) for names in near.values()}) == 1:
        return f", both ways{each}"
    counts = ", ".join(f"{len(names)} {way}" for way, names in near.items())
    return f"{each}, in one direction or both: {counts}"


def _many(found: Answers) -> str:
    tasks = decided(found)
    beating = {name for task in tasks for name in near_in(found, task)}
    alike = all(set(near_in(found, task)) == beating for task in tasks)
    place = "" if len(tasks) == 1 else " everywhere" if alike and beating else " somewhere"
    verb = f"beat copying{place}" if found.claims else f"come nearer than a copy{place}{each_seed(found)}"
    told = f"{part_of(len(beating), len(found.trained))} variants {verb}"
    told = told[0].upper() + told[1:]
    above = [name for name in found.untrained if tasks and nearest_of_all(found, name, tasks) == len(tasks)]
    return f"{told}; {code(above[0])}, untrained, is nearer than all of them." if above else f"{told}."


def _winner_clause(found: Answers) -> str:
    wins = wins_of(found)
    if not wins:
        if found.running:
            return "No winner yet."
        return "No variant is best." if found.claims else f"{seeds_text(found)}: no winner is named."
    if len(wins) > MOST_PLACES:
        return f"{len(wins)} variants are each best somewhere."
    return " ".join(_won(found, name, tasks) for name, tasks in wins.items())


def _won(found: Answers, name: str, tasks: Sequence[Task]) -> str:
    """`slot9 is best on summer2winter, both ways, and still 6 times as far as a copy`"""
    text = f"{code(name)} is best{where(found, tasks)}"
    behind = [task.shares[name] for task in tasks if task.shares[name].mark in FAR]
    level = [task.shares[name] for task in tasks if task.shares[name].mark is Mark.OPEN]
    if behind:
        text += f", and still {times([one.mean or 0.0 for one in behind])} as far as a copy"
    elif level:
        text += ", and not told apart from a copy"
    head = found.attention.get(name, Attention(Head.UNKNOWN)).head
    if head is Head.DEAD:
        text += "; its attention is dead: the masks are flat in every run"
    elif head is Head.GIVEN:
        text += "; its masks are given, not learned, so attention has no part in it"
    return text + "."


def lede(found: Answers) -> str:
    """Where, with what attention, how far the rest, and what the untrained and other systems reach."""
    where = _of_one(found) if len(found.trained) == 1 else _nearer_where(found)
    parts = [where, _worst(found), _copied(found), _untrained(found), _systems(found)]
    return " ".join(part for part in parts if part)


def _of_one(found: Answers) -> str:
    """A single variant: its shares, and whether its attention has any part in them."""
    name = found.trained[0]
    shares = [(task, task.shares[name]) for task in found.tasks if name in task.shares]
    done = [(task, share) for task, share in shares if share in found.results]
    known = [(task, share.mean) for task, share in done if share.mean is not None]
    if not known:
        return ""
    if len(known) > MOST_PLACES:
        near = [mean for _, mean in known]
        told = f"between {share_text(min(near))} and {share_text(max(near))}"
    else:
        ways = [f"{share_text(mean)} {arrow(task.dataset, task.direction)}" for task, mean in known]
        told = listed(ways)
    head = head_of(found, name)
    clause = {Head.DEAD: "; its attention is dead", Head.GIVEN: "; its masks are given, not learned"}
    return f"As a share of a copy's, its distance is {told}{clause.get(head, '')}."


def _nearer_where(found: Answers) -> str:
    tasks = [task for task in decided(found) if near_in(found, task)]
    tasks.sort(key=lambda task: -len(near_in(found, task)))
    if not found.results:
        return ""
    if not tasks:
        return _nearest(found)
    if len(tasks) == len(decided(found)) > 1 and all(
        len(near_in(found, t)) == len(found.trained) for t in tasks
    ):
        said = len(found.trained) >= MANY  # by the headline
        return "" if said else _come_nearer(found, found.trained, " everywhere", first=True) + "."
    names, several = place_names(found), len({(t.protocol, t.dataset) for t in found.tasks}) > 1
    by_who: dict[tuple[str, ...], list[str]] = {}
    for task in tasks[:MOST_PLACES]:
        place = names[task.protocol, task.dataset]
        place = f"on {place} {arrow('', task.direction)}" if several else arrow(task.dataset, task.direction)
        by_who.setdefault(tuple(near_in(found, task)), []).append(place)
    clauses = [
        _come_nearer(
            found, near, f" {listed(places) if several or len(places) < 2 else 'both ways'}", first=at == 0
        )
        for at, (near, places) in enumerate(by_who.items())
    ]
    more = len(tasks) - MOST_PLACES
    rest = f"; some in {counted(more, 'other task')}" if more > 0 else ""
    return "; ".join(clauses) + rest + "."


def _come_nearer(found: Answers, near: Sequence[str], place: str, *, first: bool) -> str:
    """`3 of 4 trained variants come nearer on X, 2 of them with attention dead or off`."""
    off = [name for name in near if not found.attention.get(name, Attention(Head.UNKNOWN)).attends]
    headed = [name for name in found.trained if has_head(found, name)]
    if len(near) == 1:
        alone = "" if found.running else " alone"  # others may still come
        text = f"{code(near[0])}{alone} comes nearer{place}"
        head = found.attention.get(near[0], Attention(Head.UNKNOWN)).head
        return text + {Head.DEAD: ", with dead attention", Head.GIVEN: ", with given masks"}.get(head, "")
    every = len(near) == len(found.trained)
    who = all_of(len(near)) if every else part_of(len(near), len(found.trained))
    who = who if first else who.lower()
    text = f"{who}{' trained variants come nearer' if first else ''}{place}"
    if off and headed and first and len(near) < MANY:
        amount = "all" if len(off) == len(near) else str(len(off))
        given = any(head_of(found, name) is Head.GIVEN for name in off)
        text += f", {amount} of them with attention dead{', given' if given else ''} or off"
    return text


def _nearest(found: Answers) -> str:
    """Nothing beats copying: the one that comes closest to it."""
    measured = [
        [share.variant for share in task.shares.values() if share in found.results] for task in found.tasks
    ]
    lowest = [(task, task.lowest(names)) for task, names in zip(found.tasks, measured, strict=True)]
    share, task = min(
        ((task.shares[name], task) for task, name in lowest if name is not None),
        key=lambda pair: pair[0].mean if pair[0].mean is not None else math.inf,
    )
    place = (
        places_of(found, [task])[0] if len(place_names(found)) > 1 else arrow(task.dataset, task.direction)
    )
    told = f", {share.mark.value}" if share.mark is not Mark.COPIES else ", as it returns its input"
    amount = f"{share_text(share.mean)} of a copy's distance ({place}{told})"
    return f"The lowest is {code(share.variant)} with {amount}."


def _worst(found: Answers) -> str:
    """The data set on which everything trained ends farthest away, where that is far."""
    if len(found.trained) < 2:
        return ""
    by_place: dict[tuple[str, str], list[float]] = {}
    ways_far: dict[tuple[str, str], list[str]] = {}
    for task in found.tasks:
        shares = [share for share in task.shares.values() if share in found.results]
        means = [share.mean for share in shares if share.mean is not None]
        if all(share.mark in FAR for share in shares) and means:
            by_place.setdefault((task.protocol, task.dataset), []).extend(means)
            ways_far.setdefault((task.protocol, task.dataset), []).append(task.direction)
    far = {place: means for place, means in by_place.items() if min(means) >= FAR_AWAY}
    if not far:
        return ""
    place = max(far, key=lambda each: min(far[each]))
    where = f"On {place_names(found)[place]} all" if len(place_names(found)) > 1 else "All"
    ways = [task.direction for task in found.tasks if (task.protocol, task.dataset) == place]
    named = place[1] if len(place_names(found)) == 1 else ""  # else the text says the data set's name already
    one_way = f" {arrow(named, ways_far[place][0])}" if len(ways_far[place]) < len(ways) else ""
    return f"{where} end {times(far[place])} as far away as a copy{one_way}."


def _copied(found: Answers) -> str:
    copiers = copiers_of(found)
    if not copiers or {name for name, _ in copiers} >= set(found.trained):
        return ""
    return " ".join(_copies_sentence(name, share) for name, share in copiers[:MOST_PLACES])


def _copies_sentence(name: str, share: float) -> str:
    return f"{code(name)} has learned to copy: {100 * share:.0f} % of its images are unchanged."


def _learned_to_copy(found: Answers) -> str:
    copiers = copiers_of(found)
    if len(copiers) == 1:
        return _copies_sentence(*copiers[0])
    least = min(share for _, share in copiers)
    who = f"{all_of(len(copiers))} variants have learned to copy"
    return f"{who}: {100 * least:.0f} % and more of their images are unchanged."


def _untrained(found: Answers) -> str:
    tasks = decided(found)
    counts = {name: nearest_of_all(found, name, tasks) for name in found.untrained}
    counts = {name: count for name, count in counts.items() if count}
    if not counts:
        return ""
    name = max(counts, key=lambda each: counts[each])
    where = f"in {counts[name]} of {len(tasks)}" if len(tasks) > 1 else "too"
    what = "everything trained" if len(found.trained) > 1 else code(found.trained[0])
    return f"Untrained {code(name)} is nearer than {what} {where}."


def _systems(found: Answers) -> str:
    """Systems that lie lower than everything trained: named, and not compared."""
    lower = []
    for name, reason in found.systems.items():
        shares = [task.shares[name].mean for task in decided(found) if nearest_of_all(found, name, [task])]
        means = [mean for mean in shares if mean is not None]
        if means:
            lower.append(f"{code(name)} lies lower ({share_text(min(means))}), {reason}")
    return f"{listed(lower)}: not compared." if lower else ""


def _lone_range(found: Answers) -> bool:
    return len(decided(found)) == 0
