"""One schedule, or a refusal that names the runs and what differs."""

from pathlib import Path
from types import ModuleType

import pytest

from bench.errors import UsageError
from reports.comparability import groups, plain_name
from reports.frame import read_study, run_folders


def write(root: Path, mini: ModuleType, variant: str, seed: int = 0, **changes: object) -> None:
    run = mini.Mini(mini.protocol(), "toy-stripes", variant, seed)
    mini.write_record(run.folder(root), mini.record(run, **changes))


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("protocol_hash", "protocol hash"),
        ("data_fingerprint", "data fingerprint"),
        ("schedule_hash", r"schedule hash \(seed 0\)"),
        ("trace_hash", r"trace hash \(seed 0\)"),
    ],
)
def test_runs_of_other_schedules_are_refused_by_name(
    tmp_path: Path, mini: ModuleType, field: str, words: str
) -> None:
    write(tmp_path, mini, "spatial")
    write(tmp_path, mini, "slot9", **{field: "another"})
    study = read_study(run_folders([tmp_path]))
    with pytest.raises(UsageError, match=words) as refusal:
        groups(study)
    assert "another" in str(refusal.value)
    assert str(Path("slot9", "seed0")) in str(refusal.value)
    assert "--allow-different-schedules" in str(refusal.value)


def test_they_are_marked_where_that_is_allowed(tmp_path: Path, mini: ModuleType) -> None:
    for variant in ("spatial", "slot5"):
        write(tmp_path, mini, variant)
    write(tmp_path, mini, "slot9", schedule_hash="another")
    (group,) = groups(read_study(run_folders([tmp_path])), allow_different_schedules=True)
    assert [group.marked(variant) for variant in ("spatial", "slot5", "slot9")] == [False, False, True]


def test_different_seeds_and_datasets_are_no_difference(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path, ("spatial", "copy"), ("toy-stripes", "toy-season"), (0, 1), pictures=False)
    found = groups(read_study(run_folders([tmp_path])))
    assert [group.dataset for group in found] == ["toy-season", "toy-stripes"]
    assert found[0].traces == {0: 1, 1: 1}


def test_a_training_that_is_not_finished_has_no_trace_to_compare(tmp_path: Path, mini: ModuleType) -> None:
    write(tmp_path, mini, "spatial")
    write(tmp_path, mini, "slot9", status="running", trace_hash="half way")
    (group,) = groups(read_study(run_folders([tmp_path])))
    assert group.differences == ()


def test_names_of_files_are_plain_and_never_fall_together() -> None:
    names = ["a<b", "a&b", "a/b", "..", "ü", "x" * 100, "x" * 101]
    plain = [plain_name(name) for name in names]
    assert len(set(plain)) == len(names)
    assert all(name.replace("-", "").replace("_", "").isalnum() and len(name) < 80 for name in plain)
