"""Checkpoints: whole or passed over, never unpickled, never of a future they cannot know."""

import pytest
import torch

from bench.errors import BenchError
from bench.training.checkpoint import load_checkpoint, save_checkpoint

CPU = torch.device("cpu")


def saved(folder, *steps: int) -> None:
    for step in steps:
        save_checkpoint(folder, {"step": step, "weights": torch.full((4000,), float(step))})


def test_the_newest_checkpoint_is_loaded_and_the_one_before_is_kept(tmp_path):
    saved(tmp_path, 1, 2, 3)
    loaded = load_checkpoint(tmp_path, CPU)
    assert loaded.state["step"] == 3
    assert torch.equal(loaded.state["weights"], torch.full((4000,), 3.0))
    assert loaded.warnings == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.pt", "previous.pt"]


def test_without_a_checkpoint_there_is_nothing_to_go_on_from(tmp_path):
    assert load_checkpoint(tmp_path / "checkpoints", CPU) is None


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_a_truncated_checkpoint_falls_back_to_the_one_before_with_a_warning(tmp_path, kept):
    saved(tmp_path, 1, 2)
    last = tmp_path / "last.pt"
    content = last.read_bytes()
    last.write_bytes(content[: kept if isinstance(kept, int) else int(kept * len(content))])
    loaded = load_checkpoint(tmp_path, CPU)
    assert loaded.state["step"] == 1
    assert loaded.warnings == ("Checkpoint last.pt was damaged and could not be used.",)


def test_a_single_wrong_byte_among_the_weights_is_noticed(tmp_path):
    saved(tmp_path, 1, 2)
    content = bytearray((tmp_path / "last.pt").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "last.pt").write_bytes(bytes(content))
    assert load_checkpoint(tmp_path, CPU).state["step"] == 1


def test_a_crash_between_the_two_renames_leaves_the_checkpoint_before(tmp_path):
    saved(tmp_path, 1, 2)
    (tmp_path / "last.pt").rename(tmp_path / "next.pt")
    assert load_checkpoint(tmp_path, CPU).state["step"] == 1


def test_with_both_damaged_the_run_starts_anew_and_says_so(tmp_path):
    saved(tmp_path, 1, 2)
    for path in tmp_path.iterdir():
        path.write_bytes(b"not a checkpoint")
    loaded = load_checkpoint(tmp_path, CPU)
    assert loaded.state == {}
    assert len(loaded.warnings) == 2


def test_a_newer_schema_is_refused(tmp_path):
    torch.save({"schema_version": 99, "step": 1}, tmp_path / "last.pt")
    with pytest.raises(BenchError, match="schema version 99; this bench reads up to 1"):
        load_checkpoint(tmp_path, CPU)


def test_a_checkpoint_that_would_run_code_is_not_loaded(tmp_path):
    class Malicious:
        def __reduce__(self):
            return (pytest.fail, ("code of a checkpoint was run",))

    torch.save({"schema_version": 1, "step": Malicious()}, tmp_path / "last.pt")
    assert load_checkpoint(tmp_path, CPU).state == {}
