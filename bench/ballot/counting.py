"""`bench ballot count`: what the answers to a ballot say: shares with intervals, strengths, agreement.

A rater who sees differences in copies, or answers repeated pairs otherwise, is left out by a rule set
beforehand, and named.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

from bench.ballot.records import (
    Answer,
    AnswerFile,
    BallotCount,
    BallotKey,
    QuestionCount,
    RaterChecks,
    Read,
)
from bench.errors import BenchError
from bench.names import counted
from bench.runs.metrics import described
from bench.statistics.claims import number
from bench.statistics.preference import (
    FEWEST_IMAGES,
    FEWEST_RATERS,
    Preference,
    Vote,
    agreement,
    preferences,
    rank_agreement,
    strengths,
)

LEAST_SURE = 0.5
"""Share of repeated pairs that a rater must answer alike, and of copies that must be called alike."""
FEWEST_CHECKS = 2
"""Checks of a kind below which nobody is left out by them."""


def count_ballot(key: BallotKey, read: Sequence[Read], *, keep_all: bool = False) -> BallotCount:
    """Shares, strengths and agreement of the answers, those left out who fail the checks."""
    checks = [self_agreement(one.answers, key, keep_all) for one in read]
    counting = [one.answers for one, check in zip(read, checks, strict=True) if check.counted]
    if not any(answers.answers for answers in counting):
        empty = not any(one.answers.answers for one in read)
        reason = (
            "the files hold no answers: they were saved before the first was given"
            if empty
            else "all raters fail the checks (--keep-all counts them all the same)"
        )
        raise BenchError(f"Nothing can be counted: {reason}.")
    questions = []
    for name, text in key.questions.items():
        votes = [vote for answers in counting for vote in votes_of(answers, key, name)]
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
        same_answers=[
            (one.rater, other.rater)
            for (first, one), (second, other) in combinations(zip(read, checks, strict=True), 2)
            if first.answers.answers and first.answers.answers == second.answers.answers
        ],
    )


def self_agreement(answers: AnswerFile, key: BallotKey, keep_all: bool = False) -> RaterChecks:
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
        rater=signs_of(answers.name) or answers.rater[:8],
        answers=len(answers.answers),
        complete=len(answers.answers) == asked,
        repeats_alike=alike,
        repeats=len(repeats),
        copies_alike=same,
        copies=len(copies),
        counted=sure or keep_all,
        seconds_an_answer=times[len(times) // 2] / 1000 if times else None,
    )


def signs_of(name: str) -> str:
    """A name that somebody typed, or wrote into a file, as one line of signs that can be printed."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())


def preferred(answer: Answer) -> str:
    """The code of the picture that was chosen; `tie` for none."""
    return {"left": answer.left, "right": answer.right}.get(answer.choice, "tie")


def votes_of(answers: AnswerFile, key: BallotKey, question: str) -> Iterator[Vote]:
    """The votes on a question: first answers to pairs of two systems, the one first that was named first.

    Which of a pair's pictures is `a` says nothing of that: it is drawn for every pair.
    """
    items = {item.number: item for item in key.items}
    places = {system.name: place for place, system in enumerate(key.systems)}
    for each in answers.answers:
        item = items[each.item]
        if each.question != question or each.again or item.copied:
            continue
        (first, code), (second, _) = sorted(
            ((key.pictures[code][0], code) for code in (item.a, item.b)), key=lambda one: places[one[0]]
        )
        value = 0.5 if each.choice == "tie" else float(preferred(each) == code)
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
    """Distance -> (pairs whose preferred system has the lower one, pairs that are told apart)."""
    systems = {system.name: system for system in key.systems}
    agreed: dict[str, tuple[int, int]] = {}
    for one in found:
        a, b = systems[one.first].distances, systems[one.second].distances
        for distance in a.keys() & b.keys():
            if one.told_apart and a[distance] != b[distance]:
                right, total = agreed.get(distance, (0, 0))
                agreed[distance] = (right + ((one.share > 0.5) == (a[distance] < b[distance])), total + 1)
    return dict(sorted(agreed.items()))


def sentences(count: BallotCount) -> Iterator[str]:
    """What may be said of a count, a sentence each; the numbers stand in tables."""
    left_out = [rater.rater for rater in count.raters if not rater.counted]
    if left_out:
        yield (
            "Left out, as they saw differences in copies or answered repeated pairs otherwise more often "
            f"than not: {', '.join(left_out)}."
        )
    empty = [rater.rater for rater in count.raters if not rater.answers]
    if empty:
        yield f"No answers are in the files of: {', '.join(empty)}."
    for twins in count.same_answers:
        yield (
            f"{' and '.join(twins)} gave the same answers after the same times to the millisecond: one file "
            "looks like a copy of the other, and both are counted."
        )
    found = [one for question in count.questions for one in question.preferences]
    if any(not one.of_people for one in found):
        yield (
            f"Where fewer than {FEWEST_RATERS} raters answered, intervals are over images alone, and nothing "
            "is said of other people."
        )
    for question in count.questions:
        for one in question.preferences:
            yield f"{question.question} {preference_sentence(one)}"
        if question.raters_agree is not None:
            yield (
                f"{question.question} Raters agree with alpha {number(question.raters_agree, 2)} (1: "
                "always, 0: by chance)."
            )
        for distance, (right, total) in question.distances_agree.items():
            known = described(distance)
            title = known.title if known else distance
            yield (
                f"{question.question} {title} is lower for the preferred one in {right} of "
                f"{counted(total, 'pair')}."
            )
    if len(found) > 1:
        yield "Intervals are of one comparison each: of several, one may leave out 50 % by chance."


def preference_sentence(one: Preference) -> str:
    """What the votes on two systems allow to be said, and of whom."""
    who = "" if one.of_people else " by this rater" if one.raters == 1 else f" by these {one.raters} raters"
    if not one.enough:
        return (
            f"Too few images to tell {one.first} and {one.second} apart: {counted(one.votes, 'vote')} on "
            f"{counted(one.images, 'image')}, and {FEWEST_IMAGES} images are the fewest."
        )
    if not one.told_apart:
        return f"{one.first} and {one.second} are not told apart{who}."
    better, worse = (one.first, one.second) if one.share > 0.5 else (one.second, one.first)
    return f"{better} is preferred to {worse}{who}."
