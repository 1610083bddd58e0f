"""`bench score` as typed: runs again, folders of any origin, published checkpoints, refusals."""

import json
import math
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from bench.cli.console import print_scores
from bench.cli.options import print_json
from bench.cli.score import score
from bench.errors import UsageError
from bench.runs.records import DirectionScores, Score, Scores, Selection
from variants import VariantError

Command = Callable[..., subprocess.CompletedProcess[str]]
SLOT9 = "runs/tiny/toy-stripes/slot9/seed0"


@pytest.fixture(scope="module")
def folders(workplace: Path) -> Path:
    """A folder `external` with real, fake and source images of 32 pixels."""
    for seed, name in enumerate(("real", "fake", "source")):
        images = np.random.default_rng(seed).integers(0, 200 + 20 * seed, (8, 32, 32, 3)).astype(np.uint8)
        (workplace / "external" / name).mkdir(parents=True)
        for place, image in enumerate(images):
            Image.fromarray(image).save(workplace / "external" / name / f"{place}.png")
    return workplace / "external"


def test_a_finished_run_is_scored_again_to_the_same_scores(
    bench: Command, finished_runs: Path, workplace: Path
) -> None:
    before = json.loads((workplace / SLOT9 / "scores.json").read_text())
    outcome = bench("score", SLOT9, "--threads", "1", "--json")
    assert outcome.returncode == 0, outcome.stderr
    after = json.loads(outcome.stdout)
    assert after["selections"]["last"]["directions"] == before["selections"]["last"]["directions"]


def test_several_runs_are_one_json_document(bench: Command, finished_runs: Path) -> None:
    names = [SLOT9, SLOT9.replace("slot9", "spatial")]
    outcome = bench("score", *names, "--threads", "1", "--json")
    assert outcome.returncode == 0, outcome.stderr
    rows = json.loads(outcome.stdout)
    assert [row["run"] for row in rows] == names
    assert all("last" in row["selections"] for row in rows)


@pytest.mark.parametrize(("key", "printed"), [("kid", "KID ×100"), ("kd(tiny)", "KD(tiny)")])
def test_scores_are_printed_with_the_factor_in_their_name(
    key: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = {key: Score(value=0.0123456, floor=0.004, ceiling=None)}
    each = DirectionScores(images_generated=2, images_real=2, metrics=metrics)
    selection = Selection(step=1, images_seen=1, directions={"A2B": each, "B2A": each})
    print_scores(Scores(selections={"last": selection}, card={}))
    row = next(line for line in capsys.readouterr().out.splitlines() if "A → B" in line)
    cells = [cell.strip() for cell in re.split(r"\s{2,}", row) if cell.strip()]
    values = ["1.235", "0.4000"] if key == "kid" else ["0.01235", "0.004000"]
    assert cells == [printed, "A → B", *values, "-"]


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_json_that_is_printed_has_no_nan(odd: float, capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [1.5, odd], "b": {"c": (odd, "x", None, True)}})
    assert json.loads(capsys.readouterr().out) == {"a": [1.5, None], "b": {"c": [None, "x", None, True]}}


def test_folders_are_scored_kept_and_shown_by_the_report(
    bench: Command, folders: Path, workplace: Path
) -> None:
    options = ("--source", "external/source", "--features", "tiny", "--threads", "1", "--json")
    outcome = bench(
        "score", "--real", "external/real", "--fake", "external/fake", *options, "--name", "theirs"
    )
    assert outcome.returncode == 0, outcome.stderr
    scores = Scores.model_validate_json(outcome.stdout)
    assert scores.card["name"] == "theirs"
    assert "fd(tiny)" in scores.selections["last"].directions["A2B"].metrics
    assert "8 images; below 50 distances between sets say little" in outcome.stderr
    assert (workplace / "runs/external/external/theirs/images.csv").is_file()
    again = ("--source", "external/source", "--features", "tiny", "--threads", "1", "--name", "theirs")
    for fake, replaced in (("fake", False), ("source", True)):
        outcome = bench("score", "--real", "external/real", "--fake", f"external/{fake}", *again)
        assert ("held scores of other images A2B, which are replaced" in outcome.stderr) is replaced
    report = bench("report", "runs/external", "--out", "external-report", "--format", "md")
    assert report.returncode == 0, report.stderr
    pages = "\n".join(path.read_text() for path in (workplace / "external-report").rglob("*.md"))
    assert "theirs" in pages
    assert "FD(tiny)" in pages


