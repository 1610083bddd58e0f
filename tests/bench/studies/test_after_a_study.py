"""What is done with the runs of a study: report, expectation, list, removal."""

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from bench.errors import BenchError, UsageError
from bench.protocol import Protocol, schedule_hash
from bench.runs.folder import FolderInUse, RunFolder, failed_runs, find_runs, list_folder, passes, remove_run
from bench.studies.expectation import drifts, make_expectation, read_expectation, write_expectation


@pytest.fixture
def seeds(workplace: Any, undisturbed: Path, tmp_path: Path) -> Path:
    """The undisturbed runs, and the same once more as seed 1 with other scores."""
    runs = Path(shutil.copytree(undisturbed, tmp_path / "runs"))
    for folder in find_runs(runs):
        other = folder.path.parent / "seed1"
        shutil.copytree(folder.path, other)
        record = json.loads((other / "run.json").read_text(encoding="utf-8"))
        record["cell"]["seed"] = 1
        protocol = Protocol.model_validate_json(json.dumps(record["protocol"]))
        record["schedule_hash"] = schedule_hash(protocol, record["data_fingerprint"], 1)
        (other / "run.json").write_text(json.dumps(record), encoding="utf-8")
        if record["cell"]["variant"] != "copy":
            shift_scores(RunFolder(other), 1.1)
    return runs


def shift_scores(folder: RunFolder, factor: float) -> None:
    """Multiply every distance by `factor`."""
    scores = json.loads(folder.scores_json.read_text(encoding="utf-8"))
    for direction in scores["selections"]["last"]["directions"].values():
        for key, score in direction["metrics"].items():
            if key.startswith("kd") and score["value"] is not None:
                score["value"] *= factor
    folder.scores_json.write_text(json.dumps(scores), encoding="utf-8")


def test_scores_that_stay_within_the_noise_of_seeds_are_as_expected(seeds: Path, tmp_path: Path) -> None:
    write_expectation(tmp_path / "expected.json", "mine", find_runs(seeds))
    expected = read_expectation(tmp_path / "expected.json")
    shift_scores(next(folder for folder in find_runs(seeds) if "slot9" in str(folder.path)), 1.01)
    assert expected.scores
    assert drifts(expected, find_runs(seeds)) == []


def test_scores_that_drift_beyond_noise_are_named(seeds: Path) -> None:
    expected = make_expectation("mine", find_runs(seeds))
    for folder in find_runs(seeds):
        if "slot9" in str(folder.path):
            shift_scores(folder, 3.0)
    found = drifts(expected, find_runs(seeds))
    assert found
    assert all(sentence.startswith("kd(tiny) of slot9, ") for sentence in found)


def test_copying_may_drift_by_a_thousandth_only(seeds: Path) -> None:
    expected = make_expectation("mine", find_runs(seeds))
    for folder in find_runs(seeds):
        if "copy" in str(folder.path):
            shift_scores(folder, 1.002)
    assert len(drifts(expected, find_runs(seeds))) == 2


def test_a_missing_variant_is_a_drift(seeds: Path) -> None:
    expected = make_expectation("mine", find_runs(seeds))
    shutil.rmtree(seeds / "tiny" / "toy-stripes" / "spatial")
    assert any(
        "of spatial, A2B on toy-stripes: missing" in each for each in drifts(expected, find_runs(seeds))
    )


def test_one_seed_tells_nothing_of_noise_and_is_refused(undisturbed: Path) -> None:
    with pytest.raises(BenchError, match="at least two seeds"):
        make_expectation("mine", find_runs(undisturbed))


