"""How a training is carried out: in which precision, compiled or not, deterministic or not."""

import os
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from typer.testing import CliRunner

from bench.cli import app
from bench.errors import BenchError, UsageError
from bench.setup import Execution
from bench.streams import Streams
from bench.training.execution import (
    ReflectionBySlices,
    compile_networks,
    determinism,
    executed_precision,
    has_bf16,
    is_compiled,
    left_unchanged,
    reflected,
)
from bench.training.loop import train
from bench.training.objective import build_objective
from bench.training.schedule import StepStreams
from bench.training.session import fresh_generators

CPU = torch.device("cpu")
WITHOUT_BF16 = {"ATEN_CPU_CAPABILITY": "avx2"}
WITHOUT_COMPILER = {"CXX": "/nowhere/compiler", "TORCHINDUCTOR_FX_GRAPH_CACHE": "0"}


def run_python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program in a process with these variables set."""
    own = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=own, check=False
    )


def objective_of(cell):
    """The objective of a cell, fresh."""
    settings = cell.protocol.train
    return build_objective(settings.objective, fresh_generators(cell, CPU), settings, Streams(0))


def test_the_precision_asked_for_is_the_one_computed_in_where_it_is_there():
    assert executed_precision("fp32", CPU, fallback=True) == "fp32"
    if has_bf16(CPU):
        assert executed_precision("bf16", CPU, fallback=True) == "bf16"


def test_bf16_on_a_device_without_it_is_refused_and_the_refusal_names_both_ways_out(monkeypatch):
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    with pytest.raises(UsageError, match=r"--set train\.precision=fp32 .* --precision-fallback"):
        executed_precision("bf16", CPU, fallback=False)


def test_bf16_falls_back_only_when_asked(monkeypatch):
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    assert executed_precision("bf16", CPU, fallback=True) == "fp32"


def test_a_training_that_fell_back_says_so_and_is_that_of_fp32(monkeypatch, cell_of, dataset, tmp_path):
    from bench.runs.folder import RunFolder

    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    fallback = Execution(precision_fallback=True)
    bf16, fp32 = (cell_of(precision=each, images_seen=2) for each in ("bf16", "fp32"))
    fallen = train(bf16, dataset, RunFolder(tmp_path / "a"), execution=fallback)
    plain = train(fp32, dataset, RunFolder(tmp_path / "b"))
    assert fallen.warnings == (
        "Computed in fp32, not in bf16 as the protocol says: this processor has none.",
    )
    assert plain.warnings == ()
    for ours, theirs in zip(
        fallen.generators["A2B"].parameters(), plain.generators["A2B"].parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


BF16_STUDY = """
protocol = "smoke"
changes = ["images.per_domain=4", "images.test=4", "images.validation=0", "score.kid_subset_size=2",
           "train.images_seen=2", "train.precision=bf16"]
