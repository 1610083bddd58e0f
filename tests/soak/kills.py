"""Kill runs and studies with SIGKILL at random instants, go on, and compare with undisturbed ones.

    python tests/soak/kills.py --kills 200 --study-kills 20 --seconds 720

Two kinds of kills. `session`: a process that executes one cell, killed at an instant drawn evenly over the
time that the whole cell takes. `study`: a `bench study` with two workers; its driver or one of its workers
is killed. Bounded by count and by time; prints a table for docs/reliability.md. Not part of `make test`.
"""

import argparse
import csv
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.cell import Cell
from bench.progress import Silent
from bench.runs.folder import RunFolder
from bench.studies.grid import make_cell

VARIANTS = ("slot9", "spatial")
PROTOCOL = """
[images]
size = 32
load_size = 36
per_domain = 6
validation = 2
test = 4

[train]
images_seen = 24
pool = 3
discriminator_width = 8
log_every = 3
validations = 4

[score]
features = "tiny"
kid_subset_size = 4
samples = 2

[model]
width = 8
blocks = 1
slot_size = 8
encoder = "4-4-4-8"
"""


@dataclass
class Tally:
    """What was done, and what came of it."""

    kills: Counter[str] = field(default_factory=Counter)
    """Instant or victim -> kills."""
    runs: int = 0
    lost: int = 0
    """Runs that could not be finished."""
    differing: int = 0
    """Finished runs that are not equal to the undisturbed one."""

    def check(self, expected: Cell, found: Path, undisturbed: Path) -> None:
        """Hold a finished run against the undisturbed one of the same cell."""
        self.runs += 1
        folder = RunFolder(expected.folder(found))
        if folder.read().status != "done":
            self.lost += 1
        elif content(folder) != content(RunFolder(expected.folder(undisturbed))):
            self.differing += 1
            print(f"differs: {folder.path}", file=sys.stderr)


def content(folder: RunFolder) -> list[object]:
    """All that must be equal, bit for bit, however a run came about."""
    with folder.losses_csv.open(encoding="utf-8") as file:
        losses = [{key: row[key] for key in row if key != "seconds"} for row in csv.DictReader(file)]
    record = folder.read()
    files = (folder.generator, folder.scores_json, folder.images_csv)
    return [record.trace_hash, record.images_seen, losses, *(path.read_bytes() for path in files)]


def cells(place: Path, seeds: Iterable[int]) -> Iterator[Cell]:
    """The cells of these seeds."""
    for seed in seeds:
        for variant in VARIANTS:
            yield make_cell(str(place / "tiny.toml"), "toy-stripes", variant, seed)


