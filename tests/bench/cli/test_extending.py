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

from bench.comparing.sides import same_networks

Command = Callable[..., subprocess.CompletedProcess[str]]
DOCS = Path(__file__).parents[3] / "docs"
METRIC, NETWORK = DOCS / "example_metric.py", DOCS / "example_network.py"
OBJECTIVE = DOCS / "example_objective.py"
SECTIONS = re.split(r"^## ", (DOCS / "extending.md").read_text(encoding="utf-8"), flags=re.M)[1:]
TABLE = METRIC.with_name("example_table.py")
FIGURE = """
from reports.figures.style import panels
from reports.parts import Sketch, figure


@figure("plain", section="losses")
def plain(group):
    \"\"\"An empty panel.\"\"\"
    return Sketch("A panel", "CAPTION", lambda: panels(1, 1)[0])
"""
ENGINE = """
from bench.studies.engines.interface import engine
from bench.studies.process import Outcome


@engine("idle", summary="Executes nothing.")
class Idle:
    \"\"\"Says what it is told to say.\"\"\"

    says = []

    def __init__(self, settings, device):
        self.begun = False

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def capacity(self):
        return 1

    def begin(self, number, order):
        self.begun = True

    def events(self, seconds):
        said, self.says = (self.says, []) if self.begun else ([], self.says)
        return said

    def stop(self, kill=False):
        pass

    BODY
"""


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


def test_a_finished_run_says_which_metrics_were_added_or_edited_since(
    call: Command, workplace: Path, tmp_path: Path
) -> None:
    path = tmp_path / "bright.py"
    path.write_text(METRIC.read_text(encoding="utf-8"), encoding="utf-8")
    words = ["--variant", "copy", "--protocol", "tiny.toml", "--runs", tmp_path / "runs", "--threads", 1]
    answered(call("run", *words))
    said = call("run", *words, "--plugin", path).stderr
    assert "brightness was not there when this run was scored: bench score" in said
    (folder,) = (each.parent for each in tmp_path.glob("runs/**/scores.json"))
    answered(call("score", folder, "--plugin", path))
    assert "brightness" not in call("run", *words, "--plugin", path).stderr
    path.write_text(path.read_text(encoding="utf-8") + "\n# another one\n", encoding="utf-8")
    assert "brightness has been edited since" in call("run", *words, "--plugin", path).stderr


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
        (("luma(output)", "luma(output.div_(2))"), "The metric brightness writes into output"),
        (("return luma(output).mean(dim=(1, 2))", "return 'bright'"), "gives 'bright' (str) for"),
        (("return luma(output).mean(dim=(1, 2))", "return [[1], [1, 2]]"), "it has to give one real number"),
        (('"brightness"', '"bright ness, x"'), "cannot be called so"),
        (('"brightness"', '"file"'), "cannot be called so"),
        (('"brightness"', '"fid"'), "only distances on Inception's features are called FID"),
    ],
    ids=["writes", "text", "ragged", "signs", "column", "fid"],
)
def test_a_metric_that_would_spoil_the_others_or_the_files_is_refused_by_name(
    call: Command, run_folder: Path, tmp_path: Path, changes: tuple[str, str], told: str
) -> None:
    text = METRIC.read_text(encoding="utf-8")
    assert changes[0] in text
    path = tmp_path / "broken.py"
    path.write_text(text.replace(*changes), encoding="utf-8")
    before = (run_folder / "scores.json").read_bytes()
    outcome = call("score", run_folder, "--plugin", path)
    assert outcome.returncode in (1, 2)
    assert told in outcome.stderr
    tried = outcome.stderr.partition("Try it with: ")[2].split()
    assert tried == [] or tried == ["bench", "check", "--metric", "brightness", "--plugin", str(path)]
    assert "Traceback" not in outcome.stderr
    assert (run_folder / "scores.json").read_bytes() == before


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
        (("luma(output)", "luma(output.div_(2))"), "writes into output"),
    ],
    ids=["shape", "bounds", "docstring", "determinism", "finite", "one image", "inputs kept"],
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