baselines = ["copy"]
datasets = ["DATASET"]
"""
OF_A_RUN = ["--set train.precision=fp32", "--precision-fallback"]
IN_BF16 = ["--set", "train.precision=bf16", "--dataset", "horse2zebra", "--features", "tiny"]


@pytest.fixture
def bf16_study(tmp_path, monkeypatch):
    """`bf16_study(dataset)`: a study file in bf16 on this data set, where no data set is and no bf16."""
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "no data"))
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")

    def written(dataset="toy-stripes"):
        path = tmp_path / "mine.toml"
        path.write_text(BF16_STUDY.replace("DATASET", dataset), encoding="utf-8")
        return str(path)

    return written


def called(*arguments):
    """The outcome of `bench ARGUMENTS --device cpu`."""
    return CliRunner().invoke(app, [*map(str, arguments), "--device", "cpu"])


@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["", "dry"])
@pytest.mark.parametrize(
    ("words", "remedies"),
    [
        (["run", "--variant", "slot9", *IN_BF16], OF_A_RUN),
        (["study", "--variant", "slot9", *IN_BF16[:4]], OF_A_RUN),
        (["study", "FILE"], ["--precision-fallback", "write train.precision=fp32 into the changes"]),
        (["profile", "slot9", "--precision", "bf16"], ["--precision fp32"]),
    ],
    ids=["run", "study without a file", "study", "profile"],
)
def test_a_command_says_before_it_looks_for_data_that_its_precision_cannot_be_had(
    words, remedies, dry, bf16_study, tmp_path
):
    if words[0] == "profile":
        dry = ["--steps", "1"] if dry else []
    runs = [] if words[0] == "profile" else ["--runs", tmp_path / "runs"]
    file = bf16_study("horse2zebra")
    outcome = called(*(file if word == "FILE" else word for word in words), *dry, *runs)
    assert isinstance(outcome.exception, UsageError)
    assert "this processor has no bf16 arithmetic" in str(outcome.exception)
    for remedy in remedies:
        assert remedy in str(outcome.exception)
    assert not (tmp_path / "runs").exists()


def test_with_the_fallback_that_it_names_a_study_is_done_and_done_it_asks_for_no_precision(
    bf16_study, tmp_path
):
    words = ["study", bf16_study(), "--runs", tmp_path / "runs"]
    assert called(*words, "--precision-fallback").exit_code == 0
    again = called(*words)
    assert again.exit_code == 0
    assert "1 done before" in again.stdout
    run = ["run", "--variant", "copy", "--runs", tmp_path / "runs"]
    changes = [word for change in BF16_STUDY.split('"')[3:15:2] for word in ("--set", change)]
    assert called(*run, *changes).exit_code == 0


def test_the_machines_of_a_cluster_answer_for_their_own_precision(bf16_study, tmp_path):
    words = ["study", bf16_study(), "--runs", tmp_path / "runs", "--dry-run", "--engine", "ray"]
    assert called(*words, "--address", "auto").exit_code == 0
    assert isinstance(called(*words).exception, UsageError)


FAILED_COMPILATION = """
import sys, torch
sys.path.insert(0, "tests/bench/training")
from pathlib import Path
from conftest import make_cell, make_dataset
from bench.setup import Execution
from bench.runs.folder import RunFolder
from bench.training.loop import train
cell = make_cell("spatial[blocks=0,contents=1]", images_seen=2)
trained = train(cell, make_dataset(), RunFolder(Path(sys.argv[1])), execution=Execution(compile=True))
assert not trained.compiled
print(trained.warnings)
"""


def test_a_compilation_that_fails_is_recorded_and_the_run_goes_on_plain(tmp_path):
    program = f"import sys; sys.argv = ['', {str(tmp_path / 'run')!r}]\n{FAILED_COMPILATION}"
    caches = {"TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    finished = run_python(program, **WITHOUT_COMPILER, **caches)
    assert finished.returncode == 0, finished.stderr
    assert "Computed without torch.compile, which failed:" in finished.stdout


def test_a_generator_that_cannot_be_compiled_stays_as_it_is(cell_of):
    objective = objective_of(cell_of())
    generator = objective.generators["A2B"]

    def forward(image, noise=None):
        raise RuntimeError("no such operator\nand more")

    generator.forward = forward
    (warning,) = compile_networks(objective, 1, 32)
    assert warning.startswith("Computed without torch.compile, which failed: ")
    assert "\n" not in warning
    assert generator.forward is forward
    assert not is_compiled(objective)


def test_a_trial_leaves_no_gradients_and_no_other_statistics(cell_of):
    objective = objective_of(cell_of("light-spatial5"))
    before = {name: each.clone() for name, each in objective.generators["A2B"].state_dict().items()}
    with left_unchanged(objective):
        objective.translate("A2B", torch.rand(1, 3, 32, 32), None).sum().backward()
    for name, each in objective.generators["A2B"].state_dict().items():
        assert torch.equal(each, before[name]), name
    assert all(each.grad is None for each in objective.generators["A2B"].parameters())


def test_reflection_by_slices_is_reflection_forwards_and_back():
    features = torch.randn(2, 3, 8, 9, requires_grad=True)
    weights = torch.randn(2, 3, 13, 13)
    expected = F.pad(features, (3, 1, 2, 3), mode="reflect")
    (right,) = torch.autograd.grad((expected * weights).sum(), features)
    ours = reflected(features, 3, 1, 2, 3)
    (gradient,) = torch.autograd.grad((ours * weights).sum(), features)
    assert torch.equal(ours, expected)
    torch.testing.assert_close(gradient, right)


def test_only_reflection_is_replaced():
    features = torch.randn(1, 1, 4, 4)
    with ReflectionBySlices():
        assert torch.equal(F.pad(features, (1, 1, 1, 1)), torch.nn.ZeroPad2d(1)(features))
        assert torch.equal(
            F.pad(features, (1, 1, 1, 1), mode="reflect"), torch.nn.ReflectionPad2d(1)(features)
        )


def test_deterministic_mode_ends_with_its_block():
    with determinism(True):
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.backends.cudnn.deterministic
    assert not torch.are_deterministic_algorithms_enabled()


def test_without_the_wish_nothing_is_deterministic():
    with determinism(False):
        assert not torch.are_deterministic_algorithms_enabled()


def test_an_operator_without_a_deterministic_algorithm_is_named():
    with (
        pytest.raises(BenchError, match=r"some_op has no deterministic algorithm .* without --deterministic"),
        determinism(True),
    ):
        raise RuntimeError("some_op does not have a deterministic implementation, but you set ...")


@pytest.mark.parametrize("variant", ["spatial", "slot9"])
def test_a_deterministic_training_gives_the_same_result_twice(cell_of, dataset, tmp_path, variant):
    from bench.runs.folder import RunFolder

    execution = Execution(deterministic=True)
    first, second = (
        train(cell_of(variant, images_seen=3), dataset, RunFolder(tmp_path / each), execution=execution)
        for each in "ab"
    )
    for one, two in zip(
        first.generators["B2A"].parameters(), second.generators["B2A"].parameters(), strict=True
    ):
        assert torch.equal(one, two)


def test_steps_of_every_objective_can_be_deterministic(cell_of):
    images = {domain: torch.rand(1, 3, 32, 32) * 2 - 1 for domain in "AB"}
    for name in ("lsgan", "wgan-gp"):
        objective = objective_of(cell_of("slot9", objective=name, pool=0))
        with determinism(True):
            done = objective.step(images, StepStreams(Streams(0), 1))
        assert all(loss.isfinite() for loss in done.losses.values())
