"""Seconds and memory of a training step: ours against the naive step, the published arithmetic as it stands.

    python -m pytest tests/benchmarks/test_training_step.py --benchmark-group-by=group

Absolute seconds of a shared machine say little: compare within a group.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from bench.protocol import TrainSettings
from bench.runs.records import DIRECTIONS
from bench.streams import Streams
from bench.training.objective import Objective, build_objective
from bench.training.schedule import StepStreams
from variants import build, initialise

ROOT = Path(__file__).parents[2]
CASES = {
    "spatial-128": ("spatial", 128, {}),
    "slot9-128": ("slot9", 128, {}),
    "slot9-narrow-128": ("slot9", 128, {"width": 16, "slot_size": 32, "encoder": "16-16-16-32"}),
}
PEAK_MEMORY_OF_A_STEP = """
import json, resource, sys
sys.path.insert(0, sys.argv[1])
import torch
from test_training_step import images_of, objective_of
from bench.streams import Streams
from bench.training.schedule import StepStreams
from bench.training.logs import peak_memory
torch.set_num_threads(1)
size, precision = int(sys.argv[2]), sys.argv[3]
objective, images = objective_of("slot9", {}, precision), images_of(size)
before = peak_memory(torch.device("cpu"))
objective.step(images, StepStreams(Streams(0), 1))
objective.step(images, StepStreams(Streams(0), 2))
print(json.dumps({"before": before, "peak": peak_memory(torch.device("cpu"))}))
"""


def objective_of(variant: str, parameters: dict, precision: str = "fp32") -> Objective:
    """LSGAN over two fresh generators, full-width discriminators."""
    streams = Streams(0)
    generators = {}
    for direction in DIRECTIONS:
        generator = build(variant, parameters)
        initialise(
            generator, lambda name, direction=direction: streams.torch("initial-weights", direction, name)
        )
        generators[direction] = generator
    return build_objective("lsgan", generators, TrainSettings(images_seen=1, precision=precision), streams)


def images_of(size: int) -> dict[str, torch.Tensor]:
    chance = torch.Generator().manual_seed(0)
    return {domain: torch.rand(1, 3, size, size, generator=chance) * 2 - 1 for domain in "AB"}


@pytest.fixture(scope="module")
def naive() -> ModuleType:
    path = ROOT / "tests" / "bench" / "training" / "naive.py"
    spec = importlib.util.spec_from_file_location("naive", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("way", ["naive", "fp32", "bf16"])
@pytest.mark.parametrize("case", list(CASES))
def test_seconds_of_a_step(benchmark, case, way, naive):
    variant, size, parameters = CASES[case]
    benchmark.group = case
    torch.set_num_threads(1)
    objective = objective_of(variant, parameters, "bf16" if way == "bf16" else "fp32")
    step = naive.NaiveStep(objective) if way == "naive" else objective.step
    rounds = 1 if case == "slot9-128" else 5
    benchmark.pedantic(step, (images_of(size), StepStreams(Streams(0), 1)), warmup_rounds=1, rounds=rounds)


@pytest.mark.parametrize("fused", [True, False])
def test_seconds_of_an_update_by_adam(benchmark, fused):
    benchmark.group = "adam"
    torch.set_num_threads(1)
    parameters = list(build("spatial").parameters())
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    optimiser = torch.optim.Adam(parameters, fused=fused, foreach=False)
    benchmark(optimiser.step)


@pytest.mark.parametrize(("size", "precision", "most"), [(128, "fp32", 2.2), (256, "bf16", 4.0)])
def test_peak_memory_of_a_full_slot9_step(benchmark, size, precision, most):
    arguments = [str(Path(__file__).parent), str(size), precision]
    finished = benchmark.pedantic(
        subprocess.run,
        ([sys.executable, "-c", PEAK_MEMORY_OF_A_STEP, *arguments],),
        {"capture_output": True, "text": True, "check": True},
        rounds=1,
    )
    measured = json.loads(finished.stdout)
    benchmark.extra_info.update(measured)
    assert measured["peak"] < most * 2**30