def test_an_objective_of_a_plugin_is_trained_with_kept_and_listed_like_ours(
    call: Command, workplace: Path, tmp_path: Path
) -> None:
    words = ["--variant", "spatial", "--protocol", "tiny.toml", "--set", "train.objective=hinge"]
    where = ["--threads", "1", "--runs", tmp_path / "runs"]
    refused = call("run", *words, *where)
    assert refused.returncode == 2
    assert "Unknown objective 'hinge'" in refused.stderr
    assert "--plugin FILE.py" in refused.stderr
    assert not list(tmp_path.glob("runs/**/run.json")), "refused before anything is written"
    answered(call("run", *words, *where, "--plugin", OBJECTIVE))
    (folder,) = (path.parent for path in tmp_path.glob("runs/**/run.json"))
    assert json.loads((folder / "run.json").read_text())["protocol"]["train"]["objective"] == "hinge"
    with (folder / "losses.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    # Of a fresh discriminator's small logits the hinge of both sides is near 2, least squares near 1/2.
    assert float(rows[0]["discriminator_A"]) > 1
    assert (folder / "scores.json").is_file()
    assert "hinge" in answered(call("list", "objectives", "--plugin", OBJECTIVE))
    assert "hinge" not in answered(call("list", "objectives"))


@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["study", "dry-run"])
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--variant", "spatial", "--set", "train.objective=lsgam"], "Did you mean 'lsgan'"),
        (
            [
                "--variant",
                "spatial",
                "--set",
                "train.objective=relativistic",
                "--set",
                "train.diffaugment=colour",
            ],
            "Objective relativistic cannot honour train.diffaugment",
        ),
        (
            ["--variant", "cut", "--set", "train.identity_fade=0.5"],
            "Objective cut cannot honour train.identity_fade",
        ),
    ],
    ids=["unknown", "rule", "own objective"],
)
def test_a_study_of_an_objective_that_cannot_be_trained_with_is_refused_before_a_cell(
    call: Command, workplace: Path, tmp_path: Path, words: list[str], told: str, dry: tuple[str, ...]
) -> None:
    outcome = call("study", *words, "--protocol", "tiny.toml", "--runs", tmp_path / "runs", *dry)
    assert outcome.returncode == 2
    assert told in outcome.stderr
    assert not list(tmp_path.glob("runs/**/run.json"))


GAME = "    adversarial = AdversarialLoss(of_generator, of_discriminator)\n"
STEP = """
    def learn(self, images, streams):
        self.seen = getattr(self, "seen", 0) + 1
        if self.seen > 1:
            images = {domain: DRAWN * image for domain, image in images.items()}
        return super().learn(images, streams)
"""


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"-translated.mean()": "-translated.abs().mean() / 0"}, ("FAILED  losses", "gan_A2B is -inf")),
        ({GAME: f"{GAME}    losses = ('gan_A2B',)\n"}, ("FAILED  losses", "cycle_A")),
        (
            {"functional.relu(1 - real)": "functional.relu(0 * real)", "relu(1 + trans": "relu(0 * trans"},
            ("FAILED  learning", "nothing in discriminator A, discriminator B"),
        ),
        ({GAME: GAME + STEP.replace("DRAWN", "torch.rand(())")}, ("FAILED  determinism", "streams alone")),
        ({GAME: GAME + STEP.replace("DRAWN", "self.seen")}, ("FAILED  resuming", "belongs in _parts")),
        ({'    """Lim': '    source = """Lim'}, ("FAILED  documented", "its class no docstring")),
        ({GAME: f"{GAME}    honours = frozenset({{'colour'}})\n"}, ("FAILED  documented", "diffaugment")),
    ],
    ids=["finite", "names", "learning", "determinism", "resuming", "docstring", "rules"],
)
def test_an_objective_that_breaks_its_contract_fails_the_check(
    call: Command, tmp_path: Path, changes: dict[str, str], told: tuple[str, ...]
) -> None:
    text = OBJECTIVE.read_text(encoding="utf-8").replace(
        "from torch import", "import torch\nfrom torch import", 1
    )
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "broken.py"
    path.write_text(text, encoding="utf-8")
    outcome = call("check", "--objective", "hinge", "--plugin", path)
    assert outcome.returncode == 1
    for each in told:
        assert each in outcome.stdout


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (("", ""), None),
        (('"""The share of test images that keep less than half of their edges."""', ""), "no docstring"),
        (("Row(variant, tuple(cells))", "Row(variant, tuple(cells[1:]))"), "1 cells for 2 columns"),
        (("Row(variant, tuple(cells))", "Row(variant, (1.5, cells[1]))"), "holds 1.5 in place of a cell"),
        (("    rows = []\n", "    return ['rows']\n"), "returned str, not Table"),
        (("for variant in group.variants:", "for variant in group.absent:"), "AttributeError"),
    ],
    ids=["sound", "docstring", "cells", "no cell", "type", "raises"],
)
def test_a_table_that_breaks_its_contract_fails_the_check(
    call: Command, tmp_path: Path, changes: tuple[str, str], told: str | None
) -> None:
    path = tmp_path / "broken_table.py"
    text = TABLE.read_text(encoding="utf-8")
    assert changes[0] in text
    path.write_text(text.replace(*changes), encoding="utf-8")
    outcome = call("check", "--table", "lost-lines", "--plugin", path)
    assert outcome.returncode == (0 if told is None else 1), outcome.stderr
    for each in [told] if told else ["passed  not scored yet", "1 table: 1 row\n", "1 table: 3 rows\n"]:
        assert each in outcome.stdout


