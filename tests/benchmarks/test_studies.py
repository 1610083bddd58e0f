"""Timings of studies: what a study costs beyond its cells, and how quick a plan of thousands is."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.studies.grid import expand
from bench.studies.plan import Facts, make_plan
from bench.studies.study import parse_study

pytestmark = pytest.mark.benchmark_only
MOST_OVERHEAD = 0.03
MOST_SECONDS = 5.0
VARIANTS = ("slot9", "spatial")
SEEDS = 2
WORKERS = 2

# `bench` with a look at the clock, and at its own CPU time, when a worker begins and when it has ended.
DRIVER = """
import json, os, time
from pathlib import Path
from bench.cli import main
from bench.studies.engines.local import LocalEngine

attend, cells = LocalEngine._attend, []

def attend_and_note(self, number, order, place):
    began = (time.monotonic(), time.process_time())
    attend(self, number, order, place)
    cells.append((began, (time.monotonic(), time.process_time())))

LocalEngine._attend = attend_and_note
try:
    main()
finally:
    Path(os.environ["BENCH_TEST_NOTES"]).write_text(json.dumps(cells))
"""


def test_a_plan_of_ten_thousand_cells(benchmark: Any, tmp_path: Path) -> None:
    slots = "|".join(str(number) for number in range(2, 1002))
    text = f'variants = ["slot9[slots={slots}]"]\ndatasets = ["toy-stripes", "toy-season"]\nseeds = "0..4"\n'

    def plan() -> int:
        grid = expand(parse_study(text, "large.toml"))
        return len(make_plan(grid, tmp_path, lambda dataset: Facts("f" * 64, (64, 64))))

    assert benchmark.pedantic(plan, rounds=3) == 10_000
    assert benchmark.stats.stats.median < MOST_SECONDS


@dataclass(frozen=True)
class Moment:
    """An instant, in seconds."""

    clock: float
    driver: float
    """CPU time that the driver itself has taken so far."""


@dataclass(frozen=True)
class Measured:
    """One study, as its driver saw its workers."""

    start: float
    end: float
    cells: tuple[tuple[Moment, Moment], ...]
    """When each worker began and ended."""

    @property
    def busy(self) -> float:
        """Seconds of all workers together."""
        return sum(end.clock - began.clock for began, end in self.cells)

    @property
    def idle(self) -> float:
        """Seconds of empty places, except while the last cells are at work and none is left to begin."""
        last_began = max(began.clock for began, _ in self.cells)
        last_ended = max(end.clock for _, end in self.cells)
        before = sum(min(end.clock, last_began) - began.clock for began, end in self.cells)
        return WORKERS * (last_began - self.start) - before + WORKERS * (self.end - last_ended)

    @property
    def driver(self) -> float:
        """CPU seconds that the driver took from its workers while they were at work."""
        return max(end.driver for _, end in self.cells) - min(began.driver for began, _ in self.cells)

    @property
    def overhead(self) -> float:
        """What the study cost beyond its cells, as a share of them."""
        return (self.idle + self.driver) / self.busy


def measured_study(runs: Path, notes: Path, *arguments: object) -> Measured:
    """Execute a study of both variants; raises CalledProcessError where a cell fails."""
    variants = [word for variant in VARIANTS for word in ("--variant", variant)]
    places = ["--workers", WORKERS, "--threads", 1, "--runs", runs]
    words = ["study", *variants, "--seed", f"0..{SEEDS - 1}", *places, *arguments]
    start = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", DRIVER, *map(str, words)],
        check=True,
        capture_output=True,
        env={**os.environ, "BENCH_TEST_NOTES": str(notes)},
    )
    end = time.monotonic()
    cells = json.loads(notes.read_text(encoding="utf-8"))
    return Measured(start, end, tuple((Moment(*began), Moment(*ended)) for began, ended in cells))


def test_overhead_of_a_study_over_its_cells(benchmark: Any, tmp_path: Path) -> None:
    """Idle places and the driver's own CPU time, over the time of the cells.

    Both are counted within one study, so that other work on the machine slows all of it alike: two studies,
    or a study and its cells without it, timed one after the other, would differ by more than 3 %.
    """
    subprocess.run(
        [sys.executable, "-m", "bench", "study", "smoke", "--dry-run"], check=True
    )  # renders scenes
    taken: list[Measured] = []

    def measure() -> None:
        taken.append(measured_study(tmp_path / "runs", tmp_path / "notes.json"))

    benchmark.pedantic(measure, rounds=1)
    (study,) = taken
    benchmark.extra_info |= {key: getattr(study, key) for key in ("busy", "idle", "driver", "overhead")}
    assert len(study.cells) == len(VARIANTS) * SEEDS
    assert study.overhead < MOST_OVERHEAD
