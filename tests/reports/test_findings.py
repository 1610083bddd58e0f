"""Sentences, held against the numbers they speak of."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from reports.comparability import Group
from reports.findings import summarise_group

Read = Callable[[Path], Group]


def test_supported_differences_are_told_and_named(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    mini.write_study(tmp_path, ("spatial", "slot9", "uniform"), seeds=range(5), pictures=False)
    summary = summarise_group(group_of(tmp_path))
    first = summary.headlines[0]
    assert first.kind == "supported difference"
    runs = {
        name: [mini.Mini(mini.protocol(), "toy-stripes", name, seed) for seed in range(5)]
        for name in ("spatial", "slot9")
    }
    mean = {name: sum(mini.kernel_value(run, "A2B") for run in found) / 5 for name, found in runs.items()}
    assert f"slot9 (by {mean['slot9'] - mean['spatial']:.2g})" in first.sentence
    assert "spatial is lower than" in first.sentence


def test_two_seeds_claim_nothing(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    mini.write_study(tmp_path, ("spatial", "slot9"), seeds=(0, 1), pictures=False)
    summary = summarise_group(group_of(tmp_path))
    kinds = {finding.kind for finding in (*summary.headlines, *summary.found)}
    assert kinds == {"values only", "dead head"}
    assert any("a claim needs 5" in line for line in summary.not_told)


def test_no_difference_found_is_not_called_equal(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    mini.write_study(tmp_path, ("slot9", "slot9[iterations=5]"), seeds=range(5), pictures=False)
    summary = summarise_group(group_of(tmp_path))
    assert "no difference found" in {finding.kind for finding in summary.found}
    assert any("does not show equality" in line for line in summary.not_told)


def test_dead_heads_stand_in_the_summary(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    mini.write_study(tmp_path, ("spatial", "slot9", "uniform"), seeds=(0,), pictures=False)
    dead = [one.sentence for one in summarise_group(group_of(tmp_path)).headlines if one.kind == "dead head"]
    assert len(dead) == 1
    assert dead[0].startswith("The mask head of slot9 attends to nothing")


def test_the_schedule_and_its_proof_are_told(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    mini.write_study(tmp_path, ("spatial", "slot9", "copy"), seeds=(0, 1), pictures=False)
    text = " ".join(summarise_group(group_of(tmp_path)).schedule)
    assert "200 images of each domain seen" in text
    assert mini.protocol().hash() in text
    assert (
        "trace hashes of what the networks were fed agree between variants in every seed (4 trained runs)"
        in text
    )


def test_runs_without_scores_are_told(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    run = mini.Mini(mini.protocol(), "toy-stripes", "slot9", 0)
    mini.write_record(run.folder(tmp_path), mini.record(run, status="failed", reason="x"))
    summary = summarise_group(group_of(tmp_path))
    assert "1 run is failed, unfinished or not scored." in summary.not_told


def test_runs_that_ended_without_scores_are_counted(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    mini.write_study(tmp_path, ("slot9",), seeds=(0, 1), pictures=False)
    next(tmp_path.rglob("seed1/scores.json")).write_text("{")
    compared = " ".join(summarise_group(group_of(tmp_path)).compared)
    assert "2 runs over 2 seeds (0, 1); 1 finished and scored, 1 finished without scores." in compared


def test_an_own_objective_and_what_is_proven_of_it_are_told(
    tmp_path: Path, mini: ModuleType, group_of: Read
) -> None:
    for variant, changes in (
        ("spatial", {}),
        ("cut", {"own_objective": "cut", "trace_hash": "no pool", "kind": "baseline"}),
    ):
        run = mini.Mini(mini.protocol(), "toy-stripes", variant, 0)
        folder = mini.write_run(tmp_path, run, pictures=False)
        mini.write_record(folder, mini.record(run, trace_hash_without_pool="fed", **changes))
    text = " ".join(summarise_group(group_of(tmp_path)).schedule)
    assert "cut § was trained with its own objective, cut" in text
    assert "agree with those of the others in seed 0 (2 trained runs); image pools" in text
