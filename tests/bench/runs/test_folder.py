"""The run folder: records are read back, damaged ones are named, one process at a time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.runs.environment import describe_environment
from bench.runs.folder import RunFolder, find_runs
from bench.runs.listing import list_folder
from bench.runs.record import CellRecord, RunRecord


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
