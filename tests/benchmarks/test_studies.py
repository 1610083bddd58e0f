"""Timings of studies: what a study costs beyond its cells, and how quick a plan of thousands is."""

import itertools
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bench.studies.declaration import parse
from bench.studies.grid import expand
from bench.studies.planning import Facts, make_plan

pytestmark = pytest.mark.benchmark_only
MOST_OVERHEAD = 0.03
MOST_SECONDS = 5.0
VARIANTS = ("slot9", "spatial")
SEEDS = 1


def test_a_plan_of_ten_thousand_cells(benchmark: Any, tmp_path: Path) -> None:
    slots = "|".join(str(number) for number in range(2, 1002))
    text = f'variants = ["slot9[slots={slots}]"]\ndatasets = ["toy-stripes", "toy-season"]\nseeds = "0..4"\n'

    def plan() -> int:
        grid = expand(parse(text, "large.toml"))
        return len(make_plan(grid, tmp_path, lambda dataset: Facts("f" * 64, (64, 64))))

    assert benchmark.pedantic(plan, rounds=3) == 10_000
    assert benchmark.stats.stats.median < MOST_SECONDS


def bench(*arguments: object) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "bench", *map(str, arguments), "--threads", "1"]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def two_shells(runs: Path) -> None:
    """The cells one after another as `bench run`, in two shells at a time: the work without a study."""
    cells = list(itertools.product(range(SEEDS), VARIANTS))
    lanes = [cells[0::2], cells[1::2]]
    at_work: list[subprocess.Popen[bytes] | None] = [None, None]
    while any(lanes) or any(at_work):
        for lane, process in enumerate(at_work):
            if process is not None and process.poll() is None:
                continue
            at_work[lane] = None
            if lanes[lane]:
                seed, variant = lanes[lane].pop(0)
                at_work[lane] = bench("run", "--variant", variant, "--seed", seed, "--runs", runs)
        time.sleep(0.01)


def one_study(runs: Path) -> None:
    """The same cells as a study with two workers."""
    variants = [word for variant in VARIANTS for word in ("--variant", variant)]
    bench("study", *variants, "--seed", f"0..{SEEDS - 1}", "--workers", 2, "--runs", runs).wait()


def test_overhead_of_a_study_over_its_cells(benchmark: Any, tmp_path: Path) -> None:
    """Median of three ratios, each of two measurements side by side."""
    variants = [word for variant in VARIANTS for word in ("--variant", variant)]
    bench("study", *variants, "--runs", tmp_path / "shells", "--dry-run").wait()  # scenes are rendered now
    ratios: list[float] = []

    def measure() -> None:
        began = time.perf_counter()
        two_shells(tmp_path / f"shells{len(ratios)}")
        between = time.perf_counter()
        one_study(tmp_path / f"study{len(ratios)}")
        ratios.append((time.perf_counter() - between) / (between - began) - 1)

    benchmark.pedantic(measure, rounds=3)
    benchmark.extra_info["overhead"] = sorted(ratios)[1]
    assert sorted(ratios)[1] < MOST_OVERHEAD
