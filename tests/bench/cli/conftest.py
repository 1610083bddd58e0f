"""Two finished runs of a few steps, made by the real command, shared by the tests of all commands."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]

TINY = """
[images]
size = 32
load_size = 36
per_domain = 6
validation = 2
test = 4

[train]
images_seen = 4
pool = 3
discriminator_width = 8
log_every = 2
validations = 2

[score]
features = "tiny"
kid_subset_size = 3
samples = 2

[model]
width = 8
blocks = 1
slot_size = 8
encoder = "4-4-4-8"
"""


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a user has one: a protocol file, a cache, nothing else."""
    folder = tmp_path_factory.mktemp("workplace")
    (folder / "tiny.toml").write_text(TINY)
    return folder


@pytest.fixture(scope="session")
def bench(workplace: Path) -> Command:
    """Run the command line in the workplace; the outcome holds exit code, stdout and stderr."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BENCH_")} | {
        "BENCH_CACHE": str(workplace / "cache"),
        "BENCH_DATA": str(workplace / "data"),
        "OMP_NUM_THREADS": "1",
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bench", *arguments],
            cwd=workplace,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return command


@pytest.fixture(scope="session")
def finished_runs(bench: Command, workplace: Path) -> Path:
    """The folder of all runs, with `slot9` and `spatial` finished."""
    for variant in ("slot9", "spatial"):
        outcome = bench("run", "--variant", variant, "--protocol", "tiny.toml", "--threads", "1")
        assert outcome.returncode == 0, outcome.stderr
    return workplace / "runs"
