"""What is seen of long work: pieces within pieces, and no time left that has passed."""

import re
from pathlib import Path

import pytest

import bench
from bench import progress
from bench.progress import TerminalProgress
from bench.studies.process import Progress, ToldProgress


class Clock:
    """A second passes with every look."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every advance is a line."""
    monkeypatch.setattr(progress, "time", Clock())
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    monkeypatch.setattr(progress, "SECONDS_WORTH_A_LINE", 0)


def names(text: str) -> list[str]:
    """Name and count of every line."""
    return re.findall(r"^(.*?), ", text, re.MULTILINE)


def counts(text: str) -> list[tuple[int, int]]:
    """Done and total of every line."""
    return [(int(done), int(total)) for done, total in re.findall(r": (\d+)/(\d+), ", text)]


@pytest.mark.usefixtures("plain")
def test_work_that_begins_within_other_work_gives_way_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    with TerminalProgress() as report:
        report.start("training", 4)
        report.advance()
        for _ in range(2):
            report.start("rendering", 2)
            report.advance(2)
        report.advance()
        report.start("rendering", 0)
        report.advance(2, "loss 0.5")
        report.start("scoring", 1)
        report.advance(3)
    said = capsys.readouterr().err
    assert names(said) == [
        "training: 1/4",
        "rendering: 2/2",
        "rendering: 2/2",
        "training: 2/4",
        "training: 4/4",
        "scoring: 3/1",
    ]
    assert "left  loss 0.5\n" in said
    assert " -" not in said


@pytest.mark.usefixtures("plain")
def test_the_rate_of_work_leaves_out_the_work_within_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    with TerminalProgress() as report:
        report.start("training", 1000)
        report.start("rendering", 1)
        clock.now += 5000
        report.advance()
        report.advance(10)
    rate = re.findall(r"training: 10/1000, (.*)/s", capsys.readouterr().err)
    assert float(rate[0]) > 1


@pytest.mark.usefixtures("plain")
def test_masks_that_are_rendered_within_a_training_leave_its_lines_to_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    bench.run(
        "spatial[width=8]",
        set=["train.images_seen=4", "images.per_domain=4", "images.validation=2", "images.test=2"],
        runs=tmp_path / "runs",
        threads=1,
    )
    said = capsys.readouterr().err
    assert "Rendering toy-stripes: 2/2" in said, "no masks were rendered within the training"
    assert [f"training spatial[width=8]: {step}/4" in names(said) for step in (1, 2, 3, 4)] == [True] * 4
    assert all(done <= total for done, total in counts(said))


class Told:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.messages: list[Progress] = []

    def tell(self, message: Progress) -> None:
        self.messages.append(message)


def test_a_worker_tells_of_the_work_that_goes_on() -> None:
    channel = Told()
    report = ToldProgress(channel)  # type: ignore[arg-type]
    report.start("training", 9)
    report.advance(3, "loss 1")
    report.start("rendering", 2)
    report.advance(2)
    last = channel.messages[-1]
    assert (last.task, last.done, last.first, last.figures) == ("training", 3, 3, "loss 1")
