"""A ballot that was counted stands beside the distances; one that cannot be read is told of."""

import json
from pathlib import Path
from types import ModuleType

import pytest

from bench.ballot.records import BallotCount, QuestionCount, RaterChecks, write_count
from bench.statistics.preference import Preference
from reports.write import Request, write_report


def counted(dataset: str = "toy-stripes", ballot: str = "f00") -> BallotCount:
    rater = RaterChecks(
        rater="Ada", answers=9, complete=True, repeats_alike=2, repeats=2, copies_alike=1, copies=1,
        counted=True, seconds_an_answer=2.0,
    )  # fmt: skip
    question = QuestionCount(
        key="better",
        question="Which is the better zebra?",
        preferences=[Preference("slot9", "spatial", 0.75, (0.61, 0.87), 0.1, 60, 3, 20)],
        strengths=[],
        raters_agree=0.42,
        measures_agree={},
        distances_agree={"kd(tiny)": (1, 1)},
    )
    return BallotCount(
        ballot=ballot,
        dataset=dataset,
        direction="A2B",
        protocol="smoke",
        systems=["slot9", "spatial"],
        raters=[rater],
        questions=[question],
    )


@pytest.fixture
def runs(tmp_path: Path, mini: ModuleType) -> Path:
    mini.write_study(tmp_path / "runs", ("spatial", "slot9"), seeds=(0,), pictures=False, tables=False)
    (tmp_path / "runs" / "ballot").mkdir()
    return tmp_path / "runs"


def test_a_counted_ballot_stands_beside_the_distances(runs: Path, tmp_path: Path) -> None:
    write_count(runs / "ballot", counted())
    write_report(Request((runs,), tmp_path / "out", ("md", "csv")))
    page = (tmp_path / "out" / "report.md").read_text()
    assert "Compared by eye, toy-stripes, A2B, 1 rater" in page
    assert "slot9 over spatial" in page
    assert "75%" in page
    assert "[61%, 87%]" in page.replace("\\", "")
    assert list((tmp_path / "out" / "tables").glob("*-ballot-f00.csv"))


def test_a_report_of_single_run_folders_finds_the_ballot_among_their_runs(runs: Path, tmp_path: Path) -> None:
    write_count(runs / "ballot", counted())
    folders = tuple(sorted(path.parent for path in runs.rglob("run.json")))
    write_report(Request(folders, tmp_path / "out", ("md",)))
    assert "Compared by eye" in (tmp_path / "out" / "report.md").read_text()


def test_a_ballot_on_other_images_stands_nowhere_and_a_damaged_one_is_told_of(
    runs: Path, tmp_path: Path
) -> None:
    write_count(runs / "ballot", counted("horse2zebra"))
    (runs / "broken").mkdir()
    (runs / "broken" / "count.json").write_text(json.dumps({"ballot": 1}))
    write_report(Request((runs,), tmp_path / "out", ("md",)))
    page = (tmp_path / "out" / "report.md").read_text()
    assert "Compared by eye" not in page
    assert "A ballot is left out" in page
    assert "broken" in page
