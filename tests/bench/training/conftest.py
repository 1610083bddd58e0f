"""A data set of a few coloured squares, a protocol of a few steps, and cells made of them."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from bench.cell import Cell
from bench.data.dataset import Dataset, Domain, Split
from bench.protocol import ImageSettings, Protocol, ScoreSettings, TrainSettings
from bench.runs.folder import RunFolder
from bench.scoring.kernel import kernel_leave_one_out

SIZE = 32


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def squares(domain: str, count: int, size: int, prefix: str) -> Split:
    """Squares of the domain's colour at random places on grey noise."""
    chance = np.random.default_rng([ord(domain), count, size])
    images = chance.integers(90, 160, (count, size, size, 3), dtype=np.uint8)
    for image in images:
        top, left = chance.integers(0, size // 2, 2)
        image[top : top + size // 2, left : left + size // 2] = (
            (220, 60, 40) if domain == "A" else (40, 90, 220)
        )
    return Split(images, tuple(f"{prefix}{index}.png" for index in range(count)))


def make_dataset() -> Dataset:
    """Six and five training images, three held out, five for the test, of either domain."""

    def domain(name: str, train: int) -> Domain:
        return Domain(
            squares(name, train, SIZE + 4, "train"),
            squares(name, 3, SIZE, "validation"),
            squares(name, 5, SIZE, "test"),
        )

    return Dataset("squares", domain("A", 6), domain("B", 5), "0" * 64, {})


def make_cell(variant: str = "spatial", seed: int = 0, **train: Any) -> Cell:
    """A cell of twelve narrow steps unless told otherwise: `make_cell("slot9", images_seen=4)`."""
    settings = {"images_seen": 12, "pool": 3, "discriminator_width": 4, "log_every": 2, "validations": 3}
    protocol = Protocol(
        name="tiny",
        summary="",
        images=ImageSettings(size=SIZE, load_size=SIZE + 4, validation=3),
        train=TrainSettings(**(settings | train)),
        score=ScoreSettings(features="tiny", samples=2),
        model={"width": 4, "blocks": 1, "slot_size": 8, "encoder": "4-4-4-8"},
    )
    return Cell(protocol, "squares", variant, seed)


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return make_dataset()


@pytest.fixture(scope="session")
def cell_of() -> Callable[..., Cell]:
    return make_cell


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def mean_colours(images: np.ndarray) -> np.ndarray:
    """The simplest feature network: the mean colour of either half."""
    half = images.shape[2] // 2
    halves = [images[:, :, :half].mean(axis=(1, 2)), images[:, :, half:].mean(axis=(1, 2))]
    return np.concatenate(halves, axis=1).astype(np.float32)


def between_means(translated: np.ndarray, real: np.ndarray) -> float:
    """The simplest distance: squared, between the mean vectors."""
    return float(((translated.mean(axis=0) - real.mean(axis=0)) ** 2).sum())


@pytest.fixture(scope="session")
def measure() -> dict[str, Callable]:
    """The arguments of `train` that choose a checkpoint."""
    return {"network": mean_colours, "distance": between_means, "leave_one_out": kernel_leave_one_out}


def loaded(path: Path) -> ModuleType:
    """A helper module of the tests, by its file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def fill() -> ModuleType:
    """tests/reference/fill.py: the weights of the reference networks."""
    return loaded(Path(__file__).parents[2] / "reference" / "fill.py")


@pytest.fixture(scope="session")
def naive() -> ModuleType:
    """naive.py beside this file: the step that ours is held against."""
    return loaded(Path(__file__).parent / "naive.py")


@pytest.fixture(scope="session")
def fourier() -> ModuleType:
    """fourier.py beside this file: quick convolutions in float64."""
    return loaded(Path(__file__).parent / "fourier.py")
