"""Two finished runs of a few steps, made by the real command, shared by the tests of all commands."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from bench.cli import main
from bench.registry import Registry
from variants.registry import REGISTRY, catalogue

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
def bench(workplace: Path, forked: ModuleType) -> Command:
    """Run the command line in the workplace, in a process; the outcome holds exit code, stdout and stderr."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("BENCH_")} | {
        "BENCH_CACHE": str(workplace / "cache"),
        "BENCH_DATA": str(workplace / "data"),
        "OMP_NUM_THREADS": "1",
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return forked.run(
            [sys.executable, "-m", "bench", *arguments],
            cwd=workplace,
            env=environment,
            capture_output=True,
            text=True,
        )

    return command


@pytest.fixture(scope="session")
def finished_runs(bench: Command, workplace: Path) -> Path:
    """The folder of all runs, with `slot9` and `spatial` finished."""
    for variant in ("slot9", "spatial"):
        outcome = bench("run", "--variant", variant, "--protocol", "tiny.toml", "--threads", "1")
        assert outcome.returncode == 0, outcome.stderr
    return workplace / "runs"


@pytest.fixture
def call(
    workers_forked: None, workplace: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Run the command line in the workplace, within this process; plugins are read anew by every command."""
    monkeypatch.chdir(workplace)
    settings = {"BENCH_CACHE": "cache", "BENCH_DATA": "data", "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    for name, value in settings.items():
        monkeypatch.setenv(name, str(workplace / value) if name.startswith("BENCH") else value)
    before = torch.get_num_threads()

    def command(*words: object) -> subprocess.CompletedProcess[str]:
        forget_plugins()
        monkeypatch.setattr("sys.argv", ["bench", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(words, end.value.code or 0, out, err)

    yield command
    torch.set_num_threads(before)


def forget_plugins() -> None:
    """What a new process knows of plugins: nothing."""
    catalogue.PLUGINS.clear()
    for name, each in list(REGISTRY.items()):
        if each.module.startswith("variants_plugin_"):
            del REGISTRY[name]
    for name in [name for name in sys.modules if name.startswith("variants_plugin_")]:
        del sys.modules[name]
        for registry in Registry.every:
            registry.forget(name)
