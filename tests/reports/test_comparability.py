"""One schedule, or a refusal that names the runs and what differs."""

import re
import tempfile
from itertools import permutations
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.errors import UsageError
from reports.comparability import file_name_of, groups
from reports.frame import read_study, run_folders
from reports.write import Request, write_report


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


def test_runs_that_were_given_other_masks_do_not_go_into_one_row(tmp_path: Path, mini: ModuleType) -> None:
    for seed, masks in enumerate(("ef73", "6038", "6038")):
        run = mini.Mini(mini.protocol(), "toy-stripes", "oracle", seed)
        mini.write_record(run.folder(tmp_path), mini.record(run, data={"masks_fingerprint": masks}))
    with pytest.raises(UsageError, match="fingerprint of the data set's masks"):
        groups(read_study(run_folders([tmp_path])))


def test_a_training_that_is_not_finished_has_no_trace_to_compare(tmp_path: Path, mini: ModuleType) -> None:
    write(tmp_path, mini, "spatial")
    write(tmp_path, mini, "slot9", status="running", trace_hash="half way")
    (group,) = groups(read_study(run_folders([tmp_path])))
    assert group.differences == ()


def test_a_variant_whose_training_has_only_begun_counts_as_trained(tmp_path: Path, mini: ModuleType) -> None:
    write(tmp_path, mini, "spatial", status="running", images_seen=0, images_to_see=200)
    write(tmp_path, mini, "copy", images_seen=0, images_to_see=0)
    (group,) = groups(read_study(run_folders([tmp_path])))
    assert group.trained == {"spatial"}


def test_names_of_files_are_plain_and_never_fall_together() -> None:
    names = ["a<b", "a&b", "a/b", "..", "ü", "x" * 100, "x" * 101]
    plain = [file_name_of(name) for name in names]
    assert len(set(plain)) == len(names)
    assert all(name.replace("-", "").replace("_", "").isalnum() and len(name) < 80 for name in plain)


def own(**changes: object) -> dict[str, object]:
    """A baseline with its own objective, which has no pool: its trace hash is another."""
    return {"own_objective": "cut", "kind": "baseline", "trace_hash": "no pool"} | changes


def test_a_baseline_with_its_own_objective_is_held_against_the_others_without_pools(
    tmp_path: Path, mini: ModuleType
) -> None:
    for variant in ("spatial", "slot9"):
        write(tmp_path, mini, variant, trace_hash_without_pool="fed")
    write(tmp_path, mini, "cut", **own(trace_hash_without_pool="fed"))
    (group,) = groups(read_study(run_folders([tmp_path])))
    assert group.differences == ()
    assert group.own_objectives == {"cut": "cut"}
    assert (group.traces, group.traces_without_pool) == ({0: 2}, {0: 3})


def test_losses_of_a_generators_own_are_marked_as_an_objective_of_its_own(
    tmp_path: Path, mini: ModuleType
) -> None:
    write(tmp_path, mini, "spatial", trace_hash_without_pool="fed")
    write(tmp_path, mini, "slot9", own_losses=["reconstruction"], trace_hash_without_pool="fed")
    (group,) = groups(read_study(run_folders([tmp_path])))
    ((variant, objective),) = group.own_objectives.items()
    assert variant == "slot9"
    assert objective.endswith("with reconstruction")


def test_a_baseline_with_its_own_objective_that_was_fed_otherwise_is_refused(
    tmp_path: Path, mini: ModuleType
) -> None:
    write(tmp_path, mini, "spatial", trace_hash_without_pool="fed")
    write(tmp_path, mini, "cut", **own(trace_hash_without_pool="other"))
    with pytest.raises(UsageError, match=r"trace hash without image pools \(seed 0\)"):
        groups(read_study(run_folders([tmp_path])))


def test_runs_of_before_that_hash_was_recorded_are_not_taken_for_different(
    tmp_path: Path, mini: ModuleType
) -> None:
    write(tmp_path, mini, "spatial")
    write(tmp_path, mini, "cut", **own(trace_hash_without_pool="fed"))
    (group,) = groups(read_study(run_folders([tmp_path])))
    assert (group.traces, group.traces_without_pool) == ({0: 1}, {0: 1})


def test_groups_without_scores_come_last(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path, ("copy",), ("toy-season", "toy-stripes"), (0,), pictures=False)
    for scores in tmp_path.glob("*/toy-season/*/*/scores.json"):
        scores.unlink()
    found = groups(read_study(run_folders([tmp_path])))
    assert [(group.dataset, group.scored) for group in found] == [
        ("toy-stripes", True),
        ("toy-season", False),
    ]


NAME = st.text(st.sampled_from("abAB-._ +ä"), min_size=1, max_size=4).filter(
    lambda name: name.strip(". ") == name
)
CONFUSED = [
    ("a-b", "c"),
    ("a", "b-c"),
    ("A", "b-c"),
    ("a", "b"),
    ("a", "b-cost"),
    ("overview", "a"),
    ("a", "ä b"),
]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(NAME, NAME), min_size=2, max_size=6, unique=True))
@example(CONFUSED)
def test_no_key_of_a_group_begins_like_anothers(mini: ModuleType, names: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        for protocol, dataset in names:
            run = mini.Mini(mini.protocol(), dataset, "copy", 0)
            cell = mini.record(run).cell.model_copy(update={"protocol": protocol})
            mini.write_record(
                Path(root, str(len(list(Path(root).iterdir())))), mini.record(run, cell=cell.model_dump())
            )
        keys = [group.key for group in groups(read_study(run_folders([Path(root)])))]
    assert len(keys) == len(names)
    for one, other in permutations(keys, 2):
        assert not f"{one}-".casefold().startswith(f"{other}-".casefold())


def test_groups_whose_names_are_easily_confused_share_no_file_and_no_anchor(
    tmp_path: Path, mini: ModuleType
) -> None:
    for protocol, dataset in CONFUSED:
        rules = mini.protocol(protocol)
        mini.write_run(tmp_path / "runs", mini.Mini(rules, dataset, "copy", 0), pictures=False, tables=False)
    page = write_report(Request((tmp_path / "runs",), tmp_path / "out")).read_text(encoding="utf-8")
    anchors = re.findall(r'\sid="([^"]+)"', page)
    assert len(anchors) == len(set(anchors)) > 100
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(anchors)
    names = [path.name for path in (tmp_path / "out" / "tables").iterdir()]
    assert len({name.casefold() for name in names}) == len(names)
    assert sum(name.endswith("distances-last.csv") for name in names) == len(CONFUSED)
