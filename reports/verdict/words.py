"""The words that sentences of a report share: names, places, amounts."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from bench.names import counted
from bench.statistics.claims import SEEDS_FOR_CLAIM
from reports.numbers import fixed, listed
from reports.verdict.model import NEAR, Answers, Attention, Head, Mark, Share, Task

MOST_PLACES = 2
"""Tasks that a sentence names."""


def code(name: str) -> str:
    """A name as a sentence holds it."""
    return f"`{name.replace('`', chr(39))}`"


def plain(text: str) -> str:
    """A sentence without its backticks."""
    return text.replace("`", "")


RENDERED = {
    "toy-stripes": ("horse", "zebra"),
    "toy-season": ("summer", "winter"),
    "toy-shape": ("apple", "orange"),
}
"""What the rendered scenes that come with the benchmark show; their names do not say it."""


def domains(dataset: str) -> tuple[str, str]:
    """What the two domains of a data set are called: by its name where that says it, else A and B.

    >>> domains("horse2zebra"), domains("toy-shape"), domains("mine")
    (('horse', 'zebra'), ('apple', 'orange'), ('A', 'B'))
    """
    if dataset in RENDERED:
        return RENDERED[dataset]
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


def place_names(found: Answers) -> dict[tuple[str, str], str]:
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


def places_of(found: Answers, tasks: Sequence[Task]) -> list[str]:
    """`X, both ways` or `X A → B`, for each data set of the tasks."""
    directions: dict[tuple[str, str], list[str]] = {}
    for task in tasks:
        directions.setdefault((task.protocol, task.dataset), []).append(task.direction)
    names = place_names(found)
    return [
        f"{names[place]}, both ways" if len(ways) > 1 else f"{names[place]} {arrow('', ways[0])}"
        for place, ways in directions.items()
    ]


def where(found: Answers, tasks: Sequence[Task]) -> str:
    """` on X, both ways and on Y A → B`, or how many tasks."""
    if len(found.tasks) > 2 and len(tasks) == len(found.tasks):
        return f" in all {len(tasks)} tasks"
    if len({(task.protocol, task.dataset) for task in found.tasks}) == 1:
        if len(tasks) == len(found.tasks):
            return ", both ways" if len(tasks) > 1 else ""
        return f" {arrow(tasks[0].dataset, tasks[0].direction)}"
    places = places_of(found, tasks)
    return f" on {listed(places)}" if len(places) <= MOST_PLACES else f" in {len(tasks)} tasks"


def decided(found: Answers) -> list[Task]:
    """The tasks with a decided result of a trained variant."""
    return [task for task in found.tasks if any(share in found.results for share in task.shares.values())]


def near_in(found: Answers, task: Task) -> list[str]:
    return task.marked(NEAR, found.trained)


def wins_of(found: Answers) -> dict[str, list[Task]]:
    wins: dict[str, list[Task]] = {}
    for task in found.tasks:
        if task.best:
            wins.setdefault(task.best, []).append(task)
    return wins


def copiers_of(found: Answers) -> list[tuple[str, float]]:
    names = {share.variant for share in found.results if share.mark is Mark.COPIES}
    return [(name, found.unchanged.get(name, 0.0)) for name in found.trained if name in names]


def nearest_of_all(found: Answers, name: str, tasks: Sequence[Task]) -> int:
    """In how many tasks `name` has a lower mean than every trained variant."""
    count = 0
    for task in tasks:
        mine = task.shares[name].mean if name in task.shares else None
        theirs = [task.shares[each].mean for each in found.trained if each in task.shares]
        count += mine is not None and all(mine < mean for mean in theirs if mean is not None)
    return count


def almost_better(found: Answers) -> str | None:
    """The best is nearer in all seeds but one: said, and never called better."""
    near = [
        share
        for share in found.results
        if share.mark is Mark.OPEN and share.done >= SEEDS_FOR_CLAIM and seeds_below(share) == share.done - 1
    ]
    if not near:
        return None
    share = min(near, key=lambda one: one.mean or math.inf)
    return (
        f"{code(share.variant)} comes nearer than a copy in {seeds_below(share)} of {share.done} seeds, "
        "not reliably."
    )


def seeds_below(share: Share) -> int:
    return sum(value < 1 for value in share.by_seed)


def all_of(count: int) -> str:
    """`Both`, `All 3`."""
    return "Both" if count == 2 else f"All {count}"


def who_text(names: Sequence[str], found: Answers) -> str:
    if len(names) == 1:
        return code(names[0])
    if len(names) == len(found.trained):
        return f"{all_of(len(names))} variants"
    return f"{len(names)} of {len(found.trained)} variants"


def head_of(found: Answers, name: str) -> Head:
    return found.attention.get(name, Attention(Head.UNKNOWN)).head


def has_head(found: Answers, name: str) -> bool:
    return head_of(found, name) in (Head.ALIVE, Head.PART, Head.DEAD)


def given_masks(found: Answers) -> list[str]:
    """The trained variants whose masks are not theirs to praise."""
    return [name for name in found.trained if head_of(found, name) is Head.GIVEN]


def part_of(part: int, whole: int) -> str:
    every = "both" if whole == 2 else f"all {whole}"
    return every if part == whole else f"{part} of {whole}"


def seeds_text(found: Answers) -> str:
    fewest, most = found.seeds
    return counted(most, "seed") if fewest == most else f"{fewest} to {most} seeds"


def begun_text(found: Answers) -> str:
    """`2 of 5 seeds are done`, of the results that are not decided."""
    done = sorted({share.done for share in found.begun})
    expected = max(share.expected for share in found.begun)
    some = str(done[0]) if len(done) == 1 else f"{done[0]} to {done[-1]}"
    return f"{some} of {counted(expected, 'seed')} {'is' if some == '1' else 'are'} done"


def each_seed(found: Answers) -> str:
    return " in every seed" if found.seeds[1] > 1 else ""


def share_text(value: float | None) -> str:
    return "" if value is None else share_number(value)


def times(values: Sequence[float]) -> str:
    """`5 to 13 times`: whole numbers, two digits at most."""
    low, high = min(values), max(values)
    small = low < 1.95
    texts = [fixed(value, 1 if small and value < 9.95 else 0) for value in (low, high)]
    return f"{texts[0]} times" if texts[0] == texts[1] else f"{texts[0]} to {texts[1]} times"


def range_text(values: Sequence[float]) -> str:
    """`8 to 13`, `0.7 to 1.4`."""
    low, high = min(values), max(values)
    digits = 0 if low >= 1.95 else 1
    texts = [fixed(value, digits) for value in (low, high)]
    return texts[0] if texts[0] == texts[1] else f"{texts[0]} to {texts[1]}"


def share_number(value: float) -> str:
    """A share as a table has it: two decimals, from 10 on one, from 100 on none."""
    return fixed(value, 2 if value < 9.995 else 1 if value < 99.95 else 0)


def head_words(known: Attention) -> str:
    """`alive`, `dead in 3 of 10`, `given masks`."""
    return f"dead in {known.dead} of {known.heads}" if known.head is Head.PART else known.head.value
