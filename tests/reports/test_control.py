"""The A/A control of a study in its report: one variant against itself, and nothing claimed of it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from bench.cli import app
from reports.comparability import Group
from reports.control import DeclaredControl, controlled

Read = Callable[[Path], Group]
STUDY = """
variants = ["spatial", "slot9"]
seeds = "0..{last}"
control = "spatial"
"""


def declared(mini: ModuleType, again: Path, seeds: int, done: int | None = None) -> DeclaredControl:
    """The control of `spatial` with `done` of its second runs written below `again`."""
    further = range(seeds, 2 * seeds)
    mini.write_study(again, ("spatial",), seeds=further[:done], pictures=False, tables=False)
    folders = [mini.Mini(mini.protocol(), "toy-stripes", "spatial", seed).folder(again) for seed in further]
    present = tuple(folder for folder in folders if folder.exists())
    return DeclaredControl("spatial", tuple(range(seeds)), tuple(further), present)


def shift_distances(folder: Path, factor: float) -> None:
    """Multiply every kernel distance of a run."""
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    for direction in scores["selections"]["last"]["directions"].values():
        direction["metrics"]["kd(tiny)"]["value"] *= factor
    (folder / "scores.json").write_text(json.dumps(scores), encoding="utf-8")


def lines_of(
    mini: ModuleType, group_of: Read, place: Path, seeds: int, done: int | None = None, factor: float = 1.0
) -> tuple[str, ...]:
    mini.write_study(place / "first", ("spatial", "slot9"), seeds=range(seeds), pictures=False, tables=False)
    control = declared(mini, place / "second", seeds, done)
    for folder in control.folders:
        shift_distances(folder, factor)
    return controlled(control, [group_of(place / "first")]).lines


def test_one_variant_under_other_seeds_is_not_claimed_to_differ(
    tmp_path: Path, mini: ModuleType, group_of: Read
) -> None:
    verdict, *sentences = lines_of(mini, group_of, tmp_path, seeds=5)
    assert "0 differences claimed in 2 comparisons of a variant with itself" in verdict
    assert "as chance allows" in verdict
    assert len(sentences) == 2
    assert all(
        "no difference found between spatial (seeds 0-4) and spatial (seeds 5-9)" in one for one in sentences
    )


def test_a_control_that_claims_too_much_says_so(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    verdict, *_ = lines_of(mini, group_of, tmp_path, seeds=5, factor=3.0)
    assert "2 differences claimed in 2 comparisons" in verdict
    assert "more than chance allows" in verdict


def test_three_seeds_show_a_range_and_test_nothing(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    verdict, first, _ = lines_of(mini, group_of, tmp_path, seeds=3)
    assert "no claim is made from 3 seeds on either side" in verdict
    assert "spatial (seeds 0-2) minus spatial (seeds 3-5) ranges from" in first


def test_second_runs_that_are_not_finished_are_counted(
    tmp_path: Path, mini: ModuleType, group_of: Read
) -> None:
    verdict, *_, last = lines_of(mini, group_of, tmp_path, seeds=5, done=2)
    assert "no claim is made from 2 seeds on either side" in verdict
    assert last == "3 second runs of spatial not finished yet: bench study goes on."


def test_without_any_second_run_there_is_nothing_to_compare(
    tmp_path: Path, mini: ModuleType, group_of: Read
) -> None:
    first, second = lines_of(mini, group_of, tmp_path, seeds=5, done=0)
    assert first == "A/A control of spatial: nothing to compare yet."
    assert second.startswith("5 second runs")


def test_second_runs_under_other_rules_are_no_control(
    tmp_path: Path, mini: ModuleType, group_of: Read
) -> None:
    mini.write_study(tmp_path / "first", ("spatial",), seeds=range(5), pictures=False)
    control = declared(mini, tmp_path / "second", 5)
    for folder in control.folders:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        record["protocol_hash"] = "other"
        (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    first, second = controlled(control, [group_of(tmp_path / "first")]).lines
    assert "nothing to compare yet" in first
    assert second.startswith("5 second runs")


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory, mini: ModuleType) -> Path:
    """The report of a study that declares a control, its second runs beside the first."""
    place = tmp_path_factory.mktemp("control")
    mini.write_study(place / "runs", ("spatial", "slot9"), seeds=range(3), pictures=False, tables=False)
    mini.write_study(place / "runs", ("spatial",), seeds=range(3, 6), pictures=False, tables=False)
    (place / "mine.toml").write_text(STUDY.format(last=2), encoding="utf-8")
    words = ["report", str(place / "mine.toml"), "--runs", str(place / "runs"), "--out", str(place / "out")]
    outcome = CliRunner().invoke(app, [*words, "--format", "md,html"])
    assert outcome.exit_code == 0, outcome.output
    return place / "out"


def test_the_report_of_a_study_shows_its_control(reported: Path) -> None:
    text = (reported / "report.md").read_text(encoding="utf-8")
    assert re.search(r"## A/A control\n\n- A/A control: no claim is made from 3 seeds", text)
    page = (reported / "index.html").read_text(encoding="utf-8")
    assert ">A/A control<" in page
    assert "One variant against itself" in page
    told = json.loads((reported / "results.json").read_text(encoding="utf-8"))
    assert told["control"][0].startswith("A/A control: no claim is made from 3 seeds")


def test_second_runs_of_the_control_are_in_no_other_table(reported: Path) -> None:
    told = json.loads((reported / "results.json").read_text(encoding="utf-8"))
    assert {run["seed"] for group in told["groups"] for run in group["runs"]} == {0, 1, 2}
