"""`bench compare` on run folders: what is paired with what, what is refused, what is said."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.comparing import ComparedRuns, ComparisonRequest, compare_runs
from bench.comparing.pairing import Catalogue
from bench.comparing.sides import sides_against_copy
from bench.errors import BenchError, UsageError
from bench.runs.records import read_scores
from bench.scoring.kernel import kernel_distance
from bench.statistics import Verdict
from bench.statistics.claims import number


@pytest.fixture
def compare(tmp_path: Path, catalogue: Catalogue):  # type: ignore[no-untyped-def]
    def run(a: str = "slot9", b: str = "spatial", **changes: Any) -> ComparedRuns:
        return compare_runs(ComparisonRequest(a, b, tmp_path / "runs", **changes), catalogue)

    return run


@pytest.fixture
def five_seeds(make_run) -> None:  # type: ignore[no-untyped-def]
    for seed in range(5):
        make_run("slot9", seed, 0.1)
        make_run("spatial", seed, 1.5)


def of(outcome: ComparedRuns, metric: str, direction: str = "A2B"):  # type: ignore[no-untyped-def]
    return next(one for one in outcome.comparisons if (one.metric, one.direction) == (metric, direction))


@pytest.mark.usefixtures("five_seeds")
def test_five_seeds_with_a_clear_difference_support_it(compare) -> None:  # type: ignore[no-untyped-def]
    outcome = compare()
    kernel = of(outcome, "kd(tiny)")
    assert kernel.verdict is Verdict.SUPPORTED
    assert kernel.favours == "a"
    assert (kernel.seeds, kernel.images) == ((0, 1, 2, 3, 4), 30)
    assert "slot9 is lower than spatial" in kernel.sentence
    assert of(outcome, "edge_correlation").favours == "b"
    assert "toy-stripes: fed the same in every seed (trace hashes agree, 5 of 5)" in outcome.remarks


@pytest.mark.usefixtures("five_seeds")
def test_features_and_per_image_columns_bring_the_test_images_into_the_error(compare) -> None:  # type: ignore[no-untyped-def]
    outcome = compare(metrics=("kd", "fd", "edge_correlation", "colourfulness"))
    inputs = {one.metric: one.error.input_variance for one in outcome.comparisons}
    assert inputs["colourfulness"] is None
    assert None not in {inputs["kd(tiny)"], inputs["fd(tiny)"], inputs["edge_correlation"]}
    assert "for these test images" in of(outcome, "colourfulness").sentence
    assert "for these test images" not in of(outcome, "kd(tiny)").sentence


def test_distances_are_told_as_shares_of_a_copys_too(make_run, run_command, tmp_path) -> None:  # type: ignore[no-untyped-def]
    for variant, offset in (("slot9", 0.1), ("spatial", 1.5)):
        for seed in range(3):
            folder = make_run(variant, seed, offset)
            told = json.loads(folder.scores_json.read_text())
            for direction in told["selections"]["last"]["directions"].values():
                kernel = direction["metrics"]["kd(tiny)"]
                kernel["ceiling"] = 2 * kernel["value"] if variant == "slot9" else None
            folder.scores_json.write_text(json.dumps(told))
    both = ("slot9", "spatial", "--runs", tmp_path / "runs")
    text = run_command(*both, "--metric", "kd")
    assert "of a copy" in text
    assert re.search(r"0\.\d+ / \d", text)
    told = json.loads(run_command(*both, "--metric", "kd", "--json"))["comparisons"]
    assert told[0]["mean_a"] / told[0]["copy"] == pytest.approx(0.5, rel=0.1)
    assert "of a copy" not in run_command(*both, "--metric", "edge_correlation")


def test_a_copy_that_was_never_run_brings_its_images_by_the_real_ones_of_the_other_direction(
    make_run,
) -> None:  # type: ignore[no-untyped-def]
    folders = [make_run("slot9", seed) for seed in range(3)]
    real = np.load(folders[0].features / "real-A2B-tiny.npy")
    for folder in folders:
        sources = np.random.default_rng(7).standard_normal((30, 6)) + 1.0
        np.save(folder.features / "real-B2A-tiny.npy", sources)
    values = [read_scores(each.scores_json).selections["last"].directions["A2B"] for each in folders]
    mine = [float(each.metrics["kd(tiny)"].value) for each in values]
    copied = [kernel_distance(sources, real)] * 3
    a, b = sides_against_copy("kd(tiny)", "A2B", "last", "slot9", folders, (mine, copied))
    assert (a.name, b.name, b.values) == ("slot9", "copy", tuple(copied))
    assert [block.shape for block in b.leave_one_out] == [(3, 30), (3, 32)]
    other, _ = sides_against_copy("kd(tiny)", "A2B", "last", "slot9", folders, (mine, [1.0] * 3))
    assert other.leave_one_out == (), (
        "features that do not give a copy's distance are not those of the sources"
    )


def test_features_that_do_not_give_the_stored_score_are_not_used(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    for seed in range(5):
        folder = make_run("slot9", seed, 0.1)
        make_run("spatial", seed, 1.5)
    np.save(folder.features / "last-A2B-tiny.npy", np.ones((30, 6), np.float32))
    outcome = compare(metrics=("kd",))
    assert of(outcome, "kd(tiny)", "A2B").error.input_variance is None
    assert of(outcome, "kd(tiny)", "B2A").error.input_variance is not None


def test_images_in_another_order_are_paired_by_name_and_their_features_are_not(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    for seed in range(5):
        folder = make_run("slot9", seed, 0.1)
        make_run("spatial", seed, 1.5)
    before = of(compare(), "edge_correlation")
    header, *rows = folder.images_csv.read_text().splitlines()
    folder.images_csv.write_text("\n".join([header, *reversed(rows)]) + "\n")
    assert of(compare(), "edge_correlation").error.input_variance == pytest.approx(
        before.error.input_variance
    )
    assert of(compare(), "kd(tiny)").error.input_variance is None, "row i is another image"


def test_a_table_of_other_or_damaged_images_leaves_the_values_alone(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    for seed in range(5):
        folder = make_run("slot9", seed, 0.1)
        make_run("spatial", seed, 1.5)
    whole = folder.images_csv.read_bytes()
    for damaged in (whole.replace(b"007.png", b"other.png"), b"\xff\xfe\x00", b""):
        folder.images_csv.write_bytes(damaged)
        assert of(compare(), "edge_correlation").error.input_variance is None


@pytest.mark.usefixtures("five_seeds")
def test_the_target_of_a_measurement_is_its_floor(compare) -> None:  # type: ignore[no-untyped-def]
    colour = of(compare(metrics=("colourfulness",)), "colourfulness")
    assert colour.better == "nearer target"
    assert colour.mean_difference == pytest.approx(1.4, abs=0.3)
    assert "distance from the target" in colour.sentence


def test_seeds_that_one_side_lacks_are_left_out_and_said(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    for seed in range(4):
        make_run("slot9", seed)
    for seed in (1, 2, 3, 7):
        make_run("spatial", seed)
    outcome = compare()
    assert of(outcome, "kd(tiny)").seeds == (1, 2, 3)
    assert of(outcome, "kd(tiny)").verdict is Verdict.RANGE
    assert "on toy-stripes only slot9 has seed 0" in outcome.remarks
    assert "on toy-stripes only spatial has seed 7" in outcome.remarks


def test_unfinished_runs_are_left_out_and_said(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    for variant in ("slot9", "spatial"):
        make_run(variant, 0)
        make_run(variant, 1, status="running", scored=False)
    outcome = compare()
    assert of(outcome, "kd(tiny)").seeds == (0,)
    assert sum("is running: left out" in remark for remark in outcome.remarks) == 2


def test_a_damaged_record_elsewhere_is_passed_over_and_said(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    make_run("spatial", 0)
    make_run("slot5", 0).run_json.write_text("{")
    assert any("is damaged" in remark for remark in compare().remarks)


def test_each_data_set_is_compared_by_itself(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    for dataset in ("toy-stripes", "toy-shape"):
        make_run("slot9", 0, dataset=dataset)
        make_run("spatial", 0, dataset=dataset)
    assert {one.dataset for one in compare().comparisons} == {"toy-shape", "toy-stripes"}
    assert {one.dataset for one in compare(dataset="toy-shape").comparisons} == {"toy-shape"}


def test_a_variant_is_found_under_another_spelling(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    make_run("spatial", 0)
    assert compare("slot9[iterations=3]").a == "slot9"


def test_undefined_scores_are_said_with_their_reason(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    make_run("spatial", 0)
    outcome = compare(metrics=("mask_entropy",))
    assert outcome.comparisons == ()
    reason = "mask_entropy A2B on toy-stripes is undefined for one side: this generator has no masks"
    assert reason in outcome.remarks


def test_different_schedules_are_refused_by_what_differs(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    make_run("spatial", 0, data_fingerprint="other", schedule_hash="other")
    with pytest.raises(BenchError, match="data: data-toy-stripes against other"):
        compare()
    outcome = compare(allow_different_schedules=True)
    assert len(outcome.schedule_differences) == 1
    assert outcome.comparisons


def test_different_protocols_are_refused_and_named_when_allowed(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    make_run("spatial", 0, changes=["train.learning_rate=1e-3"])
    with pytest.raises(BenchError, match="--allow-different-schedules"):
        compare()
    differences = compare(allow_different_schedules=True).schedule_differences
    assert differences == ("toy-stripes: train.learning_rate: 0.0002 against 0.001",)


def test_runs_that_were_fed_otherwise_are_pointed_out(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    make_run("spatial", 0, trace_hash="another")
    assert "toy-stripes: the trace hashes DIFFER in seed 0: not fed the same" in compare().remarks


def test_an_own_objective_is_told_and_compared_without_image_pools(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0, trace_hash_without_pool="fed")
    own = {"own_objective": "cut", "trace_hash": "no pool", "trace_hash_without_pool": "fed"}
    make_run("spatial", 0, **own)
    (said,) = [remark for remark in compare().remarks if "own objective" in remark]
    assert "fed the same in every seed (trace hashes agree, 1 of 1)" in said
    assert "spatial has its own objective, cut: image pools are left out" in said


def test_an_own_objective_fed_otherwise_is_pointed_out(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0, trace_hash_without_pool="fed")
    make_run("spatial", 0, own_objective="cut", trace_hash_without_pool="other")
    assert any("trace hashes DIFFER in seed 0" in remark for remark in compare().remarks)


def test_two_folders_of_one_variant_make_the_control(make_run, catalogue, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    roots = [tmp_path / "first", tmp_path / "second"]
    for seed in range(5):
        make_run("slot9", seed, 0.50001, root=roots[0])
        make_run("slot9", seed, 0.50002, root=roots[1])
    outcome = compare_runs(ComparisonRequest(str(roots[0]), str(roots[1]), tmp_path), catalogue)
    assert (outcome.a, outcome.b) == (str(roots[0]), str(roots[1]))
    assert outcome.control is not None
    assert outcome.control.comparisons == 6
    assert "of a variant with itself" in outcome.control.sentence


def test_a_variant_is_not_compared_with_its_own_runs(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    with pytest.raises(UsageError, match="name the same runs"):
        compare("slot9", "slot9")


def test_no_runs_at_all(compare) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BenchError, match=r"There are no runs below .*bench run --variant slot9"):
        compare()


def test_no_runs_of_the_variant_names_what_exists(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    make_run("uniform", 0)
    with pytest.raises(
        UsageError, match=r"'spatial'.*There are: slot9, uniform.*bench run --variant spatial"
    ):
        compare()


def test_no_common_seed(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    make_run("spatial", 1)
    with pytest.raises(BenchError, match=r"no seed in common.*only slot9 has seed 0.*--seed 0"):
        compare()


def test_no_common_data_set(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    make_run("spatial", 0, dataset="toy-shape")
    with pytest.raises(BenchError, match=r"no data set in common.*--dataset toy-stripes"):
        compare()


def test_a_filter_that_leaves_nothing_says_what_there_is(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    make_run("spatial", 0)
    with pytest.raises(UsageError, match="It has: protocol smoke, dataset toy-stripes"):
        compare(protocol="small")


def test_missing_scores_say_how_to_make_them(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    folder = make_run("spatial", 0, scored=False)
    with pytest.raises(BenchError, match=re.escape(f"bench score {folder.path}")):
        compare()


def test_only_unfinished_runs(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0, status="failed", scored=False)
    make_run("spatial", 0)
    with pytest.raises(BenchError, match=r"No run of slot9 is finished: .*\(failed\)"):
        compare()


def test_an_unknown_metric_says_what_was_meant(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    make_run("spatial", 0)
    with pytest.raises(UsageError, match="Did you mean 'edge_correlation'"):
        compare(metrics=("edge_corelation",))


def test_weights_that_were_not_scored(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    make_run("spatial", 0)
    with pytest.raises(BenchError, match="no scores of the validation weights"):
        compare(selection="validation")


def test_a_folder_of_several_variants_is_no_side(make_run, compare, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    make_run("spatial", 0)
    with pytest.raises(UsageError, match="several variants"):
        compare(str(tmp_path / "runs"))


@pytest.mark.usefixtures("five_seeds")
def test_the_command_prints_tables_and_a_sentence_for_each_verdict(tmp_path: Path, run_command) -> None:  # type: ignore[no-untyped-def]
    text = run_command(
        "slot9", "spatial", "--runs", tmp_path / "runs", "--direction", "A2B", "--metric", "kd"
    )
    assert text.startswith("slot9 against spatial on toy-stripes, 5 seeds")
    assert "95% interval" in text
    assert "×100" not in text, "the factor is that of Inception's features alone"
    assert re.search(r"kd\(tiny\).* ↓ A2B  ", text)
    assert "- slot9 is better, a supported difference: kd(tiny) A2B." in text
    assert re.search(r"difference +seed 0 +seed 1 +seed 2", text)
    assert "note: toy-stripes: fed the same" in text


@pytest.mark.parametrize("columns", [200, 80, 40])
@pytest.mark.usefixtures("five_seeds")
def test_the_command_says_every_number_once_and_cuts_none(
    columns: int,
    tmp_path: Path,
    run_command,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    options = ("--runs", tmp_path / "runs", "--direction", "A2B", "--metric", "kd")
    text = run_command("slot9", "spatial", *options)
    (one,) = json.loads(run_command("slot9", "spatial", *options, "--json"))["comparisons"]
    raw = [one["mean_difference"], *one["interval"], *one["differences"]]
    for printed in [number(one["factor"] * value) for value in raw]:
        assert len(re.findall(rf"(?<![\w.-]){re.escape(printed)}(?![\w.])", text)) == 1, printed
    assert max(map(len, text.splitlines())) <= columns


@pytest.mark.usefixtures("five_seeds")
def test_the_command_prints_json_with_raw_values(tmp_path: Path, run_command) -> None:  # type: ignore[no-untyped-def]
    text = run_command("slot9", "spatial", "--runs", tmp_path / "runs", "--metric", "kd", "--json")
    outcome = json.loads(text)
    kernel = outcome["comparisons"][0]
    assert kernel["verdict"] == "supported difference"
    assert kernel["mean_difference"] == pytest.approx(kernel["mean_a"] - kernel["mean_b"])
    assert outcome["control"] is None


def test_the_command_marks_different_schedules(make_run, tmp_path: Path, run_command) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    make_run("spatial", 0, changes=["train.learning_rate=1e-3"])
    text = run_command("slot9", "spatial", "--runs", tmp_path / "runs", "--allow-different-schedules")
    assert text.startswith("DIFFERENT SCHEDULES")
    assert "train.learning_rate: 0.0002 against 0.001" in text


def with_score(folder, direction: str, key: str, **score: Any) -> None:  # type: ignore[no-untyped-def]
    """Give a scored run one more score."""
    kept = json.loads(folder.scores_json.read_text())
    kept["selections"]["last"]["directions"][direction]["metrics"][key] = score
    folder.scores_json.write_text(json.dumps(kept))


def test_what_merely_copies_and_when_others_began_to_translate_is_said(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    words = "collapsed to copying: {} of the outputs are within 2 levels of their input"
    for seed, until in ((0, 400), (1, 600), (2, None)):
        never = {} if until else {"reason": "not better than copying after 800 images"}
        spatial = make_run("spatial", seed)
        with_score(spatial, "A2B", "images_until_better", value=until, **never)
        with_score(spatial, "B2A", "images_until_better", value=None, reason="nothing is trained")
        slot9 = make_run("slot9", seed, 0.2)
        if seed:
            with_score(slot9, "B2A", "kd_from_copy(tiny)", value=0.01, reason=words.format(f"9{seed}%"))
    remarks = compare().remarks
    assert "slot9 B2A on toy-stripes: collapsed to copying (seeds 1, 2)" in remarks
    assert (
        "spatial A2B on toy-stripes: better than copying from 400 images on (seed 0), better than copying "
        "from 600 images on (seed 1), not better than copying after 800 images (seed 2)"
    ) in remarks
    assert len([each for each in remarks if "copying" in each]) == 2
    assert not [each for each in compare(directions=("B2A",)).remarks if "A2B" in each]


def test_a_run_that_is_left_out_says_that_it_does_not_translate_yet(make_run, compare) -> None:  # type: ignore[no-untyped-def]
    for seed in (0, 1):
        make_run("slot9", seed)
        make_run("spatial", seed, 0.4)
    unfinished = make_run("spatial", 2, status="running", scored=False)
    unfinished.validation_csv.write_text(
        "step,images_seen,collapsed_A2B,collapsed_B2A\n200,200,true,true\n400,400,false,true\n"
    )
    said = next(each for each in compare().remarks if "left out" in each)
    assert said.endswith("is running, not yet translating: B2A at copying after 400 images: left out")