def begin(cell: Cell, runs: Path) -> int:
    """Execute a cell in a forked process; returns its id. It exits with 0 when the cell is done."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            from bench.studies.execute import Machine, execute

            execute(cell, runs, Machine("cpu", 1), Silent())
            code = 0
        finally:
            os._exit(code)
    return process


def instant(folder: RunFolder) -> str:
    """In what a run is, as far as its folder tells."""
    if not folder.run_json.exists():
        return "before the record"
    if folder.scores_json.exists():
        return "after the scores"
    if folder.generator.exists():
        return "while scoring"
    return "while training" if (folder.checkpoints / "last.pt").exists() else "before the first checkpoint"


def kill_sessions(kills: int, until: float, place: Path, chance: random.Random) -> Tally:
    """Kill cells, each again and again until it is done all the same."""
    tally = Tally()
    for number, cell in enumerate(cells(place, itertools.count())):
        if sum(tally.kills.values()) >= kills or time.monotonic() > until:
            return tally
        undisturbed, disturbed = place / f"quiet{number}", place / f"killed{number}"
        began = time.monotonic()
        os.waitpid(begin(cell, undisturbed), 0)
        whole = time.monotonic() - began
        folder = RunFolder(cell.folder(disturbed))
        while time.monotonic() < until and sum(tally.kills.values()) < kills:
            process = begin(cell, disturbed)
            time.sleep(chance.uniform(0.0, whole))
            if os.waitpid(process, os.WNOHANG)[0]:
                break
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            tally.kills[instant(folder)] += 1
        os.waitpid(begin(cell, disturbed), 0)
        tally.check(cell, disturbed, undisturbed)
        print(f"{sum(tally.kills.values())} kills, {tally.runs} runs", file=sys.stderr, flush=True)
    return tally


def kill_studies(kills: int, until: float, place: Path, chance: random.Random) -> Tally:
    """Kill drivers and workers of studies, each study again and again until it is done all the same."""
    tally, number = Tally(), 0
    while sum(tally.kills.values()) < kills and time.monotonic() < until:
        number += 1
        undisturbed, disturbed = place / f"calm{number}", place / f"struck{number}"
        subprocess.run(study(place, undisturbed, number), check=True, capture_output=True)
        finished = False
        while not finished:
            driver = subprocess.Popen(
                study(place, disturbed, number), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            victim = strike(driver, chance) if time.monotonic() < until else None
            output = driver.communicate()[0]
            if victim is not None:
                tally.kills[victim] += 1
            counts = json.loads(output)["counts"] if output.strip() else {"killed": 1}
            finished = not counts.keys() - {"done", "skipped"}
        for cell in cells(place, [number]):
            tally.check(cell, disturbed, undisturbed)
    return tally


def study(place: Path, runs: Path, seed: int) -> list[str]:
    """The command of a study of both variants."""
    words = [sys.executable, "-m", "bench", "study", "--runs", str(runs), "--seed", str(seed), "--json"]
    words += ["--workers", "2", "--threads", "1", "--retry-failed", "--protocol", str(place / "tiny.toml")]
    for variant in VARIANTS:
        words += ["--variant", variant]
    return words


def strike(driver: subprocess.Popen[bytes], chance: random.Random) -> str | None:
    """Wait for a random time, then kill the driver or one of its workers; None where all had ended before."""
    try:
        driver.wait(timeout=chance.uniform(1.0, 16.0))
        return None
    except subprocess.TimeoutExpired:
        pass
    workers = psutil.Process(driver.pid).children()
    victim = chance.choice([None, *workers])
    if victim is None:
        driver.kill()
        return "driver"
    try:
        victim.kill()
    except psutil.NoSuchProcess:
        return None
    return "worker"


def table(tallies: dict[str, Tally]) -> str:
    """The outcome as a table in markdown."""
    lines = [
        "| killed with SIGKILL | kills | runs finished | lost | results that differ |",
        "|---|---|---|---|---|",
    ]
    for name, tally in tallies.items():
        for instant_name, count in sorted(tally.kills.items()):
            lines.append(f"| {name}, {instant_name} | {count} | | | |")
        total = sum(tally.kills.values())
        lines.append(f"| {name}, together | {total} | {tally.runs} | {tally.lost} | {tally.differing} |")
    return "\n".join(lines)


def main() -> None:
    """Read the bounds, kill, print the table; exit 1 where anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="kills of sessions")
    parser.add_argument("--study-kills", type=int, default=20, help="kills in studies")
    parser.add_argument("--seconds", type=float, default=720, help="most time for everything")
    parser.add_argument("--seed", type=int, default=0, help="of the random instants")
    chosen = parser.parse_args()

    import torch

    import bench.studies.execute  # noqa: F401  # imported once, before the forks

    torch.set_num_threads(1)
    chance, began = random.Random(chosen.seed), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-soak-") as place:
        os.environ["BENCH_CACHE"] = str(Path(place) / "cache")
        (Path(place) / "tiny.toml").write_text(PROTOCOL, encoding="utf-8")
        half = began + chosen.seconds * 0.6
        tallies = {"session": kill_sessions(chosen.kills, half, Path(place), chance)}
        tallies["study"] = kill_studies(chosen.study_kills, began + chosen.seconds, Path(place), chance)
    print(table(tallies))
    print(f"\n{time.monotonic() - began:.0f} s, seed {chosen.seed}")
    sys.exit(any(tally.lost or tally.differing for tally in tallies.values()))


if __name__ == "__main__":
    main()