def test_what_is_missing_from_the_table_is_named_with_the_option_that_gives_it(
    bench: Command, folders: Path
) -> None:
    asked = ("--real", "external/real", "--fake", "external/fake", "--features", "tiny", "--threads", "1")
    outcome = bench("score", *asked)
    assert outcome.returncode == 0, outcome.stderr
    said = " ".join(outcome.stdout.split())
    assert "--floor DIR" in said
    assert "--source DIR" in said
    assert "KD(tiny) over subsets, standard deviation" in said
    assert "no standard error" in said
    assert "Images as found, 32 x 32. Resized for the features of tiny: antialiased bilinear" in said
    full = bench("score", *asked, "--source", "external/source", "--floor", "external/source", "--size", "16")
    assert full.returncode == 0, full.stderr
    said = " ".join(full.stdout.split())
    assert "--floor DIR" not in said
    assert "--source DIR" not in said
    assert "Images resized to 16 x 16 (bicubic, antialiased, to a square). Resized for the" in said


def test_a_published_checkpoint_is_scored_on_a_data_set(
    bench: Command, workplace: Path, reference: ModuleType
) -> None:
    state = reference.filled_state(reference.shapes("training_lsgan_G"))
    torch.save(state, workplace / "generator.pth")
    system = ("--published", "attentiongan", "--checkpoint", "generator.pth", "--dataset", "toy-stripes")
    outcome = bench("score", *system, "--protocol", "tiny.toml", "--threads", "1")
    assert outcome.returncode == 0, outcome.stderr
    assert "4 images against 4 real ones" in outcome.stdout
    assert "FD(tiny)" in outcome.stdout
    assert "Edge correlation" in outcome.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Give one of: folders of runs; --real DIR with --fake DIR"),
        ({"run": [Path("a")], "real": Path("b")}, "Give one of: folders of runs"),
        ({"real": Path("a")}, "Give both --real DIR and --fake DIR"),
        ({"run": [Path("a")], "pattern": "*"}, "--pattern is for folders of images: give --real DIR"),
        ({"run": [Path("a")], "recursive": True}, "--recursive is for folders of images"),
        ({"published": "cyclegan"}, "Give all of --published SYSTEM, --checkpoint FILE and --dataset NAME"),
        ({"real": Path("a"), "fake": Path("b"), "direction": "AtoB"}, "'AtoB' is not a direction. Give A2B"),
        (
            {"real": Path("a"), "fake": Path("b"), "features": "tinny"},
            "Unknown feature network 'tinny'. Did you mean 'tiny'",
        ),
        ({"run": [Path("a")], "out": Path("b")}, "--out is not for finished runs: a run has its data set"),
        ({"run": [Path("a")], "name": "b"}, "--name is not for finished runs"),
        (
            {"real": Path("a"), "fake": Path("b"), "source_pattern": "*"},
            "--source-pattern chooses among the images of --source DIR",
        ),
        (
            {"real": Path("a"), "fake": Path("b"), "features": ""},
            "--features is empty. Leave it out, or name",
        ),
        (
            {"published": "zzz", "checkpoint": Path("no"), "dataset": "toy-stripes"},
            "Unknown published system 'zzz'",
        ),
    ],
)
def test_requests_that_cannot_be_meant_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises((UsageError, VariantError), match=message):
        score(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("inside", "recursive"), [("real", False), ("fake", False), ("source", False), ("fake/scores", True)]
)
def test_scores_are_not_kept_among_the_images_that_they_are_of(
    folders: Path, inside: str, recursive: bool
) -> None:
    before = sorted(folders.rglob("*"))
    with pytest.raises(UsageError, match="scores and samples would lie among its images"):
        score(
            real=folders / "real",
            fake=folders / "fake",
            source=folders / "source",
            features="tiny",
            out=folders / inside,
            recursive=recursive,
        )
    assert sorted(folders.rglob("*")) == before
