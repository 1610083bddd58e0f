"""`bench ballot count`: files of answers in, shares with intervals, strengths and agreement out.

Every file is held against the ballot's key first: one that is damaged, of another ballot, of the same rater
twice, or that answers what was never asked is refused by its name, and nothing is counted. A rater who sees
differences in copies, or answers repeated pairs otherwise, is left out by a rule set beforehand, and named.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.ballot.making import KEY, BallotKey, BallotModel
from bench.data.files import kind_of, printable
from bench.errors import BenchError, UsageError
from bench.runs import atomic
from bench.runs.records import refuse_newer
from bench.scoring.catalogue import metric
from bench.statistics.claims import number, plural
from bench.statistics.preference import (
    Preference,
    Strength,
    Vote,
    agreement,
    preferences,
    rank_agreement,
    strengths,
)

COUNT = "count.json"
LEAST_SURE = 0.5
"""Share of repeated pairs that a rater must answer alike, and of copies that must be called alike."""
FEWEST_CHECKS = 2
"""Checks of a kind below which nobody is left out by them."""


class Answer(BaseModel):
    """One answer of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    item: int
    again: bool
    question: str
    left: str
    right: str
    choice: Literal["left", "right", "tie"]
    milliseconds: int


class Answers(BaseModel):
    """A file of answers as the page saves it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["bench-ballot-answers"]
    schema_version: int
    ballot: str
    rater: str
    name: str
    started: str
    finished: str | None
    answers: list[Answer]


class RaterChecks(BallotModel):
    """How far a rater can be relied on."""

    rater: str
    """The name that was given, else the beginning of the random number."""
    answers: int
    complete: bool
    repeats_alike: int
    repeats: int
    copies_alike: int
    copies: int
    counted: bool
    seconds_an_answer: float | None
    """Median."""


class QuestionCount(BallotModel):
    """What the counted answers to one question say."""

    key: str
    question: str
    preferences: list[Preference]
    strengths: list[Strength]
    """Of more than two systems; else empty."""
    raters_agree: float | None
    """Krippendorff's alpha."""
    measures_agree: dict[str, tuple[float, int]]
    """Per-image measure -> Spearman's correlation with preference, and pictures behind it; positive: the
    higher value is preferred."""
    distances_agree: dict[str, tuple[int, int]]
    """Set distance -> pairs of systems whose preferred side has the lower distance, of all pairs."""


class BallotCount(BallotModel):
    """The whole of count.json."""

    schema_version: int = 1
    kind: str = "bench-ballot-count"
    ballot: str
    dataset: str
    direction: str
    protocol: str | None
    systems: list[str]
    raters: list[RaterChecks]
    questions: list[QuestionCount]


@dataclass(frozen=True)
class Read:
    """A file of answers with its place."""

    path: Path
    answers: Answers


def read_key(folder: Path) -> BallotKey:
    """The key of a ballot. Raises UsageError where the folder has none, BenchError for a damaged one."""
    path = folder / KEY
    if kind_of(path) != "file":
        raise UsageError(
            f"{printable(folder)} holds no {KEY}, which says what the answers are of. Name the folder "
            "that bench ballot make wrote: --ballot DIR"
        )
    text = path.read_text(encoding="utf-8", errors="replace")
    refuse_newer(path, text, 1)
    try:
        return BallotKey.model_validate_json(text)
    except ValidationError as error:
        raise BenchError(f"{printable(path)} is damaged ({first_of(error)}).") from None


