"""Counting a ballot: known raters are recovered, careless ones named, files that do not belong refused."""

import json
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.ballot.counting import count_ballot, preference_sentence, sentences
from bench.ballot.records import (
    BallotItem,
    BallotKey,
    BallotSystem,
    read_answers,
    read_count,
    read_key,
    write_count,
)
from bench.errors import BenchError, UsageError
from bench.statistics.preference import (
    Preference,
    Vote,
    agreement,
    bradley_terry,
    preferences,
    rank_agreement,
    strengths,
)


def answered(
    key: BallotKey, rater: str, seed: int = 0, prefers: str | None = None, **changes: Any
) -> dict[str, Any]:
    """The file of a rater who prefers one system wherever it stands, and calls copies alike."""
    lots = random.Random(seed)
    answers = []
    turns = [(item, False) for item in key.items]
    turns += [(item, True) for item in key.items if item.number in key.repeats]
    for item, again in turns:
        turned = lots.random() < 0.5
        left, right = (item.b, item.a) if turned else (item.a, item.b)
        for question in key.questions:
            wanted = [
                side for side, code in (("left", left), ("right", right)) if key.pictures[code][0] == prefers
            ]
            choice = "tie" if item.copied or not wanted else wanted[0]
            one = {"item": item.number, "again": again, "question": question, "left": left, "right": right}
            answers.append({**one, "choice": choice, "milliseconds": 900})
    whole = {
        "kind": "bench-ballot-answers",
        "schema_version": 1,
        "ballot": key.id,
        "rater": rater,
        "name": "",
        "started": "2026-01-01T00:00:00Z",
        "finished": None,
        "answers": answers,
    }
    return whole | changes


def written(folder: Path, *files: dict[str, Any]) -> list[Path]:
    paths = [folder / f"answers-{number}.json" for number in range(len(files))]
    for path, content in zip(paths, files, strict=True):
        path.write_text(json.dumps(content))
    return paths


def test_a_preference_is_counted_whatever_side_it_stood_on(key: BallotKey, tmp_path: Path) -> None:
    files = [answered(key, f"rater{number}", number, prefers="colour") for number in range(3)]
    count = count_ballot(key, read_answers(written(tmp_path, *files), key))
    for question in count.questions:
        assert question.preferences[0].share == 0.0  # of copy, the first
        assert question.preferences[0].told_apart
        assert question.raters_agree is None  # all answers are one: nothing to agree on
    assert [rater.counted for rater in count.raters] == [True] * 3
    assert all(
        rater.copies_alike == rater.copies and rater.repeats_alike == rater.repeats for rater in count.raters
    )
    assert any("colour is preferred to copy" in sentence for sentence in sentences(count))


def test_a_count_is_kept_and_read_again(key: BallotKey, ballot: Path, tmp_path: Path) -> None:
    count = count_ballot(key, read_answers(written(tmp_path, answered(key, "one", prefers="copy")), key))
    kept = write_count(tmp_path, count)
    assert read_count(kept) == count
    kept.write_text("{")
    with pytest.raises(BenchError, match=r"count\.json is damaged"):
        read_count(kept)


def test_what_was_measured_is_held_against_what_is_preferred(key: BallotKey, tmp_path: Path) -> None:
    count = count_ballot(key, read_answers(written(tmp_path, answered(key, "one", prefers="copy")), key))
    better = count.questions[0]
    assert better.distances_agree  # kd and fd of both runs are known
    assert set(better.measures_agree) <= set(key.systems[0].measures)


def test_a_careless_rater_is_named_and_left_out_unless_asked(key: BallotKey, tmp_path: Path) -> None:
    careless = answered(key, "careless", name="Kim", prefers="copy")
    copied = {item.number for item in key.items if item.copied}
    for answer in careless["answers"]:
        if answer["item"] in copied:
            answer["choice"] = "left"
    paths = written(tmp_path, careless, answered(key, "careful", prefers="colour"))
    count = count_ballot(key, read_answers(paths, key))
    assert [(rater.rater, rater.counted) for rater in count.raters] == [("Kim", False), ("careful", True)]
    assert count.questions[0].preferences[0].share == 0.0
    assert any("Left out" in sentence and "Kim" in sentence for sentence in sentences(count))
    assert count_ballot(key, read_answers(paths, key), keep_all=True).questions[0].preferences[0].share == 0.5
    with pytest.raises(BenchError, match="--keep-all"):
        count_ballot(key, read_answers(paths[:1], key))


