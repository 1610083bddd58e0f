"""A ballot of two baselines and a folder of images, made by the real command's functions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import bench
from bench.ballot.making import BallotRequest, make_ballot, plan_ballot
from bench.ballot.records import BallotKey, read_key
from bench.progress import Silent

FEW = [
    "images.size=32",
    "images.load_size=36",
    "images.per_domain=6",
    "images.validation=2",
    "images.test=12",
    "score.kid_subset_size=3",
    "score.samples=2",
]


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of `copy` and `colour`, and a folder `theirs` of grey pictures."""
    folder = tmp_path_factory.mktemp("workshop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE", str(folder / "cache"))
        for variant in ("copy", "colour"):
            sheet = bench.run(variant, set=FEW, runs=folder / "runs", threads=1)
    assert sheet.folder is not None
    (folder / "theirs").mkdir()
    names = {
        line.split(",")[1]
        for line in (sheet.folder / "images.csv").read_text().splitlines()
        if line.startswith("A2B")
    }
    for name in sorted(names)[:8]:
        grey = Image.fromarray(np.full((32, 32, 3), 120, np.uint8))
        grey.save(folder / "theirs" / f"{Path(name).stem}_fake.png")
    return folder


@pytest.fixture(scope="session")
def make(workshop: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a ballot of some systems in a folder of its own; returns the folder."""

    def made(*systems: str, **options: Any) -> Path:
        out = tmp_path_factory.mktemp("ballot") / "out"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BENCH_CACHE", str(workshop / "cache"))
            make_ballot(plan_ballot(BallotRequest(systems, out, workshop / "runs", **options)), Silent())
        return out

    return made


@pytest.fixture(scope="session")
def ballot(make: Callable[..., Path]) -> Path:
    """A ballot of two systems, six images."""
    return make("copy", "colour", images=6, repeats=2, copies=2)


@pytest.fixture(scope="session")
def key(ballot: Path) -> BallotKey:
    return read_key(ballot)