def read_answers(paths: Sequence[Path], key: BallotKey) -> list[Read]:
    """Every file of answers. Raises UsageError, naming all that cannot be counted and why."""
    read, wrong = [], []
    for path in files_of(paths):
        found = _read(path, key)
        if isinstance(found, str):
            wrong.append(f"{printable(path)} {found}.")
        else:
            read.append(Read(path, found))
    first: dict[str, Path] = {}
    for one in read:
        if one.answers.rater in first:
            wrong.append(
                f"{printable(one.path)} has the answers of the rater of "
                f"{printable(first[one.answers.rater])} again: leave one of them out."
            )
        first.setdefault(one.answers.rater, one.path)
    if wrong:
        raise UsageError("\n".join(["Nothing is counted.", *wrong]))
    return read


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files named and the JSON files in the folders named, key and count apart."""
    found: list[Path] = []
    for path in paths:
        kind = kind_of(path)
        if kind == "folder":
            inside = [each for each in sorted(path.glob("*.json")) if each.name not in (KEY, COUNT)]
            if not inside:
                raise UsageError(
                    f"{printable(path)} holds no answers. Put the files that raters saved there."
                )
            found += inside
        elif kind == "file":
            found.append(path)
        else:
            raise UsageError(f"There is no file of answers {printable(path)}.")
    return list(dict.fromkeys(found))


def _read(path: Path, key: BallotKey) -> Answers | str:
    """The answers of a file, or what is wrong with it."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError):
        return "is damaged: it is no JSON. Have it saved again"
    if not isinstance(said, dict) or said.get("kind") != "bench-ballot-answers":
        return "holds no answers of a ballot"
    if isinstance(said.get("schema_version"), int) and said["schema_version"] > 1:
        return f"has schema version {said['schema_version']}; this bench reads up to 1. Install the newer one"
    try:
        answers = Answers.model_validate(said, strict=False)
    except ValidationError as error:
        return f"is damaged ({first_of(error)}). Have it saved again"
    if answers.ballot != key.id:
        return f"is of another ballot ({answers.ballot}, not {key.id})"
    return wrong_answer(answers, key) or answers


def wrong_answer(answers: Answers, key: BallotKey) -> str | None:
    """What was answered that was never asked, or twice; None where all is well."""
    items = {item.number: item for item in key.items}
    seen = Counter((each.item, each.again, each.question) for each in answers.answers)
    for each in answers.answers:
        item = items.get(each.item)
        if (
            item is None
            or each.question not in key.questions
            or (each.again and each.item not in key.repeats)
        ):
            return f"answers what was never asked (pair {each.item}, question {each.question!r})"
        if {each.left, each.right} != {item.a, item.b}:
            return f"shows other pictures at pair {each.item} than the ballot"
    doubled = next((one for one, count in seen.items() if count > 1), None)
    return None if doubled is None else f"answers pair {doubled[0]} twice (question {doubled[2]!r})"