def test_an_unfinished_file_is_counted_as_far_as_it_goes(key: BallotKey, tmp_path: Path) -> None:
    half = answered(key, "half", prefers="copy")
    half["answers"] = half["answers"][:6]
    count = count_ballot(key, read_answers(written(tmp_path, half), key))
    assert not count.raters[0].complete
    assert count.questions[0].preferences[0].votes <= 3


def test_a_name_is_one_line_whatever_stands_in_the_file(key: BallotKey, tmp_path: Path) -> None:
    names = ["Ada\n\x1b[2JL.", " \t", "Zoë"]
    files = [answered(key, f"rater-{n}", prefers="copy", name=name) for n, name in enumerate(names)]
    count = count_ballot(key, read_answers(written(tmp_path, *files), key))
    assert [rater.rater for rater in count.raters] == ["Ada [2JL.", "rater-1", "Zoë"]


BROKEN = [
    ("", "is damaged: it is no JSON"),
    ("[" * 10**5, "is damaged: it is no JSON"),
    ("{", "is damaged: it is no JSON"),
    ("[1, 2]", "holds no answers of a ballot"),
    ({"ballot": "f00"}, "is of another ballot"),
    ({"schema_version": 7}, "schema version 7"),
    ({"answers": [{"item": 1}]}, "is damaged"),
    ({"extra": 1}, "is damaged"),
    ({"rater": 7}, "is damaged"),
    ({"kind": "bench-ballot"}, "holds no answers of a ballot"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_a_file_that_is_not_of_this_ballot_is_refused_by_name(
    key: BallotKey, tmp_path: Path, change: Any, message: str
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(answered(key, "one")))
    bad.write_text(change if isinstance(change, str) else json.dumps(answered(key, "two") | change))
    with pytest.raises(UsageError, match=message) as error:
        read_answers([good, bad], key)
    assert "bad.json" in str(error.value)
    assert "good.json" not in str(error.value)


def test_answers_to_what_was_never_asked_or_asked_twice_are_refused(key: BallotKey, tmp_path: Path) -> None:
    doubled = answered(key, "one")
    doubled["answers"].append(doubled["answers"][0])
    strange = answered(key, "two")
    strange["answers"][0] = strange["answers"][0] | {"item": 10**6}
    swapped = answered(key, "three")
    swapped["answers"][0] = swapped["answers"][0] | {"left": "nothing"}
    with pytest.raises(UsageError) as error:
        read_answers(written(tmp_path, doubled, strange, swapped), key)
    said = str(error.value)
    assert "answers-0.json answers pair" in said
    assert "answers-1.json answers what was never asked" in said
    assert "answers-2.json shows other pictures" in said


def test_one_rater_is_not_counted_twice(key: BallotKey, tmp_path: Path) -> None:
    paths = written(tmp_path, answered(key, "one"), answered(key, "one"))
    with pytest.raises(
        UsageError, match=r"answers-1\.json has the answers of the rater of .*answers-0\.json"
    ):
        read_answers(paths, key)
    with pytest.raises(UsageError, match="There is no file of answers"):
        read_answers([tmp_path / "nothing.json"], key)


def test_a_folder_without_key_and_a_damaged_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--ballot DIR"):
        read_key(tmp_path)
    (tmp_path / "ballot.json").write_text('{"id": 1}')
    with pytest.raises(BenchError, match=r"ballot\.json is damaged"):
        read_key(tmp_path)


def simulated(rng: np.random.Generator, share: float, raters: int, images: int) -> list[Vote]:
    """Votes for `a` with that probability on average, with raters and images that differ."""
    of_rater, of_image = rng.normal(0, 0.5, raters), rng.normal(0, 0.5, images)
    logit = np.log(share / (1 - share)) + of_rater[:, None] + of_image[None, :]
    chosen = rng.random((raters, images)) < 1 / (1 + np.exp(-logit))
    return [
        Vote(f"r{r}", f"i{i}", "a", "b", float(chosen[r, i])) for r in range(raters) for i in range(images)
    ]


def test_the_interval_covers_the_share_of_other_raters_and_images_at_the_nominal_rate() -> None:
    rng = np.random.default_rng(0)
    truth = float(np.mean([vote.value for vote in simulated(rng, 0.7, 400, 400)]))
    covered = 0
    for number in range(120):
        interval = preferences(simulated(rng, 0.7, 10, 20), seed=number)[0].interval
        assert interval is not None
        covered += interval[0] <= truth <= interval[1]
    assert covered / 120 >= 0.9  # 95 % less three standard errors of 120 draws


def test_raters_who_choose_by_lot_are_told_apart_about_as_seldom_as_promised() -> None:
    rng = np.random.default_rng(1)
    claims = sum(preferences(simulated(rng, 0.5, 10, 20), seed=n)[0].told_apart for n in range(120))
    assert claims / 120 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 120)


def test_strengths_are_the_odds_that_votes_were_drawn_with() -> None:
    truth = np.array([0.9, 0.0, -0.9])
    rng = np.random.default_rng(2)
    votes = []
    for a, b in ((0, 1), (0, 2), (1, 2)):
        for image in range(400):
            won = rng.random() < 1 / (1 + np.exp(truth[b] - truth[a]))
            votes.append(Vote("r", f"i{image}", "xyz"[a], "xyz"[b], float(won)))
    found = strengths(votes, draws=100)
    assert [one.system for one in found] == ["x", "y", "z"]
    assert [one.strength for one in found] == pytest.approx(truth, abs=0.25)
    assert all(one.interval and one.interval[0] < one.strength < one.interval[1] for one in found)


def test_one_that_always_wins_keeps_a_finite_strength() -> None:
    assert np.isfinite(bradley_terry(np.array([[0.0, 10.0], [0.0, 0.0]]))).all()


def test_agreement_is_one_for_equal_answers_and_nothing_by_lot() -> None:
    rng = np.random.default_rng(3)
    values = rng.choice([0.0, 0.5, 1.0], 300)
    same = [Vote(rater, f"i{n}", "a", "b", float(v)) for n, v in enumerate(values) for rater in "xy"]
    lots = [Vote(r, f"i{n}", "a", "b", float(rng.choice([0.0, 1.0]))) for n in range(300) for r in "xy"]
    assert agreement(same) == pytest.approx(1)
    assert agreement(lots) == pytest.approx(0, abs=0.15)
    assert agreement(same[:1]) is None


def test_a_measure_that_raters_follow_agrees_with_them() -> None:
    values = {"a": {f"i{n}": float(n) for n in range(9)}, "b": {f"i{n}": 4.0 for n in range(9)}}
    votes = [Vote("r", f"i{n}", "a", "b", float(n > 4)) for n in range(9)]
    found = rank_agreement(votes, values)
    assert found is not None
    assert found[0] > 0.8
    assert found[1] == 9
    assert rank_agreement(votes, {"a": values["a"]}) is None


def test_three_systems_are_ranked(tmp_path: Path) -> None:
    names = ("x", "y", "z")
    pictures = {f"{name}{image}": (name, f"i{image}") for name in names for image in range(4)}
    pairs = [(a, b, image) for image in range(4) for a, b in (("x", "y"), ("x", "z"), ("y", "z"))]
    key = BallotKey(
        id="three",
        dataset="toy",
        direction="A2B",
        protocol=None,
        questions={"better": "Which?"},
        systems=[BallotSystem(name=name, origin="images", distances={}, measures={}) for name in names],
        pictures=pictures,
        items=[
            BallotItem(number=n, image=f"i{image}", a=f"{a}{image}", b=f"{b}{image}")
            for n, (a, b, image) in enumerate(pairs)
        ],
        repeats=[],
    )
    count = count_ballot(key, read_answers(written(tmp_path, answered(key, "one", prefers="z")), key))
    assert count.questions[0].strengths[0].system == "z"


def test_nothing_is_claimed_from_fewer_images_than_can_tell_however_they_agree() -> None:
    for images in range(1, 9):
        votes = [Vote(f"r{r}", f"i{i}", "a", "b", 1.0) for i in range(images) for r in range(10)]
        one = preferences(votes)[0]
        assert one.told_apart == (images >= 6)
        assert ("Too few images to tell" in preference_sentence(one)) == (images < 6)
        if images > 1:
            assert one.interval is not None
            assert one.interval[0] == pytest.approx(0.025 ** (1 / images))  # the exact bound, no collapse
            assert one.interval[1] == 1.0


def test_an_interval_never_collapses_and_is_turned_with_the_votes() -> None:
    for value in (0.0, 0.5, 1.0):
        votes = [Vote("r", f"i{i}", "a", "b", value) for i in range(12)]
        interval = preferences(votes)[0].interval
        turned = preferences([replace(vote, value=1 - value) for vote in votes])[0].interval
        assert interval is not None
        assert turned is not None
        assert interval[1] - interval[0] > 0.2
        assert turned == pytest.approx((1 - interval[1], 1 - interval[0]))


def test_few_raters_are_spoken_of_as_these_raters_and_agreeing_ones_are_worth_no_more_than_they_are() -> None:
    def all_for_one(raters: int) -> Preference:
        return preferences([Vote(f"r{r}", f"i{i}", "a", "b", 1.0) for r in range(raters) for i in range(30)])[
            0
        ]

    assert preference_sentence(all_for_one(1)) == "a is preferred to b by this rater."
    assert preference_sentence(all_for_one(5)) == "a is preferred to b by these 5 raters."
    assert preference_sentence(all_for_one(6)) == "a is preferred to b."
    of_people = all_for_one(6).interval
    assert of_people is not None
    assert of_people[0] == pytest.approx(0.025 ** (1 / 6))  # six people, not thirty images


@pytest.mark.parametrize("images", [6, 7, 8, 11, 13])
def test_one_rater_who_chooses_by_lot_is_told_apart_no_more_often_than_promised(images: int) -> None:
    claimed = 0.0
    for won in range(images + 1):  # every count of wins with its probability: no draw is needed
        votes = [Vote("r", f"i{i}", "a", "b", float(i < won)) for i in range(images)]
        claimed += preferences(votes)[0].told_apart * math.comb(images, won) / 2**images
    assert 0 < claimed <= 0.05


def test_one_that_wins_every_vote_has_no_interval_of_its_strength() -> None:
    votes = [
        Vote("r", f"i{i}", a, b, value)
        for i in range(8)
        for a, b, value in (("x", "y", 1.0), ("x", "z", 1.0), ("y", "z", float(i % 2)))
    ]
    found = {one.system: one.interval for one in strengths(votes)}
    assert found["x"] is None
    assert found["y"] is not None
    few = strengths([vote for vote in votes if vote.image in ("i0", "i1", "i2")])
    assert all(one.interval is None for one in few)


def test_distances_are_held_against_supported_preferences_alone(key: BallotKey, tmp_path: Path) -> None:
    file = answered(key, "one", prefers="copy")
    images = sorted({item.image for item in key.items})[:3]
    few = {item.number for item in key.items if item.image in images}
    file["answers"] = [answer for answer in file["answers"] if answer["item"] in few]
    count = count_ballot(key, read_answers(written(tmp_path, file), key))
    assert count.questions[0].distances_agree == {}
    said = " ".join(sentences(count))
    assert "Too few images to tell copy and colour apart: 3 votes on 3 images" in said
    assert "is preferred" not in said


def test_the_first_of_a_preference_is_the_first_that_was_named_whatever_a_pair_calls_its_pictures(
    key: BallotKey, tmp_path: Path
) -> None:
    """As ballots made before had it: `a` of every pair was the first that was named, and counts alike."""

    def naming(item: BallotItem, program: str) -> BallotItem:
        a, b = sorted((item.a, item.b), key=lambda code: key.pictures[code][0] != program)
        return item.model_copy(update={"a": a, "b": b})

    drawn = count_ballot(key, read_answers(written(tmp_path, answered(key, "one", prefers="copy")), key))
    assert len(drawn.questions[0].preferences) == 1
    assert (drawn.questions[0].preferences[0].first, drawn.questions[0].preferences[0].share) == ("copy", 1.0)
    for first in ("copy", "colour"):
        old = key.model_copy(update={"items": [naming(item, first) for item in key.items]})
        assert (
            count_ballot(old, read_answers(written(tmp_path, answered(key, "one", prefers="copy")), old))
            == drawn
        )


def test_files_without_answers_are_called_that(key: BallotKey, tmp_path: Path) -> None:
    nothing = answered(key, "nothing", name="Eve", answers=[])
    paths = written(tmp_path, nothing, answered(key, "one", prefers="copy"))
    with pytest.raises(BenchError, match="the files hold no answers"):
        count_ballot(key, read_answers(paths[:1], key))
    said = list(sentences(count_ballot(key, read_answers(paths, key))))
    assert "No answers are in the files of: Eve." in said
    assert any(sentence.endswith("is preferred to colour by this rater.") for sentence in said)


def test_a_file_that_was_copied_under_another_name_is_told_of(key: BallotKey, tmp_path: Path) -> None:
    slower = answered(key, "slower", prefers="copy", name="Cy")
    slower["answers"][0] |= {"milliseconds": 901}
    paths = written(
        tmp_path,
        answered(key, "one", prefers="copy", name="Al"),
        answered(key, "two", prefers="copy", name="Bo"),
        slower,
    )
    count = count_ballot(key, read_answers(paths, key))
    assert count.same_answers == [("Al", "Bo")]
    assert any("Al and Bo gave the same answers" in sentence for sentence in sentences(count))
    assert not any("Cy" in sentence for sentence in sentences(count))
