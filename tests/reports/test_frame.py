"""Run folders as frames: every run keeps its row, missing stays missing, nothing crashes."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from bench.errors import UsageError
from reports.frame import read_study, run_folders
from reports.run_files import read_images, read_losses, read_samples


def test_one_row_per_run_and_one_per_score(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path, ("spatial", "copy"), seeds=(0, 1), pictures=False)
    study = read_study(run_folders([tmp_path]))
    assert len(study.runs) == 4
    run = mini.Mini(mini.protocol(), "toy-stripes", "spatial", 1)
    rows = study.scores.query(
        "variant == 'spatial' and seed == 1 and selection == 'last' and direction == 'A2B'"
    )
    assert rows.set_index("metric")["value"]["kd(tiny)"] == mini.kernel_value(run, "A2B")
    assert rows.set_index("metric")["floor"]["kd(tiny)"] == mini.FLOOR


def test_costs_that_are_not_recorded_stay_missing(tmp_path: Path, mini: ModuleType) -> None:
    run = mini.Mini(mini.protocol(), "toy-stripes", "spatial", 0)
    mini.write_record(run.folder(tmp_path), mini.record(run, costs=None, status="running"))
    row = read_study(run_folders([tmp_path])).runs.iloc[0]
    assert pd.isna(row["parameters"])
    assert np.isnan(row["gflop"])


def test_failed_and_running_runs_keep_status_and_reason(tmp_path: Path, mini: ModuleType) -> None:
    for seed, status, reason in ((0, "failed", "The loss gan_A2B is not finite."), (1, "running", None)):
        run = mini.Mini(mini.protocol(), "toy-stripes", "slot9", seed)
        mini.write_record(run.folder(tmp_path), mini.record(run, status=status, reason=reason))
    runs = read_study(run_folders([tmp_path])).runs.set_index("seed")
    assert list(runs["status"]) == ["failed", "running"]
    assert runs.loc[0, "reason"] == "The loss gan_A2B is not finite."
    assert not runs["scored"].any()


@pytest.mark.parametrize("content", ["", "{", "null", '{"schema_version": 99}', "\x00\xff"])
def test_a_damaged_record_is_a_row_with_its_reason(tmp_path: Path, mini: ModuleType, content: str) -> None:
    folder = mini.Mini(mini.protocol(), "toy-stripes", "slot9", 3).folder(tmp_path)
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(content, encoding="latin-1")
    row = read_study(run_folders([tmp_path])).runs.iloc[0]
    assert row["status"] == "damaged"
    assert "run.json" in row["reason"]
    assert (row["variant"], row["seed"]) == ("slot9", 3)


def test_a_run_that_has_not_written_its_record_yet_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "smoke" / "toy-stripes" / "slot9" / "seed0").mkdir(parents=True)
    row = read_study(run_folders([tmp_path])).runs.iloc[0]
    assert (row["status"], row["reason"]) == ("damaged", "It holds no run.json (yet).")


def test_damaged_scores_leave_the_run_unscored_with_the_remedy(tmp_path: Path, mini: ModuleType) -> None:
    folder = mini.write_run(tmp_path, mini.Mini(mini.protocol(), "toy-stripes", "slot9", 0), pictures=False)
    (folder / "scores.json").write_text('{"selections": 3}')
    row = read_study(run_folders([tmp_path])).runs.iloc[0]
    assert not row["scored"]
    assert "bench score" in row["reason"]


def test_tables_and_lists_that_cannot_be_read_are_empty(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "index.json").write_text("[1, {}")
    (tmp_path / "losses.csv").write_text("step,images_seen,cycle_A\n1,1")
    (tmp_path / "images.csv").write_text("\x00")
    assert read_samples(str(tmp_path)) == []
    assert read_images(str(tmp_path)).empty
    assert list(read_losses(str(tmp_path))["step"]) == [1]


def test_a_root_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no folder"):
        run_folders([tmp_path / "nowhere"])


def test_a_file_of_no_run_is_not_its_folder(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path, ("copy",), seeds=(0,))
    (tmp_path / "w.pth").write_bytes(b"")
    with pytest.raises(UsageError, match=r"w\.pth is a file. Give run folders, a folder that holds some, or"):
        run_folders([tmp_path / "w.pth"])


def test_runs_are_found_once_however_often_they_are_named(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path, ("copy",), seeds=(0,))
    folder = mini.Mini(mini.protocol(), "toy-stripes", "copy", 0).folder(tmp_path)
    assert run_folders([tmp_path, folder, tmp_path]) == [folder]


def test_the_tidy_frame_keeps_runs_without_scores(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path, ("copy",), seeds=(0,), pictures=False)
    run = mini.Mini(mini.protocol(), "toy-stripes", "slot9", 0)
    mini.write_record(run.folder(tmp_path), mini.record(run, status="failed", reason="x"))
    tidy = read_study(run_folders([tmp_path])).tidy()
    assert set(tidy["variant"]) == {"copy", "slot9"}
    assert tidy.loc[tidy["variant"] == "slot9", "value"].isna().all()