def first_of(error: ValidationError) -> str:
    """Place and reason of the first thing that is wrong."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def count_ballot(key: BallotKey, read: Sequence[Read], *, keep_all: bool = False) -> BallotCount:
    """Shares, strengths and agreement of the answers, those left out who fail the checks."""
    checks = [checked(one.answers, key, keep_all) for one in read]
    counted = [one.answers for one, check in zip(read, checks, strict=True) if check.counted]
    if not any(answers.answers for answers in counted):
        reason = "all raters fail the checks (--keep-all counts them all the same)" if read else "no answers"
        raise BenchError(f"Nothing can be counted: {reason}.")
    questions = []
    for name, text in key.questions.items():
        votes = [vote for answers in counted for vote in votes_of(answers, key, name)]
        if votes:
            questions.append(_question(key, name, text, votes))
    return BallotCount(
        ballot=key.id,
        dataset=key.dataset,
        direction=key.direction,
        protocol=key.protocol,
        systems=[system.name for system in key.systems],
        raters=checks,
        questions=questions,
    )


def checked(answers: Answers, key: BallotKey, keep_all: bool = False) -> RaterChecks:
    """How a rater answered repeated pairs and copies."""
    copied = {item.number for item in key.items if item.copied}
    firsts = {(each.item, each.question): preferred(each) for each in answers.answers if not each.again}
    repeats = [each for each in answers.answers if each.again and (each.item, each.question) in firsts]
    alike = sum(preferred(each) == firsts[each.item, each.question] for each in repeats)
    copies = [each for each in answers.answers if each.item in copied and not each.again]
    same = sum(each.choice == "tie" for each in copies)
    sure = all(
        total < FEWEST_CHECKS or right >= LEAST_SURE * total
        for right, total in ((alike, len(repeats)), (same, len(copies)))
    )
    times = sorted(each.milliseconds for each in answers.answers)
    asked = (len(key.items) + len(key.repeats)) * len(key.questions)
    return RaterChecks(
        rater=answers.name or answers.rater[:8],
        answers=len(answers.answers),
        complete=len(answers.answers) == asked,
        repeats_alike=alike,
        repeats=len(repeats),
        copies_alike=same,
        copies=len(copies),
        counted=sure or keep_all,
        seconds_an_answer=times[len(times) // 2] / 1000 if times else None,
    )


def preferred(answer: Answer) -> str:
    """The code of the picture that was chosen; `tie` for none."""
    return {"left": answer.left, "right": answer.right}.get(answer.choice, "tie")


def votes_of(answers: Answers, key: BallotKey, question: str) -> Iterator[Vote]:
    """The votes on a question: first answers to pairs of two systems, sides as the ballot names them."""
    items = {item.number: item for item in key.items}
    for each in answers.answers:
        item = items[each.item]
        if each.question != question or each.again or item.copied:
            continue
        first, second = key.pictures[item.a][0], key.pictures[item.b][0]
        value = 0.5 if each.choice == "tie" else float(preferred(each) == item.a)
        yield Vote(answers.rater, item.image, first, second, value)


def _question(key: BallotKey, name: str, text: str, votes: Sequence[Vote]) -> QuestionCount:
    found = preferences(votes)
    measures = dict.fromkeys(measure for system in key.systems for measure in system.measures)
    agree = {
        measure: rank_agreement(
            votes, {system.name: system.measures.get(measure, {}) for system in key.systems}
        )
        for measure in measures
    }
    return QuestionCount(
        key=name,
        question=text,
        preferences=found,
        strengths=strengths(votes) if len(key.systems) > 2 else [],
        raters_agree=agreement(votes),
        measures_agree={measure: one for measure, one in agree.items() if one is not None},
        distances_agree=distances_agree(key, found),
    )


def distances_agree(key: BallotKey, found: Sequence[Preference]) -> dict[str, tuple[int, int]]:
    """Distance -> (pairs whose preferred system has the lower one, pairs that can be told)."""
    systems = {system.name: system for system in key.systems}
    agreed: dict[str, tuple[int, int]] = {}
    for one in found:
        a, b = systems[one.first].distances, systems[one.second].distances
        for distance in a.keys() & b.keys():
            if one.share != 0.5 and a[distance] != b[distance]:
                right, total = agreed.get(distance, (0, 0))
                agreed[distance] = (right + ((one.share > 0.5) == (a[distance] < b[distance])), total + 1)
    return dict(sorted(agreed.items()))


def write_count(folder: Path, count: BallotCount) -> Path:
    """Keep the count beside the key, where the report finds it."""
    atomic.write_text(folder / COUNT, count.model_dump_json(indent=1) + "\n")
    return folder / COUNT


def read_count(path: Path) -> BallotCount:
    """A count that was kept. Raises BenchError for one that is damaged or newer."""
    text = path.read_text(encoding="utf-8", errors="replace")
    refuse_newer(path, text, 1)
    try:
        return BallotCount.model_validate_json(text)
    except ValidationError as error:
        raise BenchError(f"{printable(path)} is damaged ({first_of(error)}). Count again.") from None


def sentences(count: BallotCount) -> Iterator[str]:
    """What may be said of a count, a sentence each; the numbers stand in tables."""
    counted = [rater for rater in count.raters if rater.counted]
    left_out = [rater.rater for rater in count.raters if not rater.counted]
    if left_out:
        yield (
            "Left out, as they saw differences in copies or answered repeated pairs otherwise more often "
            f"than not: {', '.join(left_out)}."
        )
    if len(counted) == 1:
        yield "One rater: the intervals are over images alone, and nothing is said of other people."
    for question in count.questions:
        for one in question.preferences:
            if not one.told_apart:
                yield f"{question.question} {one.first} and {one.second} are not told apart."
            else:
                better, worse = (one.first, one.second) if one.share > 0.5 else (one.second, one.first)
                yield f"{question.question} {better} is preferred to {worse}."
        if question.raters_agree is not None:
            yield (
                f"{question.question} Raters agree with alpha {number(question.raters_agree, 2)} (1: "
                "always, 0: by chance)."
            )
        for distance, (right, total) in question.distances_agree.items():
            known = metric(distance)
            title = known.title if known else distance
            yield (
                f"{question.question} {title} is lower for the preferred one in {right} of "
                f"{plural(total, 'pair')}."
            )
    if len(count.systems) > 2 or len(count.questions) > 1:
        yield "Intervals are of one comparison each: of several, one may leave out 50 % by chance."
