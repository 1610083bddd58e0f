"""The script for a GPU, tried on the CPU: every line of it but those that only a GPU can run."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch

from bench.training.execution import has_bf16

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def call(forked: ModuleType) -> Call:
    """`call(*words)`: the outcome of the script."""

    def called(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(SCRIPT), *words]
        finished: subprocess.CompletedProcess[str] = forked.run(command, capture_output=True, text=True)
        return finished

    return called


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_and_measures_nothing(call: Call):
    outcome = call()
    assert outcome.returncode == 2
    assert "There is no GPU" in outcome.stderr
    assert outcome.stdout == ""


def test_it_measures_every_way_of_a_step_and_holds_it_against_the_plain_one(call: Call, tmp_path: Path):
    out = tmp_path / "gpu.md"
    outcome = call("--device", "cpu", "--tiny", "--skip", "compiled", "--out", str(out))
    assert outcome.returncode == 0, outcome.stderr
    assert out.read_text(encoding="utf-8") == outcome.stdout.removesuffix("\n")
    rows = [line.split(" | ") for line in outcome.stdout.splitlines() if line.startswith("| s")]
    assert [(row[0].strip("| "), row[1]) for row in rows] == [
        (variant, way)
        for variant in ("slot9", "spatial")
        for way in (
            "fp32",
            "tf32",
            "bf16",
            "bf16, channels_last",
            "tf32, channels_last",
            "bf16, channels_last, deterministic",
            "fp32, deterministic",
        )
    ]
    for row in rows:
        if row[1].startswith("bf16") and not has_bf16(torch.device("cpu")):
            assert set(row[2:8]) == {"-"}
            assert "this processor has no bf16 arithmetic" in row[8]
        else:
            assert float(row[2]) > 0
            assert float(row[6]) < 0.2
    plain, *_, deterministic = rows[:7]
    assert float(plain[6]) == float(plain[7]) == 0
    assert float(deterministic[6]) < 1e-5


def test_ways_for_which_no_time_is_left_say_so(call: Call):
    outcome = call("--device", "cpu", "--tiny", "--minutes", "0")
    assert outcome.returncode == 1
    assert outcome.stdout.count("no time left") == 20
