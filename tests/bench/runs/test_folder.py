"""The run folder: records are read back, damaged ones are named, one process at a time."""

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.runs.atomic import CannotWrite, require_writable
from bench.runs.folder import RunFolder, find_runs, list_folder, remove_run
from bench.runs.records import CellRecord, RunRecord
from bench.setup import describe_environment


def a_record(**changes: object) -> RunRecord:
    values = {
        "status": "running",
        "cell": CellRecord(protocol="smoke", dataset="toy-stripes", variant="slot9", seed=0),
        "kind": "variant",
        "protocol": {"train": {"batch": 1}},
        "protocol_hash": "p",
        "data_fingerprint": "d",
        "schedule_hash": "s",
        "images_to_see": 10,
        "environment": describe_environment("cpu", 1),
        "started": "2026-01-01T00:00:00+00:00",
    }
    return RunRecord.model_validate(values | changes)


def test_a_record_is_read_back_as_written(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.write(a_record())
    assert folder.read() == a_record()
    assert folder.update(status="done", images_seen=10).status == "done"
    assert folder.read().images_seen == 10


def test_an_update_is_validated(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write(a_record())
    with pytest.raises(ValueError, match="status"):
        folder.update(status="asleep")
    assert folder.read() == a_record()


@pytest.mark.parametrize("content", [b"", b"{", b'{"status": "done"}', b"[]", b"\xff\xfe"])
def test_a_damaged_record_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(BenchError, match=r"run\.json is damaged"):
        RunFolder(tmp_path).read()


def test_a_newer_schema_asks_for_a_newer_bench(tmp_path: Path) -> None:
    newer = json.loads(a_record().model_dump_json()) | {"schema_version": 99, "mood": "good"}
    (tmp_path / "run.json").write_text(json.dumps(newer))
    with pytest.raises(BenchError, match=r"schema version 99; this bench reads up to 1. Install the newer"):
        RunFolder(tmp_path).read()


def test_a_second_process_is_refused_and_the_lock_ends_with_the_first(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from bench.runs.folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).locked(): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BenchError, match="Another process is at work"), RunFolder(tmp_path).locked():
            pass
        holder.kill()
    with RunFolder(tmp_path).locked():
        pass


def test_runs_are_found_and_listed_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b/seed1", "a/seed0", "b/seed0"):
        RunFolder(tmp_path / name).write(a_record())
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "run.json").write_text("")
    assert [str(run.path.relative_to(tmp_path)) for run in find_runs(tmp_path)] == [
        "a/seed0", "b/seed0", "b/seed1", "c",
    ]  # fmt: skip
    assert [row["status"] for row in list_folder(tmp_path)] == ["running", "running", "running", "damaged"]


def test_a_list_shows_how_far_an_unfinished_run_has_come(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.write(a_record(images_to_see=20))
    assert list_folder(tmp_path)[0]["images_seen"] == "0 of 20"
    (run.path / "losses.csv").write_text("step,images_seen,cycle_A\n5,5,0.1\n11,11,0.1\n")
    assert list_folder(tmp_path)[0]["images_seen"] == "11 of 20"


def test_a_linked_run_is_found_once_and_circles_of_links_end(tmp_path: Path) -> None:
    elsewhere = RunFolder(tmp_path / "disk" / "seed0")
    elsewhere.write(a_record())
    level = tmp_path / "runs" / "smoke" / "toy-stripes" / "slot9"
    level.mkdir(parents=True)
    (level / "seed0").symlink_to(elsewhere.path)
    (level / "again").symlink_to(elsewhere.path)
    (level / "round").symlink_to(tmp_path / "runs")
    assert [run.path.parent for run in find_runs(tmp_path / "runs")] == [level]


def test_a_protocol_folder_that_is_a_link_is_looked_into(tmp_path: Path) -> None:
    RunFolder(tmp_path / "disk" / "toy-stripes" / "slot9" / "seed0").write(a_record())
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "smoke").symlink_to(tmp_path / "disk")
    found = find_runs(tmp_path / "runs")
    assert [run.path for run in found] == [tmp_path / "runs/smoke/toy-stripes/slot9/seed0"]


def test_removing_a_run_removes_links_and_never_what_they_lead_to(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "kept").touch()
    run = RunFolder(tmp_path / "runs" / "seed0")
    run.write(a_record(status="failed", reason="it broke"))
    run.checkpoints.symlink_to(scratch)
    assert remove_run(run) is None
    assert not run.path.exists()
    assert (scratch / "kept").exists()


def test_removing_a_run_that_is_a_link_keeps_the_run_and_says_where(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "disk" / "seed0")
    run.write(a_record(status="failed", reason="it broke"))
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "seed0").symlink_to(run.path)
    assert remove_run(RunFolder(tmp_path / "runs" / "seed0")) == run.path
    assert run.read().status == "failed"
    assert not (tmp_path / "runs" / "seed0").is_symlink()


def test_the_record_of_a_removed_run_goes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunFolder(tmp_path / "runs" / "seed0")
    run.write(a_record(status="failed", reason="it broke"))
    (run.path / "zebra.csv").touch()
    unlink = Path.unlink

    def refused(path: Path, missing_ok: bool = False) -> None:
        if path.name == "zebra.csv":
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path))
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(BenchError, match="Could not remove all of"):
        remove_run(run)
    assert run.read().status == "failed"


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS])
def test_a_file_system_without_locks_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def without_locks(descriptor: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", without_locks)
    with pytest.raises(CannotWrite, match="on another disk with --runs"):
        require_writable(tmp_path / "runs", "--runs", locks=True)
    with pytest.raises(CannotWrite, match="without locks"), RunFolder(tmp_path / "seed0").locked():
        pass


def test_a_place_that_takes_no_files_is_refused_and_nothing_is_left_in_one_that_does(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite, match=r"A file stands where a folder should be.*with --out"):
        require_writable(tmp_path / "file" / "below", "--out")
    require_writable(tmp_path / "new" / "below", "--out")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
