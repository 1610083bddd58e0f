"""What torch.compile is worth: seconds of a step with and without it, its price, and that it learns the same.

    python -m pytest tests/benchmarks/test_compile.py -s

Absolute seconds of a shared machine say little: plain and compiled steps take turns, in CPU seconds.
"""

import statistics
import time
from collections.abc import Callable

import pytest
import torch

from bench.profiling.measure import TrainingStep
from bench.protocol import load_protocol
from bench.training.execution import compile_networks

pytestmark = pytest.mark.benchmark_only
TURNS = 7


def cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@pytest.mark.parametrize("variant", ["spatial", "slot9"])
def test_compiled_steps_learn_the_same_and_their_price(benchmark, variant: str) -> None:
    torch.set_num_threads(1)
    protocol = load_protocol("smoke")
    plain, compiled = (TrainingStep(variant, protocol, torch.device("cpu")) for _ in range(2))
    began = time.perf_counter()
    assert compile_networks(compiled.objective, 1, protocol.images.size) == ()
    compiled()
    price = time.perf_counter() - began
    plain()
    for network, same in zip(
        plain.objective.generators.values(), compiled.objective.generators.values(), strict=True
    ):
        for ours, theirs in zip(network.parameters(), same.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=4e-4)  # Adam's first step: twice 2e-4
    compiled()
    pairs = benchmark.pedantic(
        lambda: [(cpu_seconds(plain), cpu_seconds(compiled)) for _ in range(TURNS)], rounds=1
    )
    ratio = statistics.median(each / other for each, other in pairs)
    benchmark.extra_info.update(seconds_to_compile=price, times_as_fast=ratio)
    print(f"\n{variant}: compiled in {price:.0f} s, then {ratio:.2f} times as fast")
