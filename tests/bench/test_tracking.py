"""Trackers: TensorBoard's own reader finds what the run recorded, a plugin adds another, none costs a run."""

from pathlib import Path

import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import bench
from bench.errors import UsageError

FEW = [
    "images.size=32",
    "images.load_size=36",
    "images.per_domain=6",
    "images.validation=2",
    "images.test=4",
    "train.images_seen=4",
    "train.pool=3",
    "train.log_every=2",
    "train.validations=2",
    "train.discriminator_width=8",
    "score.kid_subset_size=3",
    "score.samples=2",
    "model.width=8",
    "model.blocks=1",
]
PLUGIN = """
from bench.tracking import Tracker, tracker


@tracker("lines", summary="A line for every time the folder has grown.")
class Lines(Tracker):
    def update(self):
        with (self.folder.path / "lines.txt").open("a") as file:
            file.write("grown\\n")


@tracker("broken", summary="Raises.")
class Broken(Tracker):
    def update(self):
        raise RuntimeError("no room")
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run shown to TensorBoard and to both trackers of a plugin, in a folder of its own."""
    folder = tmp_path_factory.mktemp("tracked")
    (folder / "lines.py").write_text(PLUGIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE", str(folder / "cache"))
        bench.run(
            "spatial",
            set=FEW,
            runs=folder / "runs",
            threads=1,
            plugin=folder / "lines.py",
            tensorboard=True,
            track=["lines", "broken"],
        )
    return next(path.parent for path in (folder / "runs").rglob("run.json"))


@pytest.fixture(scope="module")
def events(runs: Path) -> EventAccumulator:
    found = EventAccumulator(str(runs / "tensorboard"), size_guidance={"images": 0, "scalars": 0})
    found.Reload()
    return found


def test_every_loss_of_the_run_is_a_curve_of_the_same_values(runs: Path, events: EventAccumulator) -> None:
    table = pd.read_csv(runs / "losses.csv")
    for name in set(table.columns) - {"step", "images_seen", "seconds", "learning_rate"}:
        curve = events.Scalars(f"losses/{name}")
        assert [each.step for each in curve] == list(table["step"])
        assert [each.value for each in curve] == pytest.approx(list(table[name]), rel=1e-6)
    assert [each.value for each in events.Scalars("schedule/learning_rate")] == pytest.approx(
        list(table["learning_rate"])
    )


def test_validation_and_masks_are_curves_too(runs: Path, events: EventAccumulator) -> None:
    table = pd.read_csv(runs / "validation.csv")
    for name in ("kd_A2B", "mask_entropy", "unchanged_A2B"):
        assert [each.value for each in events.Scalars(f"validation/{name}")] == pytest.approx(
            list(table[name])
        )


def test_pictures_stand_at_their_steps(events: EventAccumulator) -> None:
    tags = events.Tags()["images"]
    progress = [tag for tag in tags if tag.startswith("progress/A2B/")]
    assert len(progress) == 2
    assert {each.step for each in events.Images(progress[0])} == {2, 4}
    final = next(tag for tag in tags if tag.startswith("final/A2B/"))
    assert (events.Images(final)[0].width, events.Images(final)[0].height) == (
        64,
        32,
    )  # source and translation


def test_parameters_and_scores_are_those_of_the_run(runs: Path, events: EventAccumulator) -> None:
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    for name in (b"train.batch", b"variant", b"model.width", b"spatial"):
        assert name in content
    score = events.Scalars("score/A2B/kd(tiny)")[0].value
    table = bench.load_runs(runs)
    kept = table.query("selection == 'last' and direction == 'A2B' and metric == 'kd(tiny)'")["value"].item()
    assert score == pytest.approx(kept)


def test_a_plugin_is_told_when_the_folder_has_grown_and_a_broken_one_costs_nothing(runs: Path) -> None:
    assert len((runs / "lines.txt").read_text().splitlines()) >= 2  # a checkpoint, the scores
    assert bench.load_runs(runs)["status"].eq("done").all()


def test_a_finished_run_is_shown_afterwards_and_as_one_curve(runs: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE", str(runs.parents[4] / "cache"))
        bench.run("spatial", set=FEW, runs=runs.parents[3], threads=1, tensorboard=True)
    again = EventAccumulator(str(runs / "tensorboard"))
    again.Reload()
    steps = [each.step for each in again.Scalars("losses/gan_A2B")]
    assert steps == sorted(set(steps))


def test_an_unknown_tracker_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'tensorboard'"):
        bench.run("spatial", runs=tmp_path, track="tensorbord")
    assert not list(tmp_path.iterdir())
