"""A tiny study of real cells, executed once undisturbed; every fault is held against it."""

import contextlib
import csv
import functools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from bench.runs.folder import RunFolder

TINY = """
[images]
size = 32
load_size = 36
per_domain = 6
validation = 2
test = 4

[train]
images_seen = 16
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
VARIANTS = ("slot9", "spatial", "copy")
PATIENCE = 900
"""Seconds after which a process counts as hanging: everything takes its time on a machine with other work."""


def wait_for(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """The first true value of `condition`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(0.005)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


class Workplace:
    """A folder with a tiny protocol, a cache of rendered scenes, and the command line."""

    def __init__(self, path: Path, forked: ModuleType) -> None:
        self.path = path
        self.forked = forked
        self.protocol = path / "tiny.toml"
        self.protocol.write_text(TINY, encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        own = {"BENCH_CACHE": str(self.path / "cache"), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
        return {**os.environ, **own}

    def start(
        self, *arguments: object, cwd: Path | None = None, fresh: bool = False, **environment: str
    ) -> subprocess.Popen[str]:
        """`bench ARGUMENTS` as a process of its own, which imports nothing from the folder it stands in.

        `fresh`: it and its workers are started as users start them, importing everything anew.
        """
        process = subprocess.Popen if fresh else self.forked.Forked
        return process(
            [sys.executable, "-P", "-m", "bench", *map(str, arguments)],
            cwd=cwd or self.path,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def bench(
        self, *arguments: object, cwd: Path | None = None, fresh: bool = False, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """`bench ARGUMENTS`, waited for."""
        process = self.start(*arguments, cwd=cwd, fresh=fresh, **environment)
        out, err = self.finish(process)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def finish(self, process: subprocess.Popen[str]) -> tuple[str, str]:
        """What a started command printed (stdout, stderr), once it has ended."""
        return process.communicate(timeout=PATIENCE)

    def grid(self, runs: Path, variants: tuple[str, ...] = VARIANTS, **more: object) -> list[object]:
        """The arguments of a study of these variants."""
        arguments: list[object] = ["study", "--protocol", self.protocol, "--runs", runs, "--threads", 1]
        for variant in variants:
            arguments += ["--variant", variant]
        for key, value in more.items():
            for each in value if isinstance(value, tuple) else (value,):
                arguments += [f"--{key.replace('_', '-')}", *([] if each is True else [each])]
        return arguments

    def study(
        self, runs: Path, variants: tuple[str, ...] = VARIANTS, **more: object
    ) -> subprocess.CompletedProcess[str]:
        """`bench study` of these variants, waited for."""
        return self.bench(*self.grid(runs, variants, **more))

    def outcome(self, runs: Path, variants: tuple[str, ...] = VARIANTS, **more: object) -> dict[str, Any]:
        """The JSON that a study prints; variant -> cell under `cells`."""
        finished = self.study(runs, variants, json=True, **more)
        assert finished.stdout, finished.stderr
        result = json.loads(finished.stdout)
        result["exit"] = finished.returncode
        result["cells"] = {cell["variant"]: cell for cell in result["cells"]}
        return result

    def folder(self, runs: Path, variant: str) -> RunFolder:
        """The run folder of a variant."""
        return RunFolder(runs / "tiny" / "toy-stripes" / variant / "seed0")


def make_odd_folder(place: Path) -> Path:
    """A folder as people have them: photographs, a plugin, a study that names them by relative paths, and
    files that are called as modules of Python and of bench are."""
    pixels = np.random.default_rng(0)
    for split in ("trainA", "trainB", "testA", "testB"):
        (place / "photos" / split).mkdir(parents=True)
        for number in range(8):
            image = pixels.integers(0, 255, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(image).save(place / "photos" / split / f"{number}.png")
    for name in ("html.py", "json.py", "numpy.py", "torch.py"):
        (place / name).write_text(f"raise SystemExit('{name} of the current folder was imported')\n")
    for name in ("variants", "bench", "baselines"):
        (place / name).mkdir()
        (place / name / "__init__.py").write_text("raise SystemExit('a folder was taken for a package')\n")
    (place / "rules").mkdir()
    (place / "rules" / "tiny.toml").write_text(TINY, encoding="utf-8")
    plugin = "from baselines.untrained import Copy\nfrom variants import register\n\n\n"
    plugin += '@register("mine", kind="baseline", summary="Copies.")\nclass Mine(Copy):\n    pass\n'
    (place / "plug.py").write_text(plugin, encoding="utf-8")
    study = 'protocol = "rules/tiny.toml"\nbaselines = ["mine"]\ndatasets = ["photos"]\n'
    (place / "odd.toml").write_text(study, encoding="utf-8")
    return place


def content(folder: RunFolder) -> dict[str, Any]:
    """All that must be equal between two runs of one cell, however they came about."""
    table = folder.losses_csv if folder.losses_csv.exists() else Path(os.devnull)
    with table.open(encoding="utf-8") as file:
        losses = [{key: row[key] for key in row if key != "seconds"} for row in csv.DictReader(file)]
    record = folder.read()
    return {
        "status": record.status,
        "trace": record.trace_hash,
        "schedule": record.schedule_hash,
        "images_seen": record.images_seen,
        "losses": losses,
        "weights": folder.generator.read_bytes(),
        "scores": json.loads(folder.scores_json.read_text(encoding="utf-8")),
        "images": folder.images_csv.read_bytes(),
    }


def workers_of(forked: ModuleType, process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The worker processes of a driver, whether it started or forked them."""
    below = list(psutil.Process(process.pid).children(recursive=True))
    for pid in forked.started_by(process.pid):
        with contextlib.suppress(psutil.Error):
            below.append(psutil.Process(pid))
    return below


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory, forked: ModuleType) -> Iterator[Workplace]:
    """The workplace of all studies of a session."""
    place = Workplace(tmp_path_factory.mktemp("studies"), forked)
    before = os.environ.get("BENCH_CACHE")
    os.environ["BENCH_CACHE"] = place.environment["BENCH_CACHE"]
    yield place
    os.environ.pop("BENCH_CACHE")
    if before is not None:
        os.environ["BENCH_CACHE"] = before


@pytest.fixture(scope="session")
def undisturbed(workplace: Workplace) -> Path:
    """The runs of the tiny study after `bench study` was left alone."""
    runs = workplace.path / "undisturbed"
    finished = workplace.study(runs, workers=2)
    assert finished.returncode == 0, finished.stderr
    return runs


@pytest.fixture(scope="session")
def assert_undisturbed(workplace: Workplace, undisturbed: Path) -> Callable[..., None]:
    """A function that holds runs, bit for bit, against those that nobody disturbed."""

    def check(runs: Path, variants: tuple[str, ...] = VARIANTS) -> None:
        for variant in variants:
            expected = content(workplace.folder(undisturbed, variant))
            found = content(workplace.folder(runs, variant))
            assert found == expected, [key for key in expected if found[key] != expected[key]]

    return check


@pytest.fixture(scope="session")
def waiting() -> Callable[..., Any]:
    """`wait_for`, for tests."""
    return wait_for


@pytest.fixture(scope="session")
def find_workers(forked: ModuleType) -> Callable[[subprocess.Popen[str]], list[psutil.Process]]:
    """`workers_of`, for tests."""
    return functools.partial(workers_of, forked)


@pytest.fixture
def odd_folder(tmp_path: Path) -> Path:
    """A folder of photographs, a plugin, a study, and files that are called as modules are."""
    return make_odd_folder(tmp_path / "odd folder")
