"""Records of a newer schema: refused before any of their keys is read, and left as they are."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch

Command = Callable[..., subprocess.CompletedProcess[str]]
NEWER = "schema version 99; this bench reads up to 1. Install the newer bench"
NEWER_SCORES = "schema version 99; this bench reads up to 2. Install the newer bench"


@pytest.fixture
def copied(finished_runs: Path, tmp_path: Path) -> Path:
    """Runs of one's own: a copy of the finished `slot9`."""
    inner = "tiny/toy-stripes/slot9/seed0"
    shutil.copytree(finished_runs / inner, tmp_path / "runs" / inner)
    return tmp_path / "runs"


def the_run(runs: Path) -> Path:
    return runs / "tiny/toy-stripes/slot9/seed0"


def renewed(path: Path, **changes: object) -> bytes:
    """Rewrite a JSON file as another bench might have; returns what stands there then."""
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 99} | changes))
    return path.read_bytes()


def run_words(runs: Path) -> list[str]:
    return ["run", "--variant", "slot9", "--protocol", "tiny.toml", "--threads", "1", "--runs", str(runs)]


def said(outcome: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in outcome.stderr
    return " ".join((outcome.stdout + outcome.stderr).split())


@pytest.mark.parametrize("changes", [{}, {"status": "resting"}, {"unheard_of": 1}], ids=str)
def test_a_newer_run_json_is_refused_whatever_else_it_holds(
    call: Command, copied: Path, changes: dict[str, object]
) -> None:
    content = renewed(the_run(copied) / "run.json", **changes)
    outcome = call(*run_words(copied))
    assert (outcome.returncode, NEWER in said(outcome)) == (1, True)
    assert NEWER in said(call("list", "runs", "--runs", str(copied)))
    assert (the_run(copied) / "run.json").read_bytes() == content


def test_a_newer_scores_json_is_refused_and_not_written_over(call: Command, copied: Path) -> None:
    content = renewed(the_run(copied) / "scores.json")
    for words in (["score", str(the_run(copied))], run_words(copied)):
        outcome = call(*words)
        assert (outcome.returncode, NEWER_SCORES in said(outcome)) == (1, True)
    assert (the_run(copied) / "scores.json").read_bytes() == content


def test_the_report_says_of_a_run_that_its_scores_are_newer(
    call: Command, copied: Path, tmp_path: Path
) -> None:
    renewed(the_run(copied) / "scores.json")
    out = tmp_path / "report"
    outcome = call("report", str(copied), "--out", str(out), "--format", "md")
    assert outcome.returncode == 0, outcome.stderr
    assert NEWER_SCORES in " ".join((out / "report.md").read_text().split())


class OfTheFuture:
    """What this version may not build."""

    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("code of a checkpoint was run",))


@pytest.mark.parametrize("state", [{}, {"novelty": OfTheFuture()}], ids=["plain", "unreadable"])
def test_a_newer_checkpoint_is_refused_and_not_taken_for_damaged(
    call: Command, copied: Path, state: dict[str, object]
) -> None:
    record = the_run(copied) / "run.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"status": "running"}))
    last = the_run(copied) / "checkpoints/last.pt"
    torch.save({"schema_version": 99, **state}, last)
    content = last.read_bytes()
    outcome = call(*run_words(copied))
    assert (outcome.returncode, NEWER in said(outcome)) == (1, True)
    assert "was run" not in outcome.stdout
    assert last.read_bytes() == content


def test_a_newer_file_of_generators_is_refused(call: Command, copied: Path, tmp_path: Path) -> None:
    path = the_run(copied) / "generator.safetensors"
    tensors = safetensors.torch.load_file(path)
    safetensors.torch.save_file(tensors, path, {"bench": json.dumps({"schema_version": 99, "kind": "new"})})
    outcome = call("translate", "--run", str(the_run(copied)), "tiny.toml", "--out", str(tmp_path / "out"))
    assert (outcome.returncode, NEWER in said(outcome)) == (1, True)


def test_a_newer_study_record_is_a_bad_request(call: Command, tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_text(json.dumps({"schema_version": 99, "other": []}))
    words = [
        "study",
        "--variant",
        "copy",
        "--protocol",
        "tiny.toml",
        "--check",
        str(tmp_path / "scores.json"),
    ]
    outcome = call(*words)
    assert (outcome.returncode, NEWER in said(outcome)) == (2, True)
