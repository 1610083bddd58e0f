"""The commands as a user types them: what they print, what they leave, how they end."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Command = Callable[..., subprocess.CompletedProcess[str]]
RUN_FILES = (
    "run.json",
    "losses.csv",
    "validation.csv",
    "scores.json",
    "images.csv",
    "generator.safetensors",
    "checkpoints/last.pt",
    "samples/index.json",
    "features/last-A2B-tiny.npy",
)
SLOT9 = "runs/tiny/toy-stripes/slot9/seed0"


def test_a_run_leaves_every_file_of_the_design(finished_runs: Path) -> None:
    folder = finished_runs.parent / SLOT9
    for name in RUN_FILES:
        assert (folder / name).is_file(), name
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "done"
    assert record["images_seen"] == record["images_to_see"] == 4
    assert record["learns_masks"] is True
    assert record["costs"]["parameters"] > 0
    assert not list(folder.rglob("*.tmp"))


def test_variants_of_one_cell_share_schedule_and_trace(finished_runs: Path) -> None:
    records = [json.loads(path.read_text()) for path in sorted(finished_runs.rglob("run.json"))]
    assert {record["cell"]["variant"] for record in records} >= {"slot9", "spatial"}
    assert len({record["schedule_hash"] for record in records}) == 1
    assert len({record["trace_hash"] for record in records}) == 1


def test_the_same_command_leaves_a_finished_run_as_it_is(bench: Command, finished_runs: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished_runs.rglob("*") if path.name != ".lock"}
    outcome = bench("run", "--variant", "slot9", "--protocol", "tiny.toml", "--threads", "1")
    assert outcome.returncode == 0, outcome.stderr
    assert {p: p.stat().st_mtime_ns for p in finished_runs.rglob("*") if p.name != ".lock"} == before


def test_a_dry_run_prints_half_a_page_or_the_record_and_leaves_nothing(
    call: Command, workplace: Path
) -> None:
    words = ["run", "--variant", "slot5", "--protocol", "tiny.toml", "--dry-run"]
    page = call(*words)
    assert page.returncode == 0, page.stderr
    assert 8 <= len(page.stdout.splitlines()) <= 20
    for said in ("slot5 on toy-stripes", "4 images of each domain", "32 px", "iterations=3", "new", "fp32"):
        assert said in page.stdout
    assert json.loads(call(*words, "--json").stdout)["cell"]["variant"] == "slot5"
    assert not (workplace / "runs/tiny/toy-stripes/slot5").exists()


def test_a_run_says_beforehand_what_it_will_cost_by_a_step_that_was_measured_here(
    bench: Command, call: Command, tmp_path: Path
) -> None:
    words = ["run", "--variant", "uniform", "--protocol", "tiny.toml", "--runs", str(tmp_path)]
    words += ["--threads", "1"]
    first = bench(*words, "--set", "train.images_seen=14")
    assert first.returncode == 0, first.stderr
    assert "cost: no run of equal steps is there yet" in first.stderr
    longer = call(*words, "--set", "train.images_seen=40000", "--dry-run")
    assert re.search(r"cost: about [\d.]+ (min|hours) for 40000 images and their scores", longer.stderr)
    assert re.search(r"[\d.]+ s a step, measured on \w+", longer.stderr)
    wider = call(*words, "--set", "train.discriminator_width=24", "--dry-run")
    assert "no run of equal steps" in wider.stderr, "a step of other width costs something else"
    assert "cost:" not in call("run", "--variant", "copy", "--protocol", "tiny.toml", "--dry-run").stderr
    assert "cut (its own)" in call("run", "--variant", "cut", "--protocol", "tiny.toml", "--dry-run").stdout


def test_a_dry_run_of_a_large_study_names_its_first_cells_and_counts_all(
    call: Command, tmp_path: Path
) -> None:
    words = ["study", "--variant", "slot*", "--protocol", "tiny.toml", "--seed", "0..99", "--dry-run"]
    words += ["--runs", str(tmp_path)]
    lines = call(*words).stdout.splitlines()
    assert len(lines) < 60
    assert any("more cells" in line for line in lines)
    cells = json.loads(call(*words, "--json").stdout)
    assert f"{len(cells)} cells: {len(cells)} new" in lines


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["datasets"], ["data set", "toy-stripes", "yes", "horse2zebra", "no", "bench data get NAME"]),
        (["protocols"], ["paper-128", "128 px", "200 epochs", "1000 images"]),
        (["protocols", "paper-128"], ["train.objective", "wgan-gp", "images.size"]),
        (["protocols", "tiny.toml"], ["train.images_seen", "score.features", "tiny"]),
        (["metrics"], ["kid", "KID", "lower", "mask_entropy", "counterfactual_l1"]),
        (["metrics", "kd(squeezenet)"], ["kd(squeezenet)", "formula", "undefined_when"]),
    ],
    ids=" ".join,
)
def test_lists_are_tables_for_people_and_one_entry_tells_all(
    call: Command, words: list[str], said: list[str]
) -> None:
    outcome = call("list", *words)
    assert outcome.returncode == 0, outcome.stderr
    for each in said:
        assert each in outcome.stdout
    assert "[]" not in outcome.stdout
    json.loads(call("list", *words, "--json").stdout)


@pytest.mark.parametrize("words", [["metrics", "kit"], ["protocols", "papr-128"]], ids=" ".join)
def test_an_entry_that_is_in_no_list_is_refused_with_what_was_meant(call: Command, words: list[str]) -> None:
    outcome = call("list", *words)
    assert outcome.returncode == 2
    assert "Did you mean" in outcome.stderr


def test_a_list_of_runs_without_runs_says_so(call: Command, finished_runs: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        outcome = call("list", "runs", "--runs", folder)
        assert (outcome.returncode, outcome.stdout) == (0, "")
        assert f"There are no runs in {folder}. Make one with: bench run" in outcome.stderr
    outcome = call("list", "runs", "--runs", finished_runs, "--status", "failed")
    assert (outcome.returncode, outcome.stdout) == (0, "")
    assert re.search(r"None of the \d+ runs", outcome.stderr)


def test_results_go_to_stdout_and_remarks_to_stderr(bench: Command, finished_runs: Path) -> None:
    outcome = bench("run", "--variant", "slot9", "--protocol", "tiny.toml", "--threads", "1", "--json")
    assert json.loads(outcome.stdout)["status"] == "done"
    assert "slot9 on toy-stripes, protocol tiny, seed 0" in outcome.stderr


def test_a_folder_of_another_cell_is_refused_with_a_diff(
    bench: Command, finished_runs: Path, workplace: Path
) -> None:
    changed = (workplace / "tiny.toml").read_text().replace("images_seen = 4", "images_seen = 5")
    (workplace / "other").mkdir(exist_ok=True)
    (workplace / "other" / "tiny.toml").write_text(changed)
    outcome = bench("run", "--variant", "slot9", "--protocol", "other/tiny.toml")
    assert outcome.returncode == 1
    assert "holds the run of another cell" in outcome.stderr
    assert "protocol.train.images_seen: here 4, asked 5" in outcome.stderr
    assert "--runs" in outcome.stderr


def test_translate_writes_a_picture_for_every_input(
    bench: Command, finished_runs: Path, workplace: Path
) -> None:
    photos = workplace / "photos"
    photos.mkdir(exist_ok=True)
    for name in ("a.png", "b.jpg"):
        Image.fromarray(np.full((40, 50, 3), 90, np.uint8)).save(photos / name)
    outcome = bench("translate", "--run", SLOT9, "photos", "--out", "translated")
    assert outcome.returncode == 0, outcome.stderr
    assert sorted(path.name for path in (workplace / "translated").iterdir()) == ["a.png", "b.png"]
    assert Image.open(workplace / "translated" / "a.png").size == (50, 40)


def test_translate_gives_an_image_the_same_output_whatever_stands_beside_it(
    bench: Command, finished_runs: Path, workplace: Path
) -> None:
    photos = workplace / "alone"
    photos.mkdir(exist_ok=True)
    Image.fromarray(np.full((40, 50, 3), 90, np.uint8)).save(photos / "a.png")
    assert bench("translate", "--run", SLOT9, "alone/a.png", "--out", "first").returncode == 0
    Image.fromarray(np.full((40, 50, 3), 10, np.uint8)).save(photos / "0.png")
    assert bench("translate", "--run", SLOT9, "alone", "--out", "second").returncode == 0
    assert (workplace / "first/a.png").read_bytes() == (workplace / "second/a.png").read_bytes()


def test_doctor_names_what_is_missing_and_the_command_that_mends_it(bench: Command) -> None:
    outcome = bench("doctor", "--json")
    assert outcome.returncode == 0, outcome.stderr
    findings = {finding["subject"]: finding for finding in json.loads(outcome.stdout)}
    assert findings["data horse2zebra"]["remedy"] == "bench data get horse2zebra"
    assert findings["features tiny"]["fine"]
    assert {"versions", "cpu", "disk"} <= findings.keys()


def test_doctor_tells_what_is_broken_from_what_is_absent(
    call: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
    (tmp_path / "data" / "horse2zebra" / "trainA").mkdir(parents=True)
    broken = tmp_path / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    broken.parent.mkdir(parents=True)
    broken.write_text("<html>moved</html>")
    lines = call("doctor").stdout.splitlines()
    told = {line.partition(":")[0]: remedy for line, remedy in pairwise(lines)}
    assert told["broken features squeezenet"].startswith(f"       -> rm -r {broken} && mkdir -p ")
    assert f"curl -fL -o {broken} https://" in told["broken features squeezenet"]
    assert told["absent features inception"].startswith("       -> mkdir -p ")
    assert told["broken data horse2zebra"].endswith("/horse2zebra && bench data get horse2zebra")
    assert told["absent data apple2orange"] == "       -> bench data get apple2orange"


def test_list_runs_shows_their_status(bench: Command, finished_runs: Path) -> None:
    rows = json.loads(bench("list", "runs", "--status", "done", "--json").stdout)
    assert "tiny/toy-stripes/slot9/seed0" in {row["run"] for row in rows}


def test_a_dry_run_refuses_features_that_the_run_would_refuse(call: Command) -> None:
    wrong = ("--protocol", "tiny.toml", "--set", "score.features=nope", "--dry-run")
    for command in (("run",), ("study", "--seed", "0", "--dataset", "toy-stripes")):
        outcome = call(*command, "--variant", "kmeans5", *wrong)
        assert outcome.returncode == 2, outcome.stderr
        assert "Unknown feature network 'nope'" in outcome.stderr


@pytest.mark.parametrize("below", ["", "tiny", "tiny/toy-stripes", "tiny/toy-stripes/slot9", SLOT9[5:]])
def test_runs_are_filtered_alike_from_whatever_folder_they_are_listed(
    call: Command, finished_runs: Path, below: str
) -> None:
    def listed(*filters: str) -> list[str]:
        outcome = call("list", "runs", "--runs", finished_runs / below, "--json", *filters)
        assert outcome.returncode == 0, outcome.stderr
        return [row["variant"] for row in json.loads(outcome.stdout)]

    assert "slot9" in listed()
    for option, pattern in (("variant", "slot9"), ("dataset", "toy-*"), ("protocol", "tiny")):
        assert "slot9" in listed(f"--{option}", pattern, "--status", "done")
        assert listed(f"--{option}", "else") == []


def test_a_rendered_set_says_that_it_lies_in_no_folder_and_what_to_do(call: Command) -> None:
    outcome = call("data", "path", "toy-stripes")
    assert outcome.returncode == 2
    assert "lies in no folder" in outcome.stderr
    assert "bench run --variant copy --dataset toy-stripes" in outcome.stderr


@pytest.mark.parametrize("status", ["finished", "Done", "don", ""])
def test_a_status_that_no_run_can_have_is_refused(call: Command, status: str) -> None:
    outcome = call("list", "runs", "--status", status)
    assert outcome.returncode == 2
    assert "There are: damaged, done, failed, running" in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "--variant", "slto9"], 2, "Did you mean 'slot9'"),
        (["run", "--variant", "slot9[iteration=3]"], 2, "iterations"),
        (["run", "--variant", "slot9[iterations=many]"], 2, "iterations"),
        (["run", "--variant", "slot9[slots=0]"], 2, "slots"),
        (["run", "--variant", "slot9", "--dataset", "toy-strips"], 2, "Did you mean 'toy-stripes'"),
        (["run", "--variant", "slot9", "--protocol", "smok"], 2, "Did you mean 'smoke'"),
        (["run", "--variant", "slot9", "--set", "train.wings=2"], 2, "there is no such key"),
        (
            ["run", "--variant", "slot9", "--set", "model.widht=2"],
            2,
            "model.widht is a parameter of no variant",
        ),
        (["run", "--variant", "slot9", "--set", "images.size=50"], 2, "multiple of 16"),
        (["run", "--variant", "slot9", "--features", "tiniest"], 2, "Unknown feature network"),
        (["run", "--variant", "slot9", "--device", "cuda:7"], 2, "--device cpu"),
        (["run", "--variant", "slot9", "--device", "abacus"], 2, "is not a device"),
        (["run"], 2, "--variant"),
        (["run", "--variant", "slot9", "--dataset", "horse2zebra"], 1, "bench data get horse2zebra"),
        (["run", "--variant", "slot9", "--features", "squeezenet", "--weights", "no.pth"], 1, "no.pth"),
        (["translate", "a.png", "--out", "x"], 2, "Give either --run RUN, or --published SYSTEM"),
        (["translate", "--run", "nowhere", "a.png", "--out", "x"], 1, "no run folder"),
        (["translate", "--run", SLOT9, "a.png", "--out", "x", "--direction", "C2D"], 2, "A2B or B2A"),
        (["translate", "--run", SLOT9, "nothing.png", "--out", "x"], 2, "no image and no folder"),
        (["list", "wings"], 2, "No such command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_bad_request_is_answered_with_the_remedy(
    bench: Command, finished_runs: Path, arguments: list[str], code: int, message: str
) -> None:
    outcome = bench(*arguments)
    assert message in " ".join(outcome.stderr.split())
    assert outcome.returncode == code
    assert "Traceback" not in outcome.stderr
    assert outcome.stdout == ""


def test_scores_say_when_a_training_was_better_than_copying_or_why_that_is_not_known(
    finished_runs: Path,
) -> None:
    scores = json.loads((finished_runs.parent / SLOT9 / "scores.json").read_text())
    assert scores["metrics"]["images_until_better"]["better"] == "lower"
    for direction in scores["selections"]["last"]["directions"].values():
        score = direction["metrics"]["images_until_better"]
        assert score["value"] is None
        assert score["reason"] == "no validation was held against a copy: images.validation is below 3"


def test_an_unfinished_run_that_stands_at_copying_is_listed_as_not_yet_translating(
    call: Command, finished_runs: Path, tmp_path: Path
) -> None:
    inner = "tiny/toy-stripes/slot9/seed0"
    shutil.copytree(finished_runs / inner, tmp_path / inner)
    record = tmp_path / inner / "run.json"
    columns = "step,images_seen,collapsed_A2B,collapsed_B2A\n"
    (tmp_path / inner / "validation.csv").write_text(f"{columns}2,2,false,false\n4,4,true,true\n")
    assert "not yet translating" not in call("list", "runs", "--runs", tmp_path).stdout
    record.write_text(json.dumps(json.loads(record.read_text()) | {"status": "running"}))
    assert (
        "not yet translating: A2B and B2A at copying after 4 images"
        in call("list", "runs", "--runs", tmp_path).stdout
    )