def test_the_run_of_an_edited_objective_is_no_answer_and_stands_in_no_table_with_others(
    call: Command, workplace: Path, tmp_path: Path
) -> None:
    path, runs = tmp_path / "hinge.py", tmp_path / "runs"
    path.write_text(OBJECTIVE.read_text(encoding="utf-8"), encoding="utf-8")
    where = ["--runs", runs, "--threads", 1, "--plugin", path]
    words = ["--protocol", "tiny.toml", "--set", "train.objective=hinge", *where]
    for variant in ("spatial", "copy"):
        answered(call("run", "--variant", variant, *words))
    record = json.loads(next(runs.glob("*/*/spatial/seed0/run.json")).read_text())
    assert record["objective_source"]["name"] == "hinge.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n# another one\n", encoding="utf-8")
    refused = call("run", "--variant", "spatial", *words)
    assert refused.returncode == 1
    assert record["objective_source"]["hash"] in refused.stderr
    answered(call("run", "--variant", "copy", *words))  # learns nothing, from no objective
    planned = answered(
        call("study", "--variant", "spatial", "--variant", "copy", *words[:4], "--dry-run", *where)
    )
    assert "2 cells: 1 done, 1 other" in planned
    answered(call("run", "--variant", "uniform", *words))
    for command in (
        ("report", runs, "--out", tmp_path / "r"),
        ("compare", "spatial", "uniform", "--runs", runs),
    ):
        refused = call(*command)
        assert refused.returncode != 0
        assert "source of the objective" in refused.stderr


@pytest.mark.parametrize("broken", [False, True])
def test_a_figure_is_drawn_for_every_kind_of_group(call: Command, tmp_path: Path, broken: bool) -> None:
    path = tmp_path / "some_figure.py"
    caption = "" if broken else "Lines: mean over seeds."
    path.write_text(FIGURE.replace("CAPTION", caption), encoding="utf-8")
    outcome = call("check", "--figure", "plain", "--plugin", path)
    assert outcome.returncode == int(broken), outcome.stderr
    assert ("no title, or no caption" if broken else "1 figure drawn") in outcome.stdout


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("capacity = lambda self: 0", "capacity is 0"),
        ("events = lambda self, seconds: [(1, Outcome(outcome='done'))]", "events before a cell has begun"),
        ("says = [(9, Outcome(outcome='done'))]", "an event is of cell 9"),
        ("says = [(7, Outcome(outcome='done'))]", "does not say so"),
        ("says = 2 * [(7, Outcome(outcome='done'))]", "2 Outcomes of one cell"),
        ("says = [(7, Outcome(outcome='failed', reason='no'))]", "a cell ended as failed: no"),
        ("begin = None", "TypeError"),
        ("says = []", "no Outcome of a cell in 1 s"),
    ],
)
def test_an_engine_that_breaks_its_contract_fails_the_check(
    call: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, told: str
) -> None:
    monkeypatch.setattr("bench.studies.conformance.PATIENCE", 1.0)
    path = tmp_path / "broken_engine.py"
    path.write_text(ENGINE.replace("BODY", body), encoding="utf-8")
    outcome = call("check", "--engine", "idle", "--plugin", path)
    assert outcome.returncode == 1, outcome.stderr
    assert told in outcome.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("--metric", "brightnes"),
        ("--network", "colour"),
        ("--metric", "noise_gap"),
        ("--objective", "hing"),
        ("--engine", "locl"),
        ("--engine", "local[partition=gpu]"),
        ("--engine", "local[partition]"),
        ("--table", "costs"),
        ("--figure", "costs"),
        (),
    ],
    ids=str,
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
    floors: list[float] = []
    cards: list[dict[str, str]] = []
    for change in (("/ 255", "/ 255"), ("/ 255", "/ 2550")):
        path.write_text(path.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
        answered(call("score", run_folder, "--features", "colours", "--plugin", path))
        scores = json.loads((run_folder / "scores.json").read_text())
        floors.append(scores["selections"]["last"]["directions"]["A2B"]["metrics"]["fd(colours)"]["floor"])
        cards.append(scores["card"])
    assert floors[1] == pytest.approx(floors[0] / 100, rel=1e-3)
    assert not same_networks(*cards), "features of edited code are not held against those of before"


def _reports(section: str) -> bool:
    return "\nbench report" in section


@pytest.mark.parametrize(
    "section",
    [pytest.param(section, id=section.partition("\n")[0]) for section in SECTIONS],
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
