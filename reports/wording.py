"""The sentences of a report's first screen: pure functions from what was found to what is said.

Names stand in `backticks`, which the page sets as code. No sentence claims more than the statistics carry:
"beats" needs a supported difference, "best" one from every other trained variant; images of other programs
and other systems are named, and never counted. A test holds each rule.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.statistics.claims import SEEDS_FOR_CLAIM, SEEDS_FOR_RANGE, Verdict
from reports.numbers import counted, fixed, listed
from reports.verdict import FAR, NEAR, Answers, Attention, Head, Mark, Share, Task

MANY = 12
"""Variants from which on the headline counts variants, not tasks."""
MOST_PLACES = 2
"""Tasks that a sentence names."""
FAR_AWAY = 2.0
"""Copies from which on a data set is named as the worst."""
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


def say(found: Answers) -> Said:
    """All of it."""
    return Said(
        headline(found), lede(found), best(found), copying(found), attention(found), sure(found), live(found)
    )


def plain(text: str) -> str:
    """A sentence without its backticks."""
    return text.replace("`", "")


def code(name: str) -> str:
    """A name as a sentence holds it."""
    return f"`{name.replace('`', chr(39))}`"


def domains(dataset: str) -> tuple[str, str]:
    """What the two domains of a data set are called: by its name where that says it, else A and B.

    >>> domains("horse2zebra"), domains("toy-shape")
    (('horse', 'zebra'), ('A', 'B'))
    """
    found = re.match(r"([a-z]{3,})2([a-z]{3,})", dataset)
    return (found[1], found[2]) if found else ("A", "B")


def arrow(dataset: str, direction: str) -> str:
    """`horse → zebra`."""
    a, b = domains(dataset)
    return f"{a} → {b}" if direction == "A2B" else f"{b} → {a}"


def short_datasets(names: Iterable[str]) -> dict[str, str]:
    """Data set -> as much of its name as tells it from the others.

    >>> short_datasets(["summer2winter_yosemite_150", "horse2zebra"])["summer2winter_yosemite_150"]
    'summer2winter'
    """
    every = list(dict.fromkeys(names))
    heads = Counter(name.partition("_")[0] for name in every)
    return {name: name.partition("_")[0] if heads[name.partition("_")[0]] == 1 else name for name in every}


def headline(found: Answers) -> str:
    """One sentence or two: is copying beaten, and is there a winner."""
    if not found.results:
        return _nothing_decided(found)
    copiers = [name for name, share in _copiers(found)]
    if copiers and set(copiers) >= set(found.trained):
        return _learned_to_copy(found)
    first = _copying_clause(found)
    clauses = [f"So far: {first[0].lower()}{first[1:]}" if found.running else first]
    if len(found.trained) > 1 and len(found.trained) < MANY:
        clauses.append(_winner_clause(found))
    elif len(found.trained) == 1 and not found.claims and not _lone_range(found):
        clauses.append(f"{_seeds(found)}: no claim is made.")
    return " ".join(clauses)


def _nothing_decided(found: Answers) -> str:
    if found.running:
        return "Nothing is finished yet."
    if found.systems and not found.trained:
        return "Nothing was trained here: these are images of other programs."
    if found.trained or not found.untrained:
        return "No trained variant has a distance yet." if found.trained else "No run has a distance yet."
    return "Nothing was trained here, so nothing can beat copying the input."


def _copying_clause(found: Answers) -> str:
    if len(found.trained) >= MANY:
        return _many(found)
    tasks = _decided(found)
    beaten = [task for task in tasks if _near(found, task)]
    if len({(task.protocol, task.dataset) for task in tasks}) == 1:
        return _of_one_dataset(found, tasks, beaten)
    if not found.claims:
        if not beaten:
            return f"In none of {len(tasks)} tasks does a variant beat copying in every seed."
        return f"In {_of(len(beaten), len(tasks))} tasks some variant beats copying{_each_seed(found)}."
    if not beaten:
        return f"Nothing trained here beats copying the input, in any of {len(tasks)} tasks."
    only = "only " if 2 * len(beaten) <= len(tasks) else ""
    return f"Copying the input is beaten in {only}{_of(len(beaten), len(tasks))} tasks."


def _of_one_dataset(found: Answers, tasks: Sequence[Task], beaten: Sequence[Task]) -> str:
    """A task is a direction here, and is called by its domains."""
    if not beaten:
        almost = _almost(found)
        if almost is not None:
            return almost
        who = code(found.trained[0]) if len(found.trained) == 1 else "Nothing trained here"
        verb = "does not beat" if len(found.trained) == 1 else "beats"
        where = ", in either direction" if len(tasks) > 1 else ""
        if not found.claims and len(found.trained) == 1:
            return f"{who} does not come nearer than a copy of the input{where}."
        return f"{who} {verb} copying the input{where}."
    names = [name for name in found.trained if any(name in _near(found, task) for task in beaten)]
    who = _who(names, found)
    one = len(names) == 1
    act = (
        ("beats" if one else "beat") if found.claims else ("comes nearer than" if one else "come nearer than")
    )
    what = "copying" if found.claims else "a copy"
    each = "" if found.claims else _each_seed(found)
    if len(beaten) == len(tasks):
        both = ", both ways" if len(tasks) > 1 else f" {arrow(tasks[0].dataset, tasks[0].direction)}"
        return f"{who} {act} {what}{both}{each}."
    (here,), (there,) = beaten, [task for task in tasks if task not in beaten]
    here_, there_ = (arrow(task.dataset, task.direction) for task in (here, there))
    return f"{who} {act} {what} {here_}{each}, not {there_}."


def _almost(found: Answers) -> str | None:
    """The best is nearer in all seeds but one: said, and never called better."""
    near = [
        share
        for share in found.results
        if share.mark is Mark.OPEN and share.done >= SEEDS_FOR_CLAIM and _seeds_below(share) == share.done - 1
    ]
    if not near:
        return None
    share = min(near, key=lambda one: one.mean or math.inf)
    return (
        f"{code(share.variant)} comes nearer than a copy in {_seeds_below(share)} of {share.done} seeds, "
        "not reliably."
    )


def _seeds_below(share: Share) -> int:
    return sum(value < 1 for value in share.by_seed)


def _many(found: Answers) -> str:
    tasks = _decided(found)
    beating = {name for task in tasks for name in _near(found, task)}
    verb = (
        "beat copying somewhere" if found.claims else f"come nearer than a copy somewhere{_each_seed(found)}"
    )
    told = f"{_of(len(beating), len(found.trained))} variants {verb}"
    above = [name for name in found.untrained if tasks and _nearest_of_all(found, name, tasks) == len(tasks)]
    return f"{told}; {code(above[0])}, untrained, is nearer than all of them." if above else f"{told}."


def _winner_clause(found: Answers) -> str:
    wins = _wins(found)
    if not wins:
        if found.running:
            return "No winner yet."
        return "No variant is best." if found.claims else f"{_seeds(found)}: no winner is named."
    if len(wins) > MOST_PLACES:
        return f"{len(wins)} variants are each best somewhere."
    return " ".join(_won(found, name, tasks) for name, tasks in wins.items())


def _won(found: Answers, name: str, tasks: Sequence[Task]) -> str:
    """`slot9 is best on summer2winter, both ways, and still 6 times as far as a copy; its attention is dead`"""
    text = f"{code(name)} is best{_where(found, tasks)}"
    behind = [task.shares[name] for task in tasks if task.shares[name].mark in FAR]
    level = [task.shares[name] for task in tasks if task.shares[name].mark is Mark.OPEN]
    if behind:
        text += f", and still {_times([one.mean or 0.0 for one in behind])} as far as a copy"
    elif level:
        text += ", and not told apart from a copy"
    head = found.attention.get(name, Attention(Head.UNKNOWN)).head
    if head is Head.DEAD:
        text += "; its attention is dead: the masks are flat in every run"
    elif head is Head.FIXED:
        text += "; its masks are fixed, so attention has no part in it"
    return text + "."


def _where(found: Answers, tasks: Sequence[Task]) -> str:
    """` on X, both ways and on Y A → B`, or how many tasks."""
    if len(found.tasks) > 2 and len(tasks) == len(found.tasks):
        return f" in all {len(tasks)} tasks"
    if len({task.dataset for task in found.tasks}) == 1:
        if len(tasks) == len(found.tasks):
            return ", both ways" if len(tasks) > 1 else ""
        return f" {arrow(tasks[0].dataset, tasks[0].direction)}"
    places = _places(found, tasks)
    return f" on {listed(places)}" if len(places) <= MOST_PLACES else f" in {len(tasks)} tasks"


def _places(found: Answers, tasks: Sequence[Task]) -> list[str]:
    """`X, both ways` or `X A → B`, for each data set of the tasks."""
    directions: dict[tuple[str, str], list[str]] = {}
    for task in tasks:
        directions.setdefault((task.protocol, task.dataset), []).append(task.direction)
    names = _names(found)
    return [
        f"{names[place]}, both ways" if len(ways) > 1 else f"{names[place]} {arrow('', ways[0])}"
        for place, ways in directions.items()
    ]


def _names(found: Answers) -> dict[tuple[str, str], str]:
    """(protocol, data set) -> what sentences call it: with the protocol where that alone tells them apart."""
    places = list(dict.fromkeys((task.protocol, task.dataset) for task in found.tasks))
    short = short_datasets(dataset for _, dataset in places)
    count = Counter(dataset for _, dataset in places)
    return {
        (protocol, dataset): f"{short[dataset]} ({protocol.partition('[')[0]})"
        if count[dataset] > 1
        else short[dataset]
        for protocol, dataset in places
    }


def lede(found: Answers) -> str:
    """Where, with what attention, how far the rest, and what the untrained and other systems reach."""
    parts = [_nearer_where(found), _worst(found), _copied(found), _untrained(found), _systems(found)]
    return " ".join(part for part in parts if part)


def _nearer_where(found: Answers) -> str:
    tasks = [task for task in _decided(found) if _near(found, task)]
    tasks.sort(key=lambda task: -len(_near(found, task)))
    if not found.results:
        return ""
    if not tasks:
        return _nearest(found)
    names, several = _names(found), len({(t.protocol, t.dataset) for t in found.tasks}) > 1
    clauses = []
    for at, task in enumerate(tasks[:MOST_PLACES]):
        near = _near(found, task)
        place = names[task.protocol, task.dataset]
        place = (
            f" on {place} {arrow('', task.direction)}"
            if several
            else f" {arrow(task.dataset, task.direction)}"
        )
        clauses.append(_come_nearer(found, near, place, first=at == 0))
    more = len(tasks) - MOST_PLACES
    rest = f"; some in {counted(more, 'other task')}" if more > 0 else ""
    return "; ".join(clauses) + rest + "."


def _come_nearer(found: Answers, near: Sequence[str], place: str, *, first: bool) -> str:
    """`3 of 4 trained variants come nearer on X, 2 of them with attention dead or off`."""
    off = [name for name in near if not found.attention.get(name, Attention(Head.UNKNOWN)).attends]
    headed = [name for name in found.trained if _has_head(found, name)]
    if len(near) == 1:
        text = f"{code(near[0])} alone comes nearer{place}"
        head = found.attention.get(near[0], Attention(Head.UNKNOWN)).head
        return (
            text + (", with dead attention" if head is Head.DEAD else "")
            if len(found.trained) > 1
            else (f"It comes nearer{place}" + (", with dead attention" if head is Head.DEAD else ""))
        )
    who = f"All {len(near)}" if len(near) == len(found.trained) else f"{len(near)} of {len(found.trained)}"
    text = f"{who}{' trained variants come nearer' if first else ''}{place}"
    if off and headed and first and len(near) < MANY:
        amount = "all" if len(off) == len(near) else str(len(off))
        text += f", {amount} of them with attention dead or off"
    return text


def _nearest(found: Answers) -> str:
    """Nothing beats copying: the one that comes closest to it."""
    share, task = min(
        ((share, task) for task in found.tasks for share in task.shares.values() if share in found.results),
        key=lambda pair: pair[0].mean if pair[0].mean is not None else math.inf,
    )
    place = _places(found, [task])[0] if len(_names(found)) > 1 else arrow(task.dataset, task.direction)
    told = f", {share.mark.value}" if share.mark is not Mark.COPIES else ", as it returns its input"
    if len(found.trained) == 1:
        return f"Its lowest distance is {_share(share.mean)} of a copy's ({place}{told})."
    return (
        f"The lowest is {code(share.variant)} with {_share(share.mean)} of a copy's distance ({place}{told})."
    )


def _worst(found: Answers) -> str:
    """The data set on which everything trained ends farthest away, where that is far."""
    if len(found.trained) < 2:
        return ""
    by_place: dict[tuple[str, str], list[float]] = {}
    for task in found.tasks:
        shares = [share for share in task.shares.values() if share in found.results]
        means = [share.mean for share in shares if share.mean is not None]
        if all(share.mark in FAR for share in shares) and means:
            by_place.setdefault((task.protocol, task.dataset), []).extend(means)
    far = {place: means for place, means in by_place.items() if min(means) >= FAR_AWAY}
    if not far:
        return ""
    place = max(far, key=lambda each: min(far[each]))
    where = f"On {_names(found)[place]} all" if len(_names(found)) > 1 else "All"
    return f"{where} end {_times(far[place])} as far away as a copy."


def _copied(found: Answers) -> str:
    copiers = _copiers(found)
    if not copiers or {name for name, _ in copiers} >= set(found.trained):
        return ""
    return " ".join(_copies_sentence(name, share) for name, share in copiers[:MOST_PLACES])


def _copies_sentence(name: str, share: float) -> str:
    return f"{code(name)} has learned to copy: {100 * share:.0f} % of its images are unchanged."


def _learned_to_copy(found: Answers) -> str:
    copiers = _copiers(found)
    if len(copiers) == 1:
        return _copies_sentence(*copiers[0])
    least = min(share for _, share in copiers)
    who = f"All {len(copiers)} variants have learned to copy"
    return f"{who}: {100 * least:.0f} % and more of their images are unchanged."


def _copiers(found: Answers) -> list[tuple[str, float]]:
    names = {share.variant for share in found.results if share.mark is Mark.COPIES}
    return [(name, found.unchanged.get(name, 0.0)) for name in found.trained if name in names]


def _untrained(found: Answers) -> str:
    tasks = _decided(found)
    counts = {name: _nearest_of_all(found, name, tasks) for name in found.untrained}
    counts = {name: count for name, count in counts.items() if count}
    if not counts:
        return ""
    name = max(counts, key=lambda each: counts[each])
    where = f"in {counts[name]} of {len(tasks)}" if len(tasks) > 1 else "too"
    what = "everything trained" if len(found.trained) > 1 else code(found.trained[0])
    return f"Untrained {code(name)} is nearer than {what} {where}."


def _nearest_of_all(found: Answers, name: str, tasks: Sequence[Task]) -> int:
    """In how many tasks `name` has a lower mean than every trained variant."""
    count = 0
    for task in tasks:
        mine = task.shares[name].mean if name in task.shares else None
        theirs = [task.shares[each].mean for each in found.trained if each in task.shares]
        count += mine is not None and all(mine < mean for mean in theirs if mean is not None)
    return count


def _systems(found: Answers) -> str:
    """Systems that lie lower than everything trained: named, and not compared."""
    lower = []
    for name, reason in found.systems.items():
        shares = [task.shares[name].mean for task in _decided(found) if _nearest_of_all(found, name, [task])]
        means = [mean for mean in shares if mean is not None]
        if means:
            lower.append(f"{code(name)} lies lower ({_share(min(means))}), {reason}")
    return f"{listed(lower)}: not compared." if lower else ""


def best(found: Answers) -> tuple[str, str]:
    """Who is best?"""
    if not found.results:
        return "Nobody yet.", "Nothing trained has been measured."
    if len(found.trained) == 1:
        return "Only one was trained.", f"{code(found.trained[0])} has nothing to be better than."
    wins = _wins(found)
    worst = _supported_worst(found)
    if wins:
        names = listed([code(name) for name in wins])
        rest = " ".join(f"{code(name)}{_where(found, tasks)}." for name, tasks in list(wins.items())[:3])
        return f"{names}.", f"Told apart from every other trained variant: {rest}{worst}"
    if not found.claims:
        lowest = Counter(task.lowest(found.trained) for task in _decided(found))
        told = [f"{code(str(name))} in {count}" for name, count in lowest.most_common(3)]
        kind = (
            "show a range and support no claim" if found.seeds[1] >= SEEDS_FOR_RANGE else "support no claim"
        )
        verb = kind if found.seeds[1] > 1 else "supports no claim"
        return "Nobody.", f"{_seeds(found)} {verb}. Lowest mean: {', '.join(told)} of {len(_decided(found))}."
    word = "Nobody yet." if found.running else "Nobody."
    return word, f"In no task is one variant told apart from all others.{worst}"


def _supported_worst(found: Answers) -> str:
    lost: dict[str, list[Task]] = {}
    for task in found.tasks:
        if task.worst:
            lost.setdefault(task.worst, []).append(task)
    if not lost:
        return ""
    name = max(lost, key=lambda each: len(lost[each]))
    return f" Supported: {code(name)} is worse than all others{_where(found, lost[name])}."


def copying(found: Answers) -> tuple[str, str]:
    """Better than copying?"""
    total = len(found.results)
    if not total:
        return "Not known.", "No trained variant has been held against a copy."
    near = sum(share.mark in NEAR for share in found.results)
    far = sum(share.mark in FAR for share in found.results)
    copies = sum(share.mark is Mark.COPIES for share in found.results)
    rest = total - near - far - copies
    noun = "result" if total == 1 else "results"
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
    return f"{word}: {near} of {total} {noun}{_each_seed(found) if not found.claims else ''}.", (
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
    if any(share.mark in NEAR for share in found.results) or _almost(found) is None:
        return ""
    shares = [s for s in found.results if s.mark is Mark.OPEN and _seeds_below(s) == s.done - 1]
    share = min(shares, key=lambda one: one.mean or math.inf)
    seeds = share.found.seeds if share.found else ()
    seed, value = next((seed, value) for seed, value in zip(seeds, share.by_seed, strict=True) if value >= 1)
    return f" {code(share.variant)} has {_share(value)} in seed {seed}."


def attention(found: Answers) -> tuple[str, str]:
    """Does the attention attend?"""
    headed = [name for name in found.trained if _has_head(found, name)]
    measured = [name for name in found.trained if _head(found, name) is not Head.UNKNOWN]
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
    word = f"In {len(alive)} of {len(headed)} variants." if len(headed) > 1 else "Yes." if alive else "No."
    if len(headed) > 1 and not alive:
        word = "No."
        parts = [f"All {len(headed)} heads are dead: masks flat in every run"]
    return word, "; ".join(parts) + "."


def _moves(found: Answers, name: str, *, first: bool) -> str:
    known = found.attention[name]
    effects = list(known.effects.values())
    part = f" (dead in {known.dead} of {known.heads} heads)" if known.head is Head.PART else ""
    if not effects:
        return f"{code(name)} is alive{part}"
    amount = _range_of(effects)
    if max(effects) < HARDLY:
        return f"{code(name)} is alive{part} but hardly used: it moves the output by {amount} of 255 levels"
    return (
        f"{code(name)} is alive{part} and moves the output by {amount} of 255 levels"
        if first
        else (f"{code(name)}{part} by {amount}")
    )


def sure(found: Answers) -> tuple[str, str]:
    """How sure?"""
    if not found.results:
        return "Not at all.", "Nothing trained has been measured."
    if not found.claims:
        if found.seeds[1] >= SEEDS_FOR_RANGE:
            return f"{_seeds(found)}: ranges, no claims.", f"A claim needs {SEEDS_FOR_CLAIM}."
        return (
            f"{_seeds(found)}: values, no claims.",
            f"A range needs {SEEDS_FOR_RANGE} seeds, a claim {SEEDS_FOR_CLAIM}.",
        )
    tested = [one for one in found.declared if one.verdict in (Verdict.SUPPORTED, Verdict.NOT_FOUND)]
    supported = sum(one.verdict is Verdict.SUPPORTED for one in tested)
    word = f"{_seeds(found)}; {supported} of {len(tested)} declared differences supported."
    word = word if tested else f"{_seeds(found)}."
    if found.control is None:
        return word, f"Against a copy: {counted(found.tests, 'result')} tested, corrected by Holm together."
    claimed, of = found.control
    as_should = ", as it should be" if claimed == 0 else ""
    return word, f"A variant against itself: {claimed} of {of} claimed{as_should}."


def live(found: Answers) -> str:
    """How far the runs are."""
    return f"{found.runs_done} of {found.runs_planned} runs are done." if found.running else ""


def _decided(found: Answers) -> list[Task]:
    """The tasks with a decided result of a trained variant."""
    return [task for task in found.tasks if any(share in found.results for share in task.shares.values())]


def _near(found: Answers, task: Task) -> list[str]:
    return task.marked(NEAR, found.trained)


def _wins(found: Answers) -> dict[str, list[Task]]:
    wins: dict[str, list[Task]] = {}
    for task in found.tasks:
        if task.best:
            wins.setdefault(task.best, []).append(task)
    return wins


def _who(names: Sequence[str], found: Answers) -> str:
    if len(names) == 1:
        return code(names[0])
    if len(names) == len(found.trained):
        return f"All {len(names)} variants"
    return f"{len(names)} of {len(found.trained)} variants"


def _head(found: Answers, name: str) -> Head:
    return found.attention.get(name, Attention(Head.UNKNOWN)).head


def _has_head(found: Answers, name: str) -> bool:
    return _head(found, name) in (Head.ALIVE, Head.PART, Head.DEAD)


def _of(part: int, whole: int) -> str:
    return f"all {whole}" if part == whole else f"{part} of {whole}"


def _seeds(found: Answers) -> str:
    fewest, most = found.seeds
    return counted(most, "seed") if fewest == most else f"{fewest} to {most} seeds"


def _each_seed(found: Answers) -> str:
    return " in every seed" if found.seeds[1] > 1 else ""


def _lone_range(found: Answers) -> bool:
    return len(_decided(found)) == 0


def _share(value: float | None) -> str:
    return "" if value is None else fixed(value, 2) if value < 9.95 else fixed(value, 0)


def _times(values: Sequence[float]) -> str:
    """`5 to 13 times`: whole numbers, two digits at most."""
    low, high = min(values), max(values)
    small = low < 1.95
    texts = [fixed(value, 1 if small and value < 9.95 else 0) for value in (low, high)]
    return f"{texts[0]} times" if texts[0] == texts[1] else f"{texts[0]} to {texts[1]} times"


def _range_of(values: Sequence[float]) -> str:
    """`8 to 13`, `0.7 to 1.4`."""
    low, high = min(values), max(values)
    digits = 0 if low >= 1.95 else 1
    texts = [fixed(value, digits) for value in (low, high)]
    return texts[0] if texts[0] == texts[1] else f"{texts[0]} to {texts[1]}"
