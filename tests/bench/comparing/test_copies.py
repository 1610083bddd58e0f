"""A copied run folder: the one at its own place counts, everywhere, and it is said."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import bench
from bench.cli import app
from bench.comparing.selection import choose_runs
from bench.runs.copies import copies_in
from reports.results import Results
from tests.bench.comparing.conftest import MakeRun


@pytest.fixture
def copied(tmp_path: Path, make_run: MakeRun) -> Path:
    """The first in the order of paths is the copy."""
    run = make_run("slot9", 0).path
    make_run("slot9", 1)
    make_run("spatial", 0)
    shutil.copytree(run, run.with_name("a copy"))
    return run.with_name("a copy")


def test_the_run_at_its_own_place_is_compared(copied: Path) -> None:
    root = copied.parents[3]
    chosen = choose_runs("slot9", root, None, None)
    assert [run.folder.path.name for run in chosen.runs] == ["seed0", "seed1"]
    assert chosen.remarks == (
        f"{copied} holds the same cell as {copied.with_name('seed0')}, which is used. Move it elsewhere, or "
        "remove it.",
    )


def test_without_a_run_at_its_place_the_first_copy_is_used(copied: Path) -> None:
    shutil.copytree(copied, copied.with_name("b copy"))
    shutil.rmtree(copied.with_name("seed0"))
    assert copies_in(sorted(copied.parent.iterdir())).used == {copied.with_name("b copy"): copied}


def test_a_folder_of_a_copy_alone_is_compared_as_it_is(copied: Path) -> None:
    assert choose_runs(str(copied), copied.parents[3], None, None).remarks == ()


@pytest.mark.parametrize(
    "command", [["list", "runs", "--runs", "{}"], ["report", "{}"]], ids=lambda each: each[0]
)
def test_lists_and_reports_say_it_once(command: list[str], copied: Path, tmp_path: Path) -> None:
    arguments = [each.format(copied.parents[3]) for each in command]
    out = ["--out", str(tmp_path / "out")] if command[0] == "report" else []
    done = CliRunner().invoke(app, [*arguments, *out])
    assert done.exit_code == 0, done.output
    assert done.stderr.count("a copy holds the same cell as") == 1


def test_a_frame_counts_a_seed_once(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = bench.load_runs(copied.parents[3])
    assert not table.duplicated(["variant", "seed", "selection", "direction", "metric"]).any()
    assert set(table["folder"].map(lambda folder: Path(folder).name)) == {"seed0", "seed1"}
    assert "a copy holds the same cell as" in capsys.readouterr().err


def test_a_report_counts_a_seed_once(copied: Path, tmp_path: Path) -> None:
    page = bench.report(copied.parents[3], out=tmp_path / "out", format="csv,html").path
    assert "a copy holds the same cell as" in page.read_text(encoding="utf-8")
    told = Results.model_validate_json((tmp_path / "out" / "results.json").read_text())
    names = [run.run for group in told.groups for run in group.runs if run.variant == "slot9"]
    assert names == [f"smoke/toy-stripes/slot9/seed{seed}" for seed in (0, 1)]
