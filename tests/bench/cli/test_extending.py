"""What others add in one file stands beside ours; every snippet of docs/extending.md does what it says."""

import csv
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Command = Callable[..., subprocess.CompletedProcess[str]]
DOCS = Path(__file__).parents[3] / "docs"
METRIC, NETWORK = DOCS / "example_metric.py", DOCS / "example_network.py"
SECTIONS = re.split(r"^## ", (DOCS / "extending.md").read_text(encoding="utf-8"), flags=re.M)[1:]


@pytest.fixture
def run_folder(finished_runs: Path, tmp_path: Path) -> Path:
    """A finished run of its own for each test."""
    found = next(finished_runs.glob("*/toy-stripes/spatial/seed0"))
    copy = tmp_path / "runs" / "tiny" / "toy-stripes" / "spatial" / "seed0"
    shutil.copytree(found, copy)
    return copy


def answered(outcome: subprocess.CompletedProcess[str]) -> str:
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


@pytest.mark.xdist_group("finished_runs")
def test_a_metric_of_a_plugin_is_measured_kept_and_shown_like_ours(
    call: Command, run_folder: Path, tmp_path: Path
) -> None:
    answered(call("score", run_folder, "--plugin", METRIC))
    with (run_folder / "images.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(0 <= float(row["brightness"]) <= 255 for row in rows)
    scores = json.loads((run_folder / "scores.json").read_text())
    mean = np.mean([float(row["brightness"]) for row in rows if row["direction"] == "A2B"])
    found = scores["selections"]["last"]["directions"]["A2B"]["metrics"]
    assert found["brightness"]["value"] == pytest.approx(mean, rel=1e-5)
    assert found["brightness_gap"]["value"] == pytest.approx(
        abs(mean - found["brightness"]["floor"]), rel=1e-4
    )
    assert scores["metrics"]["brightness"]["title"] == "Brightness"
    # The report needs no plugin.
    answered(call("report", tmp_path / "runs", "--out", tmp_path / "report", "--format", "md"))
    page = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    faithfulness = page[page.index("Faithfulness, toy-stripes") :]
    assert r"Brightness \[levels\]" in faithfulness[: faithfulness.index("Noise and grids")]
    assert "Brightness" not in answered(call("list", "metrics"))
    assert "Brightness gap" in answered(call("list", "metrics", "--plugin", METRIC))
    assert "**Brightness** `brightness`" in answered(
        call("list", "metrics", "--markdown", "--plugin", METRIC)
    )


@pytest.mark.xdist_group("finished_runs")
def test_a_feature_network_of_a_plugin_gives_distances_under_its_name(
    call: Command, run_folder: Path
) -> None:
    answered(call("score", run_folder, "--features", "colours", "--plugin", NETWORK))
    scores = json.loads((run_folder / "scores.json").read_text())
    found = scores["selections"]["last"]["directions"]["A2B"]["metrics"]
    assert found["kd(colours)"]["value"] is not None
    assert found["kd(tiny)"]["value"] is not None, "scores of the network before are kept"
    assert scores["metrics"]["fd(colours)"]["title"] == "FD(colours)"
    assert scores["card"]["feature_network"] == "colours"
    assert (run_folder / "features" / "last-A2B-colours.npy").is_file()
    assert "colours" in answered(call("list", "networks", "--plugin", NETWORK))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (("mean(dim=(1, 2))", "mean()"), "FAILED  shape"),
        (("bounds=(0, 255)", "bounds=(0, 1)"), "leave the bounds 0 to 1"),
        (('"""Mean luma of images [b, 3, h, w] in levels: [b], 0 to 255."""', ""), "no docstring"),
        (
            ("luma(output)", "(luma(output) + luma(output).new_empty(output[:, 0].shape).normal_())"),
            "values differ",
        ),
        (("luma(output)", "(luma(output) / 0)"), "not finite"),
        (("luma(output)", "(luma(output) - luma(output).mean() + 9)"), "alone"),
    ],
    ids=["shape", "bounds", "docstring", "determinism", "finite", "one image"],
)
def test_a_metric_that_breaks_its_contract_fails_the_check(
    call: Command, tmp_path: Path, changes: tuple[str, str], told: str
) -> None:
    text = METRIC.read_text(encoding="utf-8")
    assert changes[0] in text
    path = tmp_path / "broken.py"
    path.write_text(text.replace(*changes), encoding="utf-8")
    outcome = call("check", "--metric", "brightness", "--plugin", path)
    assert outcome.returncode == 1
    assert told in outcome.stdout


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (("mean(dim=(1, 2))", "mean()"), "gives [] float32 for 6 images"),
        (("luma(output).mean(dim=(1, 2))", "output"), "gives [6, 3, 32, 32] float32 for 6 images"),
        (("mean(dim=(1, 2))", "mean(dim=(1, 2)) * 1j"), "gives [6] complex64 for 6 images"),
        (
            ("luma(output)", "luma(nothing)"),
            "raised NameError: name 'nothing' is not defined (broken.py, line ",
        ),
    ],
    ids=["one for all", "images", "complex", "raises"],
)
def test_a_metric_that_gives_no_number_an_image_stops_the_scoring_with_its_name(
    call: Command, workplace: Path, tmp_path: Path, changes: tuple[str, str], told: str
) -> None:
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    text = METRIC.read_text(encoding="utf-8")
    assert changes[0] in text
    path = tmp_path / "broken.py"
    path.write_text(text.replace(*changes), encoding="utf-8")
    same = ("--real", tmp_path, "--fake", tmp_path, "--source", tmp_path)
    outcome = call("score", *same, "--features", "tiny", "--plugin", path)
    assert outcome.returncode == 1
    assert f"The metric brightness {told}" in outcome.stderr
    assert "bench check --metric brightness" in outcome.stderr


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (("3 * CELLS**2", "7"), "not [3, 7]"),
        ((".flatten(1)", ".flatten(1) * 0"), "same features"),
        ((".flatten(1)", ".flatten(1) / 0"), "not finite"),
        ((".flatten(1)", ".flatten(1) + torch.rand(1)"), "eval mode"),
    ],
    ids=["shape", "constant", "finite", "determinism"],
)
def test_a_network_that_breaks_its_contract_fails_the_check(
    call: Command, tmp_path: Path, changes: tuple[str, str], told: str
) -> None:
    text = NETWORK.read_text(encoding="utf-8").replace(
        "from torch import", "import torch\nfrom torch import", 1
    )
    path = tmp_path / "broken.py"
    path.write_text(text.replace(*changes), encoding="utf-8")
    outcome = call("check", "--network", "colours", "--plugin", path)
    assert outcome.returncode == 1
    assert told in outcome.stdout


