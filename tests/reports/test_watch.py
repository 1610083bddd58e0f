"""`bench report --watch`: what begins later appears, what vanishes is said, and it ends when asked to."""

import json
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bench.cli import app
from bench.signals import Stopped
from reports import following
from reports.write import Request

Watch = Callable[..., Result]
STUDY = 'variants = ["spatial"]\nbaselines = ["copy"]\ncontrol = "spatial"\n'


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """`bench report ARGUMENTS --watch`: between two looks the next of `events` happens, then Ctrl-C."""
    monkeypatch.chdir(tmp_path)

    def watched(arguments: list[str], *events: Callable[[], Any], end: BaseException | None = None) -> Result:
        left = list(events)

        def between_looks(seconds: float) -> None:
            if not left:
                raise end or KeyboardInterrupt
            left.pop(0)()

        monkeypatch.setattr(time, "sleep", between_looks)
        return CliRunner().invoke(app, ["report", *arguments, "--out", "out", "--format", "html", "--watch"])

    return watched


def nothing() -> None:
    pass


def shown() -> set[str]:
    """The variants in the report."""
    told = json.loads(Path("out/results.json").read_text(encoding="utf-8"))
    return {run["variant"] for group in told["groups"] for run in group["runs"]}


def begin(mini: ModuleType, *variants: str) -> Callable[[], Any]:
    return lambda: mini.write_study(Path("runs"), variants, seeds=(0,), pictures=False, tables=False)


@pytest.mark.parametrize("what", ["runs", "study.toml"])
def test_runs_that_begin_later_appear_and_before_the_first_it_waits(
    what: str, watch: Watch, mini: ModuleType
) -> None:
    Path("study.toml").write_text(STUDY, encoding="utf-8")
    looks: list[set[str]] = []
    outcome = watch(
        [what],
        nothing,
        begin(mini, "copy"),
        lambda: looks.append(shown()),
        begin(mini, "spatial"),
    )
    assert outcome.exit_code == 0, outcome.output
    assert looks == [{"copy"}]
    assert shown() == {"copy", "spatial"}
    assert outcome.stderr.count("Nothing to show yet. ") == 1
    assert 'http-equiv="refresh"' not in Path("out/index.html").read_text(encoding="utf-8")


def test_a_folder_that_vanishes_is_said_once_and_the_rest_goes_on(watch: Watch, mini: ModuleType) -> None:
    begin(mini, "copy", "spatial", "slot9")()
    place = Path("runs/smoke/toy-stripes")
    roots = [str(place / name) for name in ("copy", "spatial", "slot9")]
    outcome = watch(
        [*roots, "later"],
        lambda: shutil.rmtree(place / "spatial"),
        nothing,
        lambda: shutil.rmtree(place / "slot9" / "seed0"),
        nothing,
    )
    assert outcome.exit_code == 0, outcome.output
    assert shown() == {"copy"}
    for name in ("spatial", "slot9"):
        gone = f"bench: {place / name / 'seed0'} is gone; the report goes on without it."
        assert outcome.stderr.count(gone) == 1
    assert outcome.stderr.count("There is no folder later yet") == 1


def test_when_everything_is_gone_it_waits_for_something_to_come_back(watch: Watch, mini: ModuleType) -> None:
    begin(mini, "copy")()
    outcome = watch(["runs"], lambda: shutil.rmtree("runs"), nothing, begin(mini, "spatial"))
    assert outcome.exit_code == 0, outcome.output
    assert shown() == {"spatial"}


def test_what_becomes_wrong_is_said_and_what_is_wrong_at_once_is_refused(
    watch: Watch, mini: ModuleType
) -> None:
    begin(mini, "copy")()
    study = Path("study.toml")
    study.write_text(STUDY, encoding="utf-8")
    outcome = watch(
        ["study.toml"],
        lambda: study.write_text("variants = [", encoding="utf-8"),
        nothing,
        lambda: study.write_text(STUDY, encoding="utf-8"),
        begin(mini, "spatial"),
    )
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stderr.count("study.toml is not readable TOML") == 1
    assert shown() == {"copy", "spatial"}
    study.write_text("variants = [", encoding="utf-8")
    assert "not readable TOML" in str(watch(["study.toml"]).exception)


def test_a_watch_that_is_ended_by_sigterm_writes_its_last_page_and_says_so(
    watch: Watch, mini: ModuleType
) -> None:
    begin(mini, "copy")()
    outcome = watch(["runs"], end=Stopped(signal.SIGTERM))
    assert outcome.exit_code == 128 + signal.SIGTERM
    assert outcome.stderr.endswith("bench: stopped by SIGTERM\n")
    assert 'http-equiv="refresh"' not in Path("out/index.html").read_text(encoding="utf-8")


def test_before_the_last_page_is_written_it_is_said(
    tmp_path: Path, mini: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    begin(mini, "copy")()
    said: list[str] = []
    write = following.write_report

    def looked_at(request: Request) -> Path:
        if request.refresh is None:
            said.append(capsys.readouterr().err)
        return write(request)

    def interrupted(seconds: float) -> None:
        """What Ctrl-C does; a signal itself is ignored where a shell began pytest in the background."""
        raise KeyboardInterrupt

    monkeypatch.setattr(following, "write_report", looked_at)
    monkeypatch.setattr(following.time, "sleep", interrupted)
    following.follow(lambda: Request((Path("runs"),), Path("out"), ("html",)), 1.0, lambda page, first: None)
    assert said == ["bench: Stopping: the page is written a last time, without reloading itself.\n"]


def test_ctrl_c_while_the_first_page_is_told_of_leaves_a_page_that_is_still(
    tmp_path: Path, mini: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    begin(mini, "copy")()

    def interrupted(page: Path, first: bool) -> None:
        raise KeyboardInterrupt

    following.follow(lambda: Request((Path("runs"),), Path("out"), ("html",)), 1.0, interrupted)
    assert 'http-equiv="refresh"' not in Path("out/index.html").read_text(encoding="utf-8")


def test_a_watch_that_saw_nothing_ends_without_a_report_and_says_so(watch: Watch) -> None:
    outcome = watch(["runs"])
    assert outcome.exit_code == 0, outcome.output
    assert "Stopped before the first page was written." in outcome.stderr
    assert not Path("out").exists()


def test_a_run_made_under_other_rules_than_the_study_has_now_is_named_with_them(
    tmp_path: Path, mini: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    begin(mini, "copy", "spatial")()
    now = '[images]\nsize = 64\nload_size = 72\n[train]\nimages_seen = 201\n[score]\nfeatures = "tiny"\n'
    Path("smoke.toml").write_text(now, encoding="utf-8")
    Path("study.toml").write_text(f'protocol = "smoke.toml"\n{STUDY}', encoding="utf-8")
    outcome = CliRunner().invoke(app, ["report", "study.toml", "--out", "out", "--format", "md"])
    assert outcome.exit_code == 0, outcome.output
    report = Path("out/report.md").read_text(encoding="utf-8").replace("\\_", "_")
    for text in (outcome.stderr, report):
        assert "Made under other rules than the study has now (train.images_seen was 200, is 201" in text
