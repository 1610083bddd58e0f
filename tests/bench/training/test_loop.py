"""The loop: identical schedules, exact resume, honest ends."""

import csv
import functools
import signal
import sys
import time
from pathlib import Path

import pytest
import torch

from bench.errors import BenchError
from bench.progress import Silent
from bench.signals import Stopped
from bench.training import load_generators, train
from bench.training import loop as loop_module

WGAN = {"objective": "wgan-gp", "pool": 0}


class StopAt(Silent):
    """Ends the process' patience at a step: raises `error`, as a crash in the middle of a step would."""

    def __init__(self, step: int, error: BaseException) -> None:
        self.left, self.error = step, error

    def start(self, task, total, done=0):
        self.left -= done

    def advance(self, units=1, figures=""):
        self.left -= units
        if self.left == 0:
            raise self.error


class Crash(Exception):
    pass


def table(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def without_seconds(path) -> list[dict[str, str]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in table(path)]


def assert_equal_runs(one, one_folder, other, other_folder) -> None:
    """Bit for bit: weights, trace, losses, validations, pictures."""
    assert one.trace_hash == other.trace_hash
    assert one.trace_hash_without_pool == other.trace_hash_without_pool
    for left, right in (
        (one.generators, other.generators),
        (one.validation_generators, other.validation_generators),
    ):
        for direction in ("A2B", "B2A"):
            theirs = right[direction].state_dict()
            for name, tensor in left[direction].state_dict().items():
                assert torch.equal(tensor, theirs[name]), name
    assert one.validation_step == other.validation_step
    assert without_seconds(one_folder.losses_csv) == without_seconds(other_folder.losses_csv)
    assert one_folder.validation_csv.read_text() == other_folder.validation_csv.read_text()
    assert one_folder.generator.read_bytes() == other_folder.generator.read_bytes()
    pictures = sorted(path.relative_to(one_folder.path) for path in one_folder.samples.rglob("*.png"))
    assert pictures
    for picture in pictures:
        assert (one_folder.path / picture).read_bytes() == (other_folder.path / picture).read_bytes()


@pytest.fixture(scope="module")
def left_alone(cell_of, dataset, tmp_path_factory, measure):
    """`left_alone(variant)`: the cell of a variant trained without an interruption, and its folder."""

    @functools.cache
    def trained(variant="spatial"):
        folder = loop_module.RunFolder(tmp_path_factory.mktemp("left alone") / "whole")
        return train(cell_of(variant), dataset, folder, **measure), folder

    return trained


def test_a_run_leaves_everything_that_is_documented(left_alone):
    trained, folder = left_alone()
    assert (trained.steps, trained.images_seen) == (12, 12)
    assert [row["step"] for row in table(folder.losses_csv)] == ["2", "4", "6", "8", "10", "12"]
    assert list(table(folder.losses_csv)[0]) == [
        "step", "images_seen", "gan_A2B", "gan_B2A", "cycle_A", "cycle_B", "identity_A", "identity_B",
        "discriminator_A", "discriminator_B", "learning_rate", "seconds",
    ]  # fmt: skip
    rows = table(folder.validation_csv)
    assert [row["step"] for row in rows] == ["4", "8", "12"]
    without_truth = ("mask_best_iou_A2B", "mask_best_iou_B2A")
    assert all(bool(value) != (name in without_truth) for row in rows for name, value in row.items())
    best = min(rows, key=lambda row: float(row["kd_A2B"]) + float(row["kd_B2A"]))
    assert trained.validation_step == int(best["step"])
    assert trained.seconds_training > trained.seconds_data > 0
    assert trained.seconds_per_step > 0
    assert trained.peak_memory_bytes > 10**7
    assert not any(generator.training for generator in trained.generators.values())


def test_the_learning_rate_falls_as_scheduled(cell_of, dataset, folder):
    train(cell_of(log_every=1), dataset, folder)
    rates = [float(row["learning_rate"]) for row in table(folder.losses_csv)]
    assert rates[:7] == [2e-4] * 7
    assert rates[-1] == pytest.approx(2e-4 / 6)


@pytest.mark.parametrize("settings", [{}, WGAN], ids=["lsgan", "wgan-gp"])
def test_two_variants_are_fed_the_same_and_another_seed_is_not(settings, cell_of, dataset, tmp_path):
    def trace_of(variant: str, seed: int = 0) -> str:
        cell = cell_of(variant, seed, images_seen=6, validations=1, **settings)
        return train(cell, dataset, loop_module.RunFolder(tmp_path / f"{variant}{seed}")).trace_hash

    assert trace_of("spatial") == trace_of("slot9") == trace_of("attentiongan-v1")
    assert trace_of("spatial", seed=1) != trace_of("spatial")


@pytest.mark.parametrize("step", [1, 5, 8, 11])
def test_a_run_that_crashed_goes_on_to_an_equal_result(step, left_alone, cell_of, dataset, folder, measure):
    cell = cell_of("slot9")
    with pytest.raises(Crash):
        train(cell, dataset, folder, progress=StopAt(step, Crash()), **measure)
    assert_equal_runs(train(cell, dataset, folder, **measure), folder, *left_alone("slot9"))


def test_tables_that_could_not_be_written_after_the_last_step_are_written_when_the_run_goes_on(
    cell_of, dataset, tmp_path, measure
):
    cell = cell_of("spatial", images_seen=4, validations=1)
    whole, failed = (loop_module.RunFolder(tmp_path / name) for name in ("whole", "failed"))
    expected = train(cell, dataset, whole, **measure)
    failed.losses_csv.mkdir(parents=True)  # so no file can take its place
    with pytest.raises((BenchError, OSError)):
        train(cell, dataset, failed, **measure)
    assert (failed.checkpoints / "last.pt").exists()
    failed.losses_csv.rmdir()
    assert_equal_runs(train(cell, dataset, failed, **measure), failed, expected, whole)


@pytest.mark.parametrize("variant", ["spatial", "attentiongan-v1", "cut"])
def test_a_run_interrupted_after_every_step_ends_equal(variant, cell_of, dataset, tmp_path, measure):
    cell = cell_of(variant, batch=2, images_seen=12, **WGAN)
    whole, pieces = (loop_module.RunFolder(tmp_path / name) for name in ("whole", "pieces"))
    expected = train(cell, dataset, whole, **measure)
    for step in range(1, 6):
        with pytest.raises(Crash):
            train(
                cell,
                dataset,
                pieces,
                progress=StopAt(step, Crash()),
                seconds_between_checkpoints=0,
                **measure,
            )
    assert_equal_runs(train(cell, dataset, pieces, **measure), pieces, expected, whole)


TRAIN_IN_A_PROCESS_OF_ITS_OWN = """
import importlib.util, pathlib, sys
import torch
from bench.runs.folder import RunFolder
from bench.training import train

spec = importlib.util.spec_from_file_location("helpers", sys.argv[1])
helpers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(helpers)
torch.set_num_threads(1)
train(
    helpers.make_cell("slot9", images_seen=30),
    helpers.make_dataset(),
    RunFolder(pathlib.Path(sys.argv[2])),
    network=helpers.mean_colours,
    distance=helpers.between_means,
    seconds_between_checkpoints=0,
)
"""


def test_a_run_killed_at_any_instant_goes_on_to_an_equal_result(cell_of, dataset, tmp_path, measure, forked):
    cell = cell_of("slot9", images_seen=30)
    whole, killed = (loop_module.RunFolder(tmp_path / name) for name in ("whole", "killed"))
    helpers = Path(__file__).parent / "conftest.py"
    command = [sys.executable, "-c", TRAIN_IN_A_PROCESS_OF_ITS_OWN, helpers, killed.path]
    for patience in (0.0, 0.37):
        with forked.Forked(command) as process:
            written = killed.checkpoints / "last.pt"
            before = written.stat().st_mtime_ns if written.exists() else 0
            while process.poll() is None and (not written.exists() or written.stat().st_mtime_ns == before):
                time.sleep(0.01)
            time.sleep(patience)
            process.kill()
        assert process.returncode == -signal.SIGKILL
    assert not killed.generator.exists()
    expected = train(cell, dataset, whole, **measure)
    assert_equal_runs(train(cell, dataset, killed, **measure), killed, expected, whole)


def test_a_finished_training_is_not_repeated(cell_of, dataset, left_alone, measure):
    first, folder = left_alone()
    again = train(cell_of(), dataset, folder, progress=StopAt(13, Crash()), **measure)
    assert (again.steps, again.trace_hash) == (first.steps, first.trace_hash)
    assert again.seconds_training == first.seconds_training


def test_a_damaged_checkpoint_costs_a_few_steps_and_is_remarked(
    left_alone, cell_of, dataset, folder, measure
):
    with pytest.raises(Crash):
        train(cell_of(), dataset, folder, progress=StopAt(9, Crash()), **measure)
    last = folder.checkpoints / "last.pt"
    last.write_bytes(last.read_bytes()[:5000])
    resumed = train(cell_of(), dataset, folder, **measure)
    assert resumed.warnings == ("Checkpoint last.pt was damaged and could not be used. Continued at step 4.",)
    assert_equal_runs(resumed, folder, *left_alone())


@pytest.mark.parametrize("received", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_the_step_with_everything_saved(
    received, left_alone, cell_of, dataset, folder, measure
):
    class SignalAt(StopAt):
        def advance(self, units=1, figures=""):
            self.left -= units
            if self.left == 0:
                signal.raise_signal(received)

    before = signal.getsignal(received)
    with pytest.raises(Stopped, match=rf"{received.name} after step 5 of 12.*Repeat") as caught:
        train(cell_of(), dataset, folder, progress=SignalAt(5, Crash()), **measure)
    assert caught.value.exit_code == 128 + received
    assert signal.getsignal(received) is before
    assert table(folder.losses_csv)[-1]["step"] == "4"
    resumed = train(cell_of(), dataset, folder, progress=StopAt(13, Crash()), **measure)
    assert_equal_runs(resumed, folder, *left_alone())


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_what_was_saved(
    cell_of, dataset, folder, monkeypatch
):
    extend = loop_module.StepStreams

    def poisoned(streams, step):
        if step == 7:
            raise_nan_in["weights"].data.fill_(float("nan"))
        return extend(streams, step)

    raise_nan_in = {}
    fresh = loop_module.fresh_generators

    def remembered(cell, device):
        generators = fresh(cell, device)
        raise_nan_in["weights"] = next(generators["A2B"].parameters())
        return generators

    monkeypatch.setattr(loop_module, "StepStreams", poisoned)
    monkeypatch.setattr(loop_module, "fresh_generators", remembered)
    with pytest.raises(BenchError, match=r"diverged at step 7, loss gan_A2B, .*smaller train.learning_rate"):
        train(cell_of(), dataset, folder)
    assert [row["step"] for row in table(folder.losses_csv)] == ["2", "4"]
    assert not folder.generator.exists()
    assert torch.load(folder.checkpoints / "last.pt", weights_only=True)["step"] == 4


def test_a_loss_of_the_generators_own_that_is_not_finite_is_named(cell_of, dataset, folder, monkeypatch):
    def broken(generator, image, noise=None):
        return generator(image, noise), {"reconstruction": torch.tensor(float("inf"))}

    monkeypatch.setattr("variants.parts.slot_generator.AttendingGenerator.with_losses", broken)
    with pytest.raises(BenchError, match=r"diverged at step 1, loss reconstruction_A2B"):
        train(cell_of("slot5[reconstruct=1]"), dataset, folder)


def test_losses_of_the_generators_own_are_columns_of_the_losses(cell_of, dataset, folder):
    train(cell_of("slot5[reconstruct=1]", images_seen=2), dataset, folder)
    row = table(folder.losses_csv)[-1]
    assert float(row["reconstruction_A2B"]) > 0
    assert float(row["reconstruction_B2A"]) > 0


def test_copying_the_input_is_not_trained(cell_of, dataset, folder, measure):
    trained = train(cell_of("copy"), dataset, folder, **measure)
    assert (trained.steps, trained.images_seen, trained.trace_hash) == (0, 0, None)
    assert trained.validation_generators is None
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(load_generators(folder.generator)["B2A"](images).image, images)


def test_without_a_network_nothing_is_chosen_but_masks_are_still_measured(cell_of, dataset, folder):
    trained = train(cell_of(), dataset, folder)
    assert (trained.validation_generators, trained.validation_step) == (None, None)
    for row in table(folder.validation_csv):
        assert row["kd_A2B"] == row["kd_B2A"] == ""
        assert 0 < float(row["mask_entropy"]) <= 1


def test_a_network_without_a_distance_is_refused(cell_of, dataset, folder, measure):
    with pytest.raises(ValueError, match="both or neither"):
        train(cell_of(), dataset, folder, network=measure["network"])


def test_equal_parts_of_two_variants_start_with_equal_weights(cell_of):
    cpu = torch.device("cpu")
    spatial = loop_module.fresh_generators(cell_of("spatial"), cpu)
    slots = loop_module.fresh_generators(cell_of("slot9"), cpu)
    shared = spatial["A2B"].trunk.state_dict()
    assert shared
    for name, tensor in slots["A2B"].trunk.state_dict().items():
        assert torch.equal(tensor, shared[name]), name
    assert not torch.equal(next(spatial["A2B"].parameters()), next(spatial["B2A"].parameters()))
