"""`bench profile`: a measured step by its counted work, its time, its memory and where they go."""

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from bench.cli import app
from bench.errors import UsageError
from bench.profiling.measure import OperationCount, TrainingStep, matrix_peak
from bench.profiling.operators import BOOKKEEPING, Event, gathered, operator_name
from bench.protocol import load_protocol
from bench.training.execution import has_bf16
from variants import build
from variants.parts.cost import forward_gflop

TINY = (
    "images.size=32",
    "images.load_size=32",
    "model.width=4",
    "model.blocks=1",
    "train.discriminator_width=4",
)
ARGUMENTS = ["--protocol", "smoke", *(word for each in TINY for word in ("--set", each)), "--threads", "1"]
PLUGIN = Path(__file__).parents[3] / "docs" / "example_variant.py"


@pytest.fixture(autouse=True, scope="module")
def _workers_forked(workers_forked):
    """Every measured step has a process of its own."""


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def call(*arguments: object):
    """The outcome of `bench profile ARGUMENTS`."""
    return CliRunner().invoke(app, ["profile", *map(str, arguments)])


@pytest.fixture(scope="module")
def two() -> list[dict]:
    """The JSON of a comparison of two tiny variants."""
    result = call("spatial", "uniform", *ARGUMENTS, "--steps", 3, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_every_figure_of_the_step_is_there_and_agrees_with_the_others(two):
    for each in two:
        assert len(each["seconds"]) == 3
        assert each["seconds_per_step"] == sorted(each["seconds"])[1]
        assert each["images_per_second"] == pytest.approx(1 / each["seconds_per_step"])
        rate = each["step_gflop"] / each["seconds_per_step"]
        assert each["share_of_peak"] == pytest.approx(rate / each["matrix_peak_gflops"])
        assert each["peak_memory_bytes"] >= each["memory_before_bytes"] > 0
        assert (each["size"], each["batch"], each["precision"], each["objective"]) == (32, 1, "fp32", "lsgan")


def test_the_shares_of_the_operators_add_up_to_one_and_the_longest_comes_first(two):
    operators = two[0]["operators"]
    assert sum(each["share"] for each in operators) == pytest.approx(1)
    assert [each["seconds"] for each in operators] == sorted((e["seconds"] for e in operators), reverse=True)
    assert {"convolution", "convolution, backward", "Adam"} <= {each["name"] for each in operators}


def test_several_variants_are_compared_with_the_first(two):
    spatial, uniform = two
    assert set(spatial["ratio_to_first"].values()) == {1.0}
    ratio = uniform["ratio_to_first"]["step_gflop"]
    assert ratio == pytest.approx(uniform["step_gflop"] / spatial["step_gflop"])
    assert ratio < 1


def test_a_table_names_the_variants_of_a_grid_their_machine_and_their_operators():
    result = call("spatial[contents=2|3]", *ARGUMENTS, "--steps", 1, "--top", 2)
    assert result.exit_code == 0, result.output
    assert "spatial[contents=2]" in result.stdout
    assert "spatial[contents=3]" in result.stdout
    assert "matrix peak" in result.stdout
    assert "others" in result.stdout


@pytest.mark.parametrize(
    "precision",
    [
        "fp32",
        pytest.param(
            "bf16",
            marks=pytest.mark.skipif(
                not has_bf16(torch.device("cpu")), reason="this processor has no bf16 arithmetic"
            ),
        ),
    ],
)
def test_the_size_the_batch_and_the_precision_are_those_asked_for(precision):
    options = ["--size", 48, "--batch", 2, "--precision", precision, "--steps", 1, "--json"]
    result = call("uniform", *ARGUMENTS, *options, "--device", "cpu")
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)
    assert (found["size"], found["batch"], found["precision"]) == (48, 2, precision)
    assert found["images_per_second"] == pytest.approx(2 / found["seconds_per_step"])


