"""What people preferred by eye, beside the distances: the counts of ballots that lie among the runs."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.ballot.records import COUNT, BallotCount, QuestionCount, read_count
from bench.errors import BenchError
from bench.names import counted
from bench.runs.folder import find_folders
from bench.statistics.preference import FEWEST_IMAGES, FEWEST_RATERS, Preference
from reports.comparability import Group
from reports.parts import table
from reports.tables.model import Cell, Column, Row, Table, missing

LEVELS_BELOW_RUNS = 4
"""Protocol, data set, variant and seed: how far a run folder lies below the folder of all runs."""
CAPTION = (
    "How often people who saw both, under no name, preferred the first; no difference counts half. "
    f"Intervals are 95 %, over raters and images (with fewer than {FEWEST_RATERS} raters over images alone, "
    "and nothing is said of other people); bold: one side is preferred beyond them, on "
    f"{FEWEST_IMAGES} images or more, each comparison by itself. Of one training each: another seed may look "
    "otherwise."
)


def ballots(roots: Iterable[Path]) -> tuple[list[BallotCount], list[str]]:
    """The counts at or below the folders of runs, and a remark for each that cannot be read."""
    places = dict.fromkeys(
        root.parents[LEVELS_BELOW_RUNS - 1]
        if (root / "run.json").is_file() and len(root.parents) >= LEVELS_BELOW_RUNS
        else root
        for root in roots
    )
    found, remarks = [], []
    for folder in find_folders(places, {COUNT}):
        if not (folder / COUNT).is_file():
            continue
        try:
            found.append(read_count(folder / COUNT))
        except (BenchError, OSError) as error:
            remarks.append(f"A ballot is left out: {error}")
    return found, remarks


@table("ballot", section="distances")
def ballot_tables(group: Group) -> list[Table]:
    """A table for every ballot on the group's data set and under its protocol."""
    return [
        _table(count)
        for count in group.by_eye
        if count.dataset == group.dataset and count.protocol in (None, group.protocol)
    ]


def _table(count: BallotCount) -> Table:
    columns = [
        Column(f"{question.key}-{name}", title, question.question, numeric=True, help=words)
        for question in count.questions
        for name, title, words in (
            ("share", "preferred", "Share of votes for the first; no difference counts half"),
            ("ties", "no difference", "Share of votes that saw none"),
            ("votes", "votes", "Answers of all raters"),
        )
    ]
    pairs = dict.fromkeys(
        (one.first, one.second) for question in count.questions for one in question.preferences
    )
    rows = tuple(
        Row(
            f"{first} over {second}",
            tuple(cell for question in count.questions for cell in _cells(question, first, second)),
        )
        for first, second in pairs
    )
    raters = counted(sum(rater.counted for rater in count.raters), "rater")
    title = f"Compared by eye, {count.dataset}, {count.direction}, {raters}"
    card = tuple(_card(count))
    return Table(
        f"ballot-{count.ballot}",
        title,
        "the first over the second",
        tuple(columns),
        rows,
        CAPTION,
        card,
    )


def _cells(question: QuestionCount, first: str, second: str) -> Iterator[Cell]:
    one = next((each for each in question.preferences if (each.first, each.second) == (first, second)), None)
    if one is None:
        yield from [missing("Nobody answered this question on this pair.")] * 3
        return
    yield _share(one)
    yield Cell(f"{one.ties:.0%}", one.ties)
    yield Cell(str(one.votes), one.votes)


def _share(one: Preference) -> Cell:
    spread = "" if one.interval is None else f"[{one.interval[0]:.0%}, {one.interval[1]:.0%}]"
    return Cell(f"{one.share:.0%}", one.share, bold=one.told_apart, spread=spread)


def _card(count: BallotCount) -> Iterator[tuple[str, str]]:
    """What one must know to judge a count."""
    left_out = sum(not rater.counted for rater in count.raters)
    yield "raters", f"{len(count.raters)}, {left_out} left out by the attention checks"
    for question in count.questions:
        if question.raters_agree is not None:
            yield (
                f"agreement of raters: {question.question}",
                f"Krippendorff's alpha {question.raters_agree:.2f}",
            )
        for distance, (right, total) in question.distances_agree.items():
            yield f"{distance} lower for the preferred: {question.question}", f"{right} of {total}"
    yield "ballot", count.ballot
