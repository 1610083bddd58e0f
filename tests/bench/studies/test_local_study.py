"""`bench study` on the local engine: real cells in processes of their own."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from bench.runs.folder import RunFolder


def test_a_study_leaves_a_finished_run_for_every_cell(workplace: Any, undisturbed: Path) -> None:
    for variant in ("slot9", "spatial", "copy"):
        folder = workplace.folder(undisturbed, variant)
        assert folder.read().status == "done"
        assert folder.scores_json.exists()


def test_all_cells_of_a_study_share_one_schedule(workplace: Any, undisturbed: Path) -> None:
    records = [workplace.folder(undisturbed, variant).read() for variant in ("slot9", "spatial", "copy")]
    assert len({record.schedule_hash for record in records}) == 1
    assert records[0].trace_hash == records[1].trace_hash


def test_a_second_study_that_shares_cells_shares_their_runs(workplace: Any, undisturbed: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*") if path.is_file()}
    outcome = workplace.outcome(undisturbed, ("spatial", "copy"))
    assert outcome["exit"] == 0
    assert {cell["end"] for cell in outcome["cells"].values()} == {"skipped"}
    assert {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*") if path.is_file()} == before


def test_bench_run_and_bench_study_make_the_same_run(
    workplace: Any, undisturbed: Path, tmp_path: Path, assert_undisturbed: Callable[..., None]
) -> None:
    arguments = ["--variant", "spatial", "--protocol", workplace.protocol, "--threads", 1]
    assert workplace.bench("run", *arguments, "--runs", tmp_path).returncode == 0
    assert_undisturbed(tmp_path, ("spatial",))


def test_a_study_shows_new_and_finished_cells_in_tensorboard(
    workplace: Any, undisturbed: Path, tmp_path: Path
) -> None:
    finished = workplace.folder(undisturbed, "spatial").path
    shutil.copytree(finished, tmp_path / finished.relative_to(undisturbed))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    study = workplace.study(tmp_path, ("spatial", "copy"), tensorboard=True)
    assert study.returncode == 0, study.stderr
    assert {path: path.read_bytes() for path in before} == before
    for variant, curve in (("spatial", "losses/gan_A2B"), ("copy", "score/A2B/kd(tiny)")):
        events = EventAccumulator(str(workplace.folder(tmp_path, variant).path / "tensorboard"))
        events.Reload()
        assert events.Scalars(curve)


def test_a_dry_run_names_folder_schedule_cost_and_state(workplace: Any, undisturbed: Path) -> None:
    finished = workplace.study(undisturbed, ("spatial", "uniform"), dry_run=True, json=True)
    done, new = json.loads(finished.stdout)
    record = workplace.folder(undisturbed, "spatial").read()
    assert done["schedule_hash"] == record.schedule_hash
    assert done["folder"] == str(workplace.folder(undisturbed, "spatial").path)
    assert (done["state"], new["state"]) == ("done", "new")
    assert done["hours"] * 3600 >= 16 * record.costs.seconds_per_step
    assert done["memory_bytes"] == record.costs.peak_memory_bytes
    assert new["hours"] is None


def test_a_dry_run_says_how_to_measure_a_step(workplace: Any, tmp_path: Path) -> None:
    text = workplace.study(tmp_path, ("slot9",), dry_run=True).stdout
    assert "no run of equal steps is there yet" in text
    assert "bench run --variant slot9" in text
    assert list(tmp_path.iterdir()) == []


def test_planning_imports_no_torch(workplace: Any, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from bench.cli import app\n"
        f"words = ['study', '--protocol', {str(workplace.protocol)!r}, '--runs', {str(tmp_path)!r}]\n"
        "words += ['--variant', 'slot9', '--variant', 'copy', '--dry-run']\n"
        "try: app(words)\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'pandas', 'scipy', 'ray'} & sys.modules.keys()\n"
        "sys.exit(f'imported {sorted(heavy)}' if heavy else 0)\n"
    )
    import subprocess
    import sys

    finished = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=workplace.environment,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr


def test_sigterm_saves_every_cell_and_the_same_command_goes_on(
    workplace: Any, tmp_path: Path, waiting: Any, find_workers: Any, assert_undisturbed: Callable[..., None]
) -> None:
    driver = workplace.start(*workplace.grid(tmp_path, ("spatial",)))
    folder = workplace.folder(tmp_path, "spatial")
    waiting((folder.checkpoints / "last.pt").exists, "a checkpoint")
    driver.send_signal(signal.SIGTERM)
    out, _ = workplace.finish(driver)
    assert driver.returncode == 128 + signal.SIGTERM
    assert "1 stopped" in out
    assert "Nothing is lost; go on with: bench study" in out
    assert workplace.study(tmp_path, ("spatial",)).returncode == 0
    assert_undisturbed(tmp_path, ("spatial",))


def test_max_hours_stops_cleanly_and_exits_with_0(workplace: Any, undisturbed: Path, tmp_path: Path) -> None:
    shutil.copytree(workplace.folder(undisturbed, "copy").path, workplace.folder(tmp_path, "copy").path)
    outcome = workplace.outcome(tmp_path, ("copy", "spatial"), max_hours=0)
    assert outcome["exit"] == 0
    assert outcome["stopped"].startswith("Stopped after the 0 hours of --max-hours")
    assert outcome["cells"]["spatial"]["end"] == "waiting"


@pytest.mark.parametrize("option", [("--variant", "slot9"), ("--seed", "1"), ("--set", "train.batch=2")])
def test_a_study_file_and_options_that_declare_one_exclude_each_other(workplace: Any, option: Any) -> None:
    finished = workplace.bench("study", "smoke", *option)
    assert finished.returncode == 2
    assert "A study file says what is run" in finished.stderr


def test_a_study_of_nothing_says_what_to_type(workplace: Any) -> None:
    finished = workplace.bench("study")
    assert finished.returncode == 2
    assert "bench study --variant 'slot*' --seed 0..4" in finished.stderr


def test_workers_see_what_the_command_saw_and_import_nothing_from_the_folder_it_stands_in(
    workplace: Any, odd_folder: Path, forked: ModuleType
) -> None:
    arguments = ["study", "odd.toml", "--plugin", "plug.py", "--runs", "runs", "--threads", 1]
    anew = {forked.ANEW: "bench.studies.process"}
    finished = workplace.bench(*arguments, cwd=odd_folder, BENCH_CACHE="cache", **anew)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert RunFolder(odd_folder / "runs" / "tiny" / "photos" / "mine" / "seed0").read().status == "done"
    assert any((odd_folder / "cache").iterdir())


def test_a_worker_of_a_profile_imports_nothing_from_the_current_folder(
    workplace: Any, odd_folder: Path, forked: ModuleType
) -> None:
    arguments = [
        "profile",
        "uniform",
        "--protocol",
        "rules/tiny.toml",
        "--steps",
        1,
        "--threads",
        1,
        "--json",
    ]
    finished = workplace.bench(*arguments, cwd=odd_folder, **{forked.ANEW: "bench.profiling.profile"})
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)[0]["variant"] == "uniform"