@pytest.mark.parametrize(
    "words", [("--metric", "brightnes"), ("--network", "colour"), ("--metric", "noise_gap"), ()], ids=str
)
def test_what_cannot_be_checked_is_a_usage_error(call: Command, words: tuple[str, ...]) -> None:
    outcome = call("check", *words, "--plugin", METRIC, "--plugin", NETWORK)
    assert outcome.returncode == 2
    assert "Traceback" not in outcome.stderr


def test_an_edited_network_is_not_answered_from_the_cache(
    tmp_path: Path, call: Command, run_folder: Path
) -> None:
    path = tmp_path / "network.py"
    path.write_text(NETWORK.read_text(encoding="utf-8"), encoding="utf-8")
    floors = []
    for change in (("/ 255", "/ 255"), ("/ 255", "/ 2550")):
        path.write_text(path.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
        answered(call("score", run_folder, "--features", "colours", "--plugin", path))
        scores = json.loads((run_folder / "scores.json").read_text())
        floors.append(scores["selections"]["last"]["directions"]["A2B"]["metrics"]["fd(colours)"]["floor"])
    assert floors[1] == pytest.approx(floors[0] / 100, rel=1e-3)


def _reports(section: str) -> bool:
    return "\nbench report" in section


@pytest.mark.parametrize(
    "section",
    [
        pytest.param(
            section,
            marks=[pytest.mark.xdist_group("finished_runs")] if _reports(section) else [],
            id=section.partition("\n")[0],
        )
        for section in SECTIONS
    ],
)
def test_every_snippet_of_the_page_does_what_it_says(
    call: Command, workplace: Path, tmp_path: Path, section: str, request: pytest.FixtureRequest
) -> None:
    if _reports(section):  # of what was run before
        request.getfixturevalue("finished_runs")
    for code in re.findall(r"```python\n(.*?)```", section, flags=re.S):
        name = code.partition("\n")[0].removeprefix("# ")
        (workplace / name).write_text(code, encoding="utf-8")
    images = workplace / "my-images"
    for number, split in enumerate(("trainA", "trainB", "testA", "testB")):
        (images / split).mkdir(parents=True, exist_ok=True)
        for place in range(6):
            pixels = np.random.default_rng([number, place]).integers(0, 256, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(images / split / f"{place}.png")
    commands = [
        line
        for block in re.findall(r"```\n(bench .*?)```", section, flags=re.S)
        for line in block.splitlines()
    ]
    assert commands
    for line in commands:
        words = shlex.split(line)[1:]
        more = (
            ["--protocol", "tiny.toml", "--threads", "1", "--runs", str(tmp_path)]
            if words[0] == "run"
            else ["--out", str(tmp_path / "report")]
            if words[0] == "report"
            else []
        )
        answered(call(*words, *more))