def test_a_check_against_a_file_that_is_no_expectation_is_refused(tmp_path: Path) -> None:
    (tmp_path / "expected.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="is no expectation"):
        read_expectation(tmp_path / "expected.json")


def test_the_command_fails_where_scores_drift(workplace: Any, seeds: Path, tmp_path: Path) -> None:
    grid = workplace.grid(seeds, ("slot9", "copy"), seed="0..1")
    path = tmp_path / "expected.json"
    assert workplace.bench(*grid, "--record", path).returncode == 0
    agreed = workplace.bench(*grid, "--check", path)
    assert agreed.returncode == 0
    assert "scores are as expected" in agreed.stdout
    shift_scores(RunFolder(seeds / "tiny" / "toy-stripes" / "slot9" / "seed0"), 5.0)
    drifted = workplace.bench(*grid, "--check", path)
    assert drifted.returncode == 1
    assert "drift: kd(tiny) of slot9" in drifted.stdout


def test_a_report_of_a_study_holds_its_runs_alone_and_its_comparisons(
    workplace: Any, undisturbed: Path, tmp_path: Path
) -> None:
    study = tmp_path / "mine.toml"
    study.write_text(
        f'protocol = "{workplace.protocol}"\nvariants = ["slot9"]\nbaselines = ["copy"]\n'
        'comparisons = [["slot9", "copy"]]\n',
        encoding="utf-8",
    )
    out = tmp_path / "report"
    said = workplace.bench("study", study, "--runs", undisturbed).stdout
    command = shlex.split(said.split("Look at it with: bench ")[1])
    finished = workplace.bench(*command, "--out", out, "--format", "md", "--pictures", "none")
    assert finished.returncode == 0, finished.stderr
    (group,) = json.loads((out / "results.json").read_text(encoding="utf-8"))["groups"]
    assert {run["variant"] for run in group["runs"]} == {"slot9", "copy"}
    assert {(each["a"], each["b"]) for each in group["comparisons"]} <= {("slot9", "copy"), ("copy", "slot9")}
    assert group["comparisons"]


def test_runs_are_listed_by_status_protocol_dataset_and_variant(undisturbed: Path) -> None:
    rows = list_folder(undisturbed)
    chosen = [row["run"] for row in rows if passes(row, {"variant": "s*", "status": "done"})]
    assert chosen == ["tiny/toy-stripes/slot9/seed0", "tiny/toy-stripes/spatial/seed0"]
    assert not any(passes(row, {"dataset": "horse2zebra"}) for row in rows)


def test_a_bracket_in_a_filter_stands_for_itself() -> None:
    row = {"status": "done", "variant": "slot9[iterations=5]"}
    assert passes(row, {"variant": "slot9[iterations=5]"})
    assert not passes(row, {"variant": "slot9i"})


@pytest.fixture
def with_failure(undisturbed: Path, tmp_path: Path) -> Path:
    """The undisturbed runs, of which `spatial` is said to have failed."""
    runs = Path(shutil.copytree(undisturbed, tmp_path / "runs"))
    folder = next(folder for folder in find_runs(runs) if "spatial" in str(folder.path))
    folder.update(status="failed", reason="no luck")
    return runs


def test_failed_runs_are_removed_and_nothing_else(workplace: Any, with_failure: Path) -> None:
    finished = workplace.bench("runs", "rm", "--runs", with_failure, "--yes")
    assert finished.returncode == 0
    assert "no luck" in finished.stdout
    assert {folder.read().cell.variant for folder in find_runs(with_failure)} == {"slot9", "copy"}
    assert not (with_failure / "tiny" / "toy-stripes" / "spatial").exists()


def test_nothing_is_removed_without_a_yes(workplace: Any, with_failure: Path) -> None:
    assert workplace.bench("runs", "rm", "--runs", with_failure).returncode != 0
    assert len(find_runs(with_failure)) == 3


def test_a_run_that_did_not_fail_is_never_removed(with_failure: Path) -> None:
    done = with_failure / "tiny" / "toy-stripes" / "slot9" / "seed0"
    with pytest.raises(UsageError, match="is no failed run"):
        failed_runs([done], named=True)


def test_a_failed_run_that_somebody_works_on_is_not_removed(with_failure: Path) -> None:
    (folder, _), *_ = failed_runs([with_failure])
    with folder.locked(), pytest.raises(FolderInUse):
        remove_run(folder)
    assert folder.run_json.exists()
