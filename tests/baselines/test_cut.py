"""`cut` as a run: it brings its own objective, and everything says so."""

import csv
import json

from typer.testing import CliRunner

import variants
from bench.cli import app
from bench.runs.records import read_record

RULES = ("images.per_domain=12", "images.validation=2", "images.test=4", "train.images_seen=30")


def command(variant: str, runs) -> list[str]:
    rules = [
        part for rule in (*RULES, "model.width=4", "score.kid_subset_size=3") for part in ("--set", rule)
    ]
    return ["run", "--variant", variant, "--runs", str(runs), "--device", "cpu", "--threads", "1", *rules]


def test_a_run_ends_done_with_its_objective_recorded_and_losses_that_fall(tmp_path):
    outcome = CliRunner().invoke(app, command("cut", tmp_path))
    assert outcome.exit_code == 0, outcome.output
    (path,) = tmp_path.rglob("run.json")
    record = read_record(path)
    assert (record.status, record.images_seen, record.own_objective) == ("done", 30, "cut")
    assert record.trace_hash_without_pool is not None
    with (path.parent / "losses.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for name in ("patchnce_A2B", "patchnce_B2A", "patchnce_identity_A", "patchnce_identity_B"):
        assert 0 < float(rows[-1][name]) < float(rows[0][name]) < 4, name  # half of log 256 is 2.8


def test_other_variants_are_trained_with_the_objective_of_the_protocol(tmp_path):
    outcome = CliRunner().invoke(app, [*command("cyclegan", tmp_path), "--dry-run", "--json"])
    assert json.loads(outcome.stdout)["own_objective"] is None


def test_the_list_of_baselines_says_which_brings_its_own_objective():
    rows = json.loads(CliRunner().invoke(app, ["list", "baselines", "--json"]).stdout)
    assert {row["name"]: row["own objective"] for row in rows if row["own objective"]} == {"cut": "cut"}


def test_its_generator_is_that_of_cyclegan():
    ours, theirs = (variants.build(name, {"width": 4}).state_dict() for name in ("cut", "cyclegan"))
    assert {name: each.shape for name, each in ours.items()} == {
        name: each.shape for name, each in theirs.items()
    }
