"""What the first screen says, case by case; and what it is made of, from run folders."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from reports import metrics
from reports.comparability import groups
from reports.frame import read_study, run_folders
from reports.screen import screen
from reports.summaries import Summary
from reports.tables.main import main_table
from reports.verdict import words
from reports.verdict.answers import answer_all
from reports.verdict.model import Answers, Attention, Head, Mark, Share, Task
from reports.verdict.shares import answers

NEAR, FAR, OPEN = Mark.NEARER, Mark.FARTHER, Mark.OPEN
NEAR_EACH, FAR_EACH, COPIES, RUNNING = Mark.NEARER_EACH, Mark.FARTHER_EACH, Mark.COPIES, Mark.RUNNING
Told = tuple[float, Mark]
Tasks = Mapping[tuple[str, str], Mapping[str, Told]]
HORSES = "horse2zebra"


def share(variant: str, mean: float, mark: Mark, seeds: int) -> Share:
    comparison: Any = None
    if mark in (NEAR, FAR, OPEN):
        comparison = FakeComparison()
    values = tuple(mean + 0.01 * (seed - (seeds - 1) / 2) for seed in range(seeds))
    return Share(variant, mark, Summary(values, tuple(range(seeds))), 1.0, None, seeds, seeds, comparison)


class FakeComparison:
    """Of a comparison the sentences ask nothing but whether there was a test."""

    from bench.statistics import Verdict

    verdict, p_value = Verdict.SUPPORTED, 0.01


def found(
    tasks: Tasks,
    *,
    seeds: int = 5,
    best: Mapping[tuple[str, str], str] | None = None,
    heads: Mapping[str, Attention] | None = None,
    untrained: Sequence[str] = (),
    systems: Mapping[str, str] | None = None,
    **changes: Any,
) -> Answers:
    """Answers of a study: (data set, direction) -> variant -> (share of a copy's distance, mark)."""
    made, names = [], []
    for (dataset, direction), told in tasks.items():
        shares = {
            name: share(name, mean, Mark.VALUE if name in (*untrained, *(systems or {})) else mark, seeds)
            for name, (mean, mark) in told.items()
        }
        names += [name for name in told if name not in names]
        made.append(
            Task(
                dataset,
                "small",
                dataset,
                direction,
                "kd",
                1.0,
                0.05,
                shares,
                (best or {}).get((dataset, direction)),
            )
        )
    trained = [name for name in names if name not in (*untrained, *(systems or {}))]
    return Answers(
        tuple(made), tuple(trained), tuple(untrained), dict(systems or {}), dict(heads or {}), {}, **changes
    )


def both(a: Mapping[str, Told], b: Mapping[str, Told], dataset: str = HORSES) -> Tasks:
    return {(dataset, "A2B"): a, (dataset, "B2A"): b}


def alive(*effects: float) -> Attention:
    return Attention(Head.ALIVE, 0, 10, {("g", str(at)): effect for at, effect in enumerate(effects)})


DEAD = Attention(Head.DEAD, 10, 10, {("g", "A2B"): 0.0})
WORSE = {"slot9": (1.5, FAR), "spatial": (1.8, FAR)}
SIX = {
    (name, way): {"slot9": (1.5, FAR), "spatial": (1.8, FAR)}
    for name in ("one", "two", "three")
    for way in ("A2B", "B2A")
}


def test_nobody_beats_copying() -> None:
    said = answer_all(found(SIX))
    assert (
        said.headline
        == "Nothing trained here beats copying the input, in any of 6 tasks. No variant is best."
    )
    assert said.copying[0] == "Never: 0 of 12 results."
    assert "The lowest is `slot9` with 1.50 of a copy's distance" in said.lede


def test_what_is_lowest_is_so_over_the_seeds_that_all_have() -> None:
    """Of one variant a seed more is there, which raises its mean."""
    values = {"slot9": Summary((0.1281, 0.1380), (0, 1)), "spatial": Summary((0.1326,), (0,))}
    shares = {name: Share(name, OPEN, summary, 1.0) for name, summary in values.items()}
    task = Task("place", "small", HORSES, "A2B", "kd(tiny)", 1.0, None, shares)
    assert task.lowest(["slot9", "spatial"]) == "slot9"
    assert task.lowest(["spatial"]) == "spatial"


def test_some_tasks_are_counted_and_only_up_to_half_is_only() -> None:
    some = {**SIX, ("three", "B2A"): {"slot9": (0.5, NEAR), "spatial": (1.1, OPEN)}}
    assert answer_all(found(some)).headline.startswith("Copying the input is beaten in only 1 of 6 tasks.")
    most = {place: {"slot9": (0.5, NEAR), "spatial": (1.1, OPEN)} for place in list(SIX)[:5]}
    said = answer_all(found({**SIX, **most}))
    assert said.headline.startswith("Copying the input is beaten in 5 of 6 tasks.")
    assert said.copying[0] == "Sometimes: 5 of 12 results."


def test_the_lede_names_two_tasks_at_most_and_the_worst_data_set() -> None:
    tasks = {
        **SIX,
        ("three", "A2B"): {"slot9": (0.5, NEAR), "spatial": (0.6, NEAR)},
        ("three", "B2A"): {"slot9": (0.5, NEAR), "spatial": (0.6, NEAR)},
        ("two", "A2B"): {"slot9": (0.5, NEAR), "spatial": (0.6, NEAR)},
        ("one", "A2B"): {"slot9": (5.2, FAR), "spatial": (12.7, FAR)},
        ("one", "B2A"): {"slot9": (5.4, FAR), "spatial": (12.1, FAR)},
    }
    lede = answer_all(found(tasks, heads={"slot9": DEAD, "spatial": alive(9)})).lede
    assert lede.startswith(
        "Both trained variants come nearer on two A → B and on three A → B, 1 of them with"
    )
    assert "some in 1 other task" in lede
    assert "On one all end 5 to 13 times as far away as a copy." in lede


def test_a_study_in_which_everything_beats_copying_says_so_once() -> None:
    tasks: Tasks = {place: {"slot9": (0.5, NEAR), "spatial": (0.6, NEAR)} for place in SIX}
    lede = answer_all(found(tasks, heads={"slot9": DEAD, "spatial": alive(9)})).lede
    assert lede == "Both trained variants come nearer everywhere, 1 of them with attention dead or off."


def test_one_data_set_is_told_by_direction_and_by_the_names_of_its_domains() -> None:
    tasks = both({"slot9": (1.4, FAR), "spatial": (1.5, FAR)}, {"slot9": (0.7, NEAR), "spatial": (1.2, OPEN)})
    assert answer_all(found(tasks)).headline.startswith(
        "`slot9` beats copying zebra → horse, not horse → zebra."
    )
    tasks = both({"slot9": (0.4, NEAR)}, {"slot9": (0.7, NEAR)}, "toy-shape")
    assert answer_all(found(tasks)).headline == "`slot9` beats copying, both ways."
    assert answer_all(found(both(WORSE, WORSE))).headline.startswith(
        "Nothing trained here beats copying the input, in either direction."
    )


@pytest.mark.parametrize(
    ("a", "b", "clause"),
    [
        ("xyz", "xyz", "All 3 variants beat copying, both ways."),
        ("xy", "xy", "2 of 3 variants beat copying, both ways."),
        ("x", "x", "`x` beats copying, both ways."),
        ("xy", "", "2 of 3 variants beat copying horse → zebra, not zebra → horse."),
        ("", "y", "`y` beats copying zebra → horse, not horse → zebra."),
        (
            "xyz",
            "x",
            "All 3 variants beat copying, in one direction or both: 3 horse → zebra, 1 zebra → horse.",
        ),
        (
            "x",
            "y",
            "2 of 3 variants beat copying, in one direction or both: 1 horse → zebra, 1 zebra → horse.",
        ),
        (
            "xy",
            "yz",
            "All 3 variants beat copying, in one direction or both: 2 horse → zebra, 2 zebra → horse.",
        ),
    ],
)
def test_who_beats_copying_in_one_direction_is_not_said_to_do_so_both_ways(
    a: str, b: str, clause: str
) -> None:
    def rows(near: str, yes: Mark, no: Mark) -> dict[str, Told]:
        return {name: (0.5, yes) if name in near else (1.1, no) for name in "xyz"}

    said = answer_all(found(both(rows(a, NEAR, OPEN), rows(b, NEAR, OPEN)))).headline
    assert said == f"{clause} No variant is best."
    few = answer_all(
        found(both(rows(a, NEAR_EACH, FAR_EACH), rows(b, NEAR_EACH, FAR_EACH)), seeds=3)
    ).headline
    counts = clause.partition(":")[2]
    assert "copying" not in few
    assert f"in every seed, in one direction or both:{counts}" in few if counts else " in every seed" in few


def test_a_lone_variants_distances_are_said_as_shares_and_a_direction_is_called_by_its_domains() -> None:
    said = answer_all(found(both({"slot9": (10.4, FAR)}, {"slot9": (0.67, NEAR)}), heads={"slot9": DEAD}))
    assert said.lede == (
        "As a share of a copy's, its distance is 10.4 horse → zebra and 0.67 zebra → horse; its attention is "
        "dead."
    )
    far: Mapping[str, Told] = {"slot9": (10.4, FAR), "spatial": (9.9, FAR)}
    said = answer_all(found(both(far, {"slot9": (0.67, NEAR), "spatial": (0.7, NEAR)})))
    assert said.lede.endswith("All end 10 times as far away as a copy horse → zebra.")


def test_a_single_direction_is_named() -> None:
    tasks: Tasks = {(HORSES, "A2B"): {"x": (0.5, NEAR), "y": (0.6, NEAR)}}
    assert answer_all(found(tasks)).headline.startswith("Both variants beat copying horse → zebra.")


def test_one_variant_has_no_winner_clause() -> None:
    said = answer_all(found(both({"slot9": (1.4, FAR)}, {"slot9": (0.7, NEAR)})))
    assert said.headline == "`slot9` beats copying zebra → horse, not horse → zebra."
    assert said.best[0] == "Only one was trained."


def test_one_seed_and_three_never_name_a_winner() -> None:
    three = {place: {"slot9": (0.5, NEAR_EACH), "spatial": (1.5, FAR_EACH)} for place in SIX}
    said = answer_all(found(three, seeds=3))
    assert said.headline == (
        "In all 6 tasks some variant beats copying in every seed. 3 seeds: no winner is named."
    )
    assert said.best == (
        "Nobody.",
        "3 seeds show a range and support no claim. Lowest mean: `slot9` in 6 of 6.",
    )
    assert said.sure == ("3 seeds: ranges, no claims.", "A claim needs 5.")
    one = answer_all(found(both({"slot9": (1.5, FAR_EACH)}, {"slot9": (0.8, NEAR_EACH)}), seeds=1))
    assert one.headline == (
        "`slot9` comes nearer than a copy zebra → horse, not horse → zebra. 1 seed: no claim is made."
    )
    assert one.sure[0] == "1 seed: values, no claims."
    worse = answer_all(found(both({"slot9": (1.5, FAR_EACH)}, {"slot9": (8.0, FAR_EACH)}), seeds=1))
    assert worse.headline == (
        "`slot9` does not come nearer than a copy of the input, in either direction. "
        "1 seed: no claim is made."
    )


def test_better_in_all_seeds_but_one_is_not_called_beating() -> None:
    almost = share("spatial", 0.985, OPEN, 5)
    values = (0.9, 0.92, 0.95, 0.9, 1.08)
    almost = replace(almost, found=Summary(values, (0, 1, 2, 3, 4)))
    study = found(both({"spatial": (1.2, OPEN), "slot9": (1.3, FAR)}, {"slot9": (1.3, FAR)}))
    task = replace(study.tasks[0], shares={**study.tasks[0].shares, "spatial": almost})
    said = answer_all(replace(study, tasks=(task, study.tasks[1])))
    assert said.headline.startswith("`spatial` comes nearer than a copy in 4 of 5 seeds, not reliably.")
    assert "`spatial` has 1.08 in seed 4." in said.copying[1]


def test_a_winner_worse_than_copying_says_so_and_where() -> None:
    best = {("summer2winter_yosemite", way): "slot9" for way in ("A2B", "B2A")}
    tasks = {place: {"slot9": (6.1, FAR), "spatial": (9.0, FAR)} for place in best} | {("x", "A2B"): WORSE}
    said = answer_all(found(tasks, best=best))
    assert said.headline.endswith(
        "`slot9` is best on summer2winter, both ways, and still 6 times as far as a copy."
    )
    assert said.best[0] == "`slot9`."


@pytest.mark.parametrize(
    ("head", "clause"),
    [
        (DEAD, "; its attention is dead: the masks are flat in every run."),
        (Attention(Head.GIVEN), "; its masks are given, not learned, so attention has no part in it."),
    ],
)
def test_a_win_of_a_dead_or_given_head_is_not_credited_to_attention(head: Attention, clause: str) -> None:
    near = {"slot9": (0.5, NEAR), "spatial": (0.9, OPEN)}
    said = answer_all(found(both(near, near), best={(HORSES, "A2B"): "slot9"}, heads={"slot9": head}))
    assert said.headline.endswith(f"`slot9` is best horse → zebra{clause}")


def test_heads_are_alive_dead_or_hardly_used() -> None:
    heads = {"slot9": DEAD, "spatial": alive(8.1, 13.2), "slot5": alive(0.2, 0.6)}
    row = dict.fromkeys(heads, (1.5, FAR))
    said = answer_all(found(both(row, row), heads=heads)).attention
    assert said == (
        "In 2 of 3 variants.",
        "`spatial` is alive and moves the output by 8 to 13 of 255 levels; `slot5` is alive but hardly used: "
        "it moves the output by 0.2 to 0.6 of 255 levels; `slot9` is dead: masks flat in every run.",
    )
    alone = answer_all(found(both({"slot9": (1.5, FAR)}, {}), heads={"slot9": DEAD})).attention
    assert alone == ("No.", "The masks of `slot9` are flat in every run.")
    none = {"cyclegan": Attention(Head.NONE)}
    assert answer_all(found(both({"cyclegan": (1.5, FAR)}, {}), heads=none)).attention[0] == "There is none."


GIVEN = Attention(Head.GIVEN, 0, 10, {("g", "A2B"): 40.0})


def test_masks_that_are_given_attend_to_nothing_and_are_counted_nowhere() -> None:
    row: dict[str, Told] = {"slot9": (0.5, NEAR), "oracle": (0.4, NEAR)}
    said = answer_all(found(both(row, row), heads={"slot9": alive(9), "oracle": GIVEN}))
    assert said.attention == (
        "Yes.",
        "`slot9` is alive and moves the output by 9 of 255 levels; the masks of `oracle` are given, not "
        "learned.",
    )
    assert "1 of them with attention dead, given or off" in said.lede
    dead = answer_all(found(both(row, row), heads={"slot9": DEAD, "oracle": GIVEN})).attention
    assert dead == (
        "No.",
        "The masks of `slot9` are flat in every run; the masks of `oracle` are given, not learned.",
    )
    alone = answer_all(found(both({"oracle": (0.4, NEAR)}, {}), heads={"oracle": GIVEN}))
    assert alone.attention == ("There is none.", "The masks of `oracle` are given, not learned.")
    assert alone.lede.endswith("; its masks are given, not learned.")
    row["slot9"] = (1.5, FAR)
    said = answer_all(found(both(row, row), heads={"slot9": alive(9), "oracle": GIVEN}))
    assert said.lede.startswith("`oracle` alone comes nearer")
    assert "with given masks" in said.lede


@pytest.mark.parametrize(
    ("variant", "recorded", "head"),
    [
        ("oracle[width=8]", None, Head.GIVEN),
        ("oracle", True, Head.ALIVE),
        ("convolution5", None, Head.ALIVE),
        ("theirs", None, Head.ALIVE),
        ("theirs", False, Head.GIVEN),
    ],
)
def test_whose_masks_are_given_is_recorded_and_known_of_ours_by_name_in_older_records(
    tmp_path: Path, mini: ModuleType, variant: str, recorded: bool | None, head: Head
) -> None:
    mini.write_study(tmp_path, (variant,), seeds=(0, 1), pictures=False)
    for path in tmp_path.rglob("run.json"):
        told = json.loads(path.read_text())
        del told["learns_masks"]  # as before it was kept
        kept = {} if recorded is None else {"learns_masks": recorded}
        path.write_text(json.dumps(told | kept | {"kind": "control"}))
    assert read(tmp_path).attention[variant].head is head


def test_a_variant_that_returns_its_input_is_said_to_have_learned_to_copy() -> None:
    copied = {"cyclegan": (1.0, COPIES)}
    alone = replace(found(both(copied, copied)), unchanged={"cyclegan": 0.97})
    assert answer_all(alone).headline == "`cyclegan` has learned to copy: 97 % of its images are unchanged."
    row = {**copied, "slot9": (0.5, NEAR)}
    beside = replace(found(both(row, row)), unchanged={"cyclegan": 0.97})
    assert "97 % of its images are unchanged" in answer_all(beside).lede
    assert answer_all(beside).headline.startswith("`slot9` beats copying, both ways.")
    assert "2 are a copy" in answer_all(beside).copying[1]


def test_other_systems_are_named_and_never_counted() -> None:
    row = {"slot9": (1.2, FAR), "theirs": (0.62, OPEN)}
    said = answer_all(found(both(row, row), systems={"theirs": "another program"}))
    assert said.headline.startswith("`slot9` does not beat copying")
    assert "`theirs` lies lower (0.62), another program: not compared." in said.lede
    assert said.copying[0] == "Never: 0 of 2 results."
    only = found(both({"theirs": (0.6, OPEN)}, {}), systems={"theirs": "another program"})
    assert answer_all(only).headline == "Nothing was trained here: these are images of other programs."


def test_what_is_not_trained_is_named_where_it_lies_lower() -> None:
    row = {"slot9": (1.2, FAR), "spatial": (1.3, FAR), "colour": (0.8, OPEN)}
    said = answer_all(found(both(row, row), untrained=("colour",)))
    assert "Untrained `colour` is nearer than everything trained in 2 of 2." in said.lede


def test_runs_that_are_going_on_make_every_sentence_one_of_so_far() -> None:
    row = {"slot9": (0.5, NEAR), "spatial": (0.7, RUNNING)}
    said = answer_all(found({**SIX, ("three", "A2B"): row}, running=True, runs_done=82, runs_planned=90))
    assert said.headline == "So far: copying the input is beaten in only 1 of 6 tasks. No winner yet."
    assert said.live == "82 of 90 runs are done."
    assert said.copying[0] == "Seldom: 1 of 11 results."


def test_while_no_variant_has_all_of_its_seeds_what_is_done_is_said_and_nothing_is_called_unmeasured() -> (
    None
):
    tasks = both({"slot9": (0.7, RUNNING), "spatial": (0.9, RUNNING)}, {"slot9": (0.8, RUNNING)})
    study = found(tasks, seeds=2, running=True, runs_done=4, runs_planned=10)
    begun = [
        replace(task, shares={name: replace(one, expected=5) for name, one in task.shares.items()})
        for task in study.tasks
    ]
    said = answer_all(replace(study, tasks=tuple(begun)))
    assert said.headline == "No verdict yet: 2 of 5 seeds are done."
    assert said.best == ("Nobody yet.", "No variant has all of its seeds: 2 of 5 seeds are done.")
    assert said.copying[0] == "Not known yet."
    assert said.sure[0] == "Not yet."
    failed = found(both({}, {}), runs_planned=2)
    assert answer_all(failed).headline == "No trained variant has a distance yet: 2 runs did not finish."
    nothing = found(both({}, {}), running=True)
    assert answer_all(nothing).headline == "Nothing is finished yet."


def test_rendered_scenes_have_their_domains_names_and_networks_their_own() -> None:
    assert words.arrow("toy-stripes", "B2A") == "zebra → horse"
    assert words.arrow("toy-shape", "A2B") == "apple → orange"
    assert words.arrow("mine", "A2B") == "A → B"
    assert metrics.network_words("squeezenet") == "SqueezeNet's features"
    assert metrics.network_words("") == "Inception's features"
    assert metrics.network_words("mine") == "`mine` features"


def test_many_variants_are_counted_by_variant() -> None:
    row: dict[str, Told] = {
        f"slot{at}": (0.9 if at < 5 else 1.4, NEAR if at < 5 else FAR) for at in range(14)
    }
    row["colour"] = (0.4, OPEN)
    said = answer_all(found(both(row, row), untrained=("colour",)))
    assert said.headline == (
        "5 of 14 variants beat copying everywhere; `colour`, untrained, is nearer than all of them."
    )
    other: dict[str, Told] = {f"slot{at}": (0.9, NEAR) if at == 9 else (1.4, FAR) for at in range(14)}
    assert (
        answer_all(found(both(row, other), untrained=("colour",))).headline
        == "6 of 14 variants beat copying somewhere."
    )
    assert answer_all(found({(HORSES, "A2B"): other})).headline == "1 of 14 variants beat copying."


def test_tasks_that_the_same_variants_come_nearer_in_are_said_at_once() -> None:
    row: dict[str, Told] = {"slot9": (0.9, NEAR), "spatial": (1.4, FAR)}
    said = answer_all(found(both(row, row)))
    assert said.lede.startswith("`slot9` alone comes nearer both ways.")
    going = answer_all(found(both(row, row), running=True))
    assert going.lede.startswith("`slot9` comes nearer both ways."), "others may still come"


def test_where_a_copy_has_no_distance_nothing_is_held_against_it(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path, ("slot9", "copy"), seeds=(0,), pictures=False)
    for path in tmp_path.rglob("scores.json"):
        told = json.loads(path.read_text())
        for selection in told["selections"].values():
            for direction in selection["directions"].values():
                for key, score in direction["metrics"].items():
                    if key.startswith("k"):
                        score["ceiling"] = -0.00004
        path.write_text(json.dumps(told))
    said = answer_all(read(tmp_path))
    assert (
        said.headline == "Copying the input has no distance above 0 here, so nothing can be held against it."
    )
    assert "the distances themselves stand in the tables" in said.best[1]
    assert "the distances themselves stand in the tables" in said.sure[1]


def test_several_protocols_name_theirs_behind_a_data_set() -> None:
    study = found(both({"slot9": (0.5, NEAR), "spatial": (1.5, FAR)}, WORSE))
    other = [replace(task, protocol="paper-128[train.batch=2]") for task in study.tasks]
    said = answer_all(replace(study, tasks=(*study.tasks, *other)))
    assert "in only 2 of 4 tasks" in said.headline
    assert "on horse2zebra (small) A → B" in said.lede
    assert "horse2zebra (paper-128) A → B" in said.lede
    best = [replace(task, best="slot9") for task in study.tasks]
    said = answer_all(replace(study, tasks=(*best, *other)))
    assert "`slot9` is best on horse2zebra (small), both ways" in said.headline


Read = Callable[[Path], Answers]


def read(root: Path) -> Answers:
    return answers(groups(read_study(run_folders([root]))))


def test_every_trained_variant_is_compared_with_a_copy_that_was_never_run(
    tmp_path: Path, mini: ModuleType
) -> None:
    mini.write_study(tmp_path, ("spatial", "slot9", "uniform"), seeds=range(5), pictures=False)
    first, second = read(tmp_path).tasks
    run = [mini.Mini(mini.protocol(), "toy-stripes", "slot9", seed) for seed in range(5)]
    expected = np.mean([mini.kernel_value(one, "A2B") for one in run]) / mini.CEILING
    assert first.shares["slot9"].mean == pytest.approx(expected)
    assert {each.mark for each in first.shares.values()} == {Mark.NEARER}
    adjusted = [
        each.comparison.p_adjusted
        for task in (first, second)
        for each in task.shares.values()
        if each.comparison
    ]
    raw = [
        each.comparison.p_value
        for task in (first, second)
        for each in task.shares.values()
        if each.comparison
    ]
    assert max(adjusted) >= max(raw)
    assert min(adjusted) == pytest.approx(6 * min(raw)), "corrected over all six results together"


def test_rows_are_ordered_by_share_and_nothing_else(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(
        tmp_path, ("uniform", "slot9", "spatial", "cyclegan", "copy"), seeds=(0, 1, 2), pictures=False
    )
    assert read(tmp_path).order == ("spatial", "cyclegan", "slot9", "uniform")


def test_a_copy_that_was_run_is_no_row(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path, ("spatial", "copy"), seeds=(0,), pictures=False)
    known = read(tmp_path)
    assert known.trained == ("spatial",)
    assert known.untrained == ()


def test_while_runs_go_on_the_key_and_the_table_explain_no_mark_that_nobody_has(
    tmp_path: Path, mini: ModuleType
) -> None:
    mini.write_study(tmp_path, ("spatial",), seeds=(0, 1), pictures=False)
    mini.write_study(tmp_path, ("slot9",), seeds=(0,), pictures=False)
    for variant, seed in (("spatial", 1), ("slot9", 0)):
        begun = mini.Mini(mini.protocol(), "toy-stripes", variant, seed)
        mini.write_record(begun.folder(tmp_path), mini.record(begun, status="running", finished=None))
        (begun.folder(tmp_path) / "scores.json").unlink()
    study = read_study(run_folders([tmp_path]))
    known = answers(groups(study))
    assert {each.mark for each in known.tasks[0].shares.values()} == {Mark.RUNNING, Mark.WAITING}
    key = dict(screen(known, groups(study), study).key)
    assert "dashed" in key
    assert "open" not in key
    (group,) = groups(study)
    assert "(●)" not in main_table(group, known).caption


def test_a_floor_above_half_a_copy_is_warned_of(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path, ("spatial",), seeds=(0,), pictures=False)
    assert not read(tmp_path).tasks[0].warned
    for path in tmp_path.rglob("scores.json"):
        told = json.loads(path.read_text())
        for direction in told["selections"]["last"]["directions"].values():
            direction["metrics"]["kd(tiny)"]["floor"] = 0.6 * mini.CEILING
        path.write_text(json.dumps(told))
    assert read(tmp_path).tasks[0].warned
