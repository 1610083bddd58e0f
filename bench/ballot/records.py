"""The files of a ballot: its key, the answers that raters save, and the count; each read and checked.

A file of answers that is damaged, of another ballot, of a rater who is there already, or that answers what
was never asked is refused by its name. Imports no torch: a report reads counts, too.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.data.files import kind_of_path, printable
from bench.errors import BenchError, UsageError
from bench.runs import atomic
from bench.runs.records import Direction, first_problem, refuse_newer
from bench.statistics.preference import Preference, Strength

KEY, COUNT = "ballot.json", "count.json"
SCHEMA_VERSION = 1


class BallotModel(BaseModel):
    """Frozen; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BallotItem(BallotModel):
    """Two pictures to be compared; `copied`: one picture twice."""

    number: int
    image: str
    """File of the test image."""
    a: str
    b: str
    """Codes of the pictures."""
    copied: bool = False


class BallotSystem(BallotModel):
    """One of the compared: its name, where its pictures come from, and what was measured of it."""

    name: str
    origin: str
    distances: dict[str, float]
    """Set distances of the last weights in this direction; lower is nearer the target."""
    measures: dict[str, dict[str, float]]
    """Per-image measure -> test image -> value, of the images shown."""


class BallotKey(BallotModel):
    """The whole of ballot.json: what `bench ballot count` needs to read answers."""

    schema_version: int = SCHEMA_VERSION
    kind: str = "bench-ballot"
    id: str
    """Of this ballot alone; every file of answers names it."""
    dataset: str
    direction: Direction
    protocol: str | None
    questions: dict[str, str]
    systems: list[BallotSystem]
    pictures: dict[str, tuple[str, str]]
    """Code -> (system, test image)."""
    items: list[BallotItem]
    repeats: list[int]
    """Numbers of the items that come twice."""


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


class AnswerFile(BaseModel):
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

    schema_version: int = SCHEMA_VERSION
    kind: str = "bench-ballot-count"
    ballot: str
    dataset: str
    direction: str
    protocol: str | None
    systems: list[str]
    raters: list[RaterChecks]
    questions: list[QuestionCount]
    same_answers: list[tuple[str, str]] = []
    """Raters by two whose files hold the same answers after the same times."""


@dataclass(frozen=True)
class Read:
    """A file of answers with its place."""

    path: Path
    answers: AnswerFile


def read_key(folder: Path) -> BallotKey:
    """The key of a ballot. Raises UsageError where the folder has none, BenchError for a damaged one."""
    path = folder / KEY
    if kind_of_path(path) != "file":
        raise UsageError(
            f"{printable(folder)} holds no {KEY}, which says what the answers are of. Name the folder "
            "that bench ballot make wrote: --ballot DIR"
        )
    text = path.read_text(encoding="utf-8", errors="replace")
    refuse_newer(path, text, SCHEMA_VERSION)
    try:
        return BallotKey.model_validate_json(text)
    except ValidationError as error:
        raise BenchError(f"{printable(path)} is damaged ({first_problem(error)}).") from None


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
        kind = kind_of_path(path)
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


def _read(path: Path, key: BallotKey) -> AnswerFile | str:
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
        answers = AnswerFile.model_validate(said, strict=False)
    except ValidationError as error:
        return f"is damaged ({first_problem(error)}). Have it saved again"
    if answers.ballot != key.id:
        return f"is of another ballot ({answers.ballot}, not {key.id})"
    return wrong_answer(answers, key) or answers


def wrong_answer(answers: AnswerFile, key: BallotKey) -> str | None:
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


def write_count(folder: Path, count: BallotCount) -> Path:
    """Keep the count beside the key, where the report finds it."""
    atomic.write_text(folder / COUNT, count.model_dump_json(indent=1) + "\n")
    return folder / COUNT


def read_count(path: Path) -> BallotCount:
    """A count that was kept. Raises BenchError for one that is damaged or newer."""
    text = path.read_text(encoding="utf-8", errors="replace")
    refuse_newer(path, text, SCHEMA_VERSION)
    try:
        return BallotCount.model_validate_json(text)
    except ValidationError as error:
        raise BenchError(f"{printable(path)} is damaged ({first_problem(error)}). Count again.") from None