def test_a_variant_of_a_plugin_is_measured_too():
    result = call("one-mask", "--plugin", PLUGIN, *ARGUMENTS, "--steps", 1, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)[0]["parameters"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["slto9"], "Did you mean 'slot9'"),
        (["nothing*"], "matches nothing"),
        (["spatial[slots=2]"], "slots"),
        (["spatial", "--device", "tpu"], "not a device"),
        (["spatial", "--device", "cuda:99"], "There is no device"),
        (["spatial", "--precision", "fp8"], "train.precision"),
        (["spatial", "--size", "50"], "multiple of 16"),
        (["spatial", "--batch", "0"], "--batch"),
        (["spatial", "--protocol", "huge"], "Unknown protocol"),
        (["copy"], "trains nothing"),
    ],
)
def test_a_wrong_request_says_what_is_wrong(arguments, message):
    result = call(*arguments, "--steps", 1)
    assert result.exit_code != 0
    assert message in f"{result.exception} {result.output}"
    assert getattr(result.exception, "exit_code", 2) == 2


def test_steps_differ_in_their_noise_but_not_in_their_work():
    protocol = load_protocol("smoke", TINY)
    step = TrainingStep("slot9", protocol, torch.device("cpu"))
    counts = []
    for _ in range(2):
        with OperationCount() as count:
            step()
        counts.append(count.flop)
    assert counts[0] == counts[1] > 0


def test_a_variant_that_trains_nothing_has_no_step():
    with pytest.raises(UsageError, match="copy trains nothing"):
        TrainingStep("copy", load_protocol("smoke"), torch.device("cpu"))


def test_the_count_of_a_forward_is_that_of_run_json():
    generator = build("spatial", {"width": 8, "blocks": 1})
    with OperationCount() as count, torch.no_grad():
        generator(torch.zeros(1, 3, 32, 32))
    assert count.flop / 1e9 == pytest.approx(forward_gflop(generator, 32))


def test_a_matrix_product_counts_two_for_each_multiplication_and_backward_twice_that():
    left = torch.randn(3, 4, requires_grad=True)
    right = torch.randn(4, 5, requires_grad=True)
    with OperationCount() as count:
        (left @ right).sum().backward()
    assert count.flop == 3 * (2 * 3 * 4 * 5)


def test_a_gradient_of_a_gradient_is_counted():
    weight = torch.randn(4, 4, requires_grad=True)
    row = torch.randn(1, 4, requires_grad=True)
    with OperationCount() as count:
        (gradient,) = torch.autograd.grad((row @ weight).square().sum(), row, create_graph=True)
        forward_and_back = count.flop
        gradient.square().sum().backward()
    assert count.flop > forward_and_back > 0


def test_the_matrix_peak_is_a_rate_that_this_processor_reaches():
    assert matrix_peak(torch.device("cpu"), torch.float32, sizes=(64,)) > 1e6


def test_operators_of_one_name_are_put_together():
    events = [
        Event("aten::mm", 30, 2),
        Event("aten::bmm", 30, 1),
        Event("aten::relu_", 20, 4),
        Event("Optimizer.step#Adam.step", 20, 1),
        Event("autograd::engine::evaluate_function: ReluBackward0", 5, 1),
        Event("aten::view", 0, 9),
    ]
    found = [(each.name, each.seconds, each.share, each.calls) for each in gathered(events)]
    assert found == [
        ("matrix product", pytest.approx(60e-6), pytest.approx(60 / 105), 3),
        (BOOKKEEPING, pytest.approx(25e-6), pytest.approx(25 / 105), 2),
        ("ReLU", pytest.approx(20e-6), pytest.approx(20 / 105), 4),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aten::convolution_backward", "convolution, backward"),
        ("aten::add_", "sum of two"),
        ("aten::upsample_nearest2d", "upsample nearest2d"),
        ("bench::winograd", "winograd"),
        ("ReluBackward0", BOOKKEEPING),
    ],
)
def test_operators_have_readable_names(name, expected):
    assert operator_name(name) == expected
