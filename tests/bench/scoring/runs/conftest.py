"""A tiny data set with ground truth, generators at their first weights, and the embedded feature network."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import variants
from bench.cell import Cell
from bench.data import load_dataset
from bench.data.dataset import Dataset
from bench.protocol import Protocol, load_protocol
from bench.runs.folder import RunFolder
from bench.scoring.networks import load_network
from bench.scoring.networks.network import FeatureNetwork
from bench.scoring.score_run import Weights, score_selections
from variants.contract import Generator

CHANGES = (
    "images.size=32",
    "images.load_size=32",
    "images.test=6",
    "images.per_domain=8",
    "images.validation=2",
    "model.width=4",
    "model.blocks=1",
    "score.samples=2",
    "score.kid_subset_size=4",
)


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    return load_protocol("smoke", CHANGES)


@pytest.fixture(scope="session")
def dataset(protocol: Protocol, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return load_dataset("toy-stripes", protocol.images, cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def network() -> FeatureNetwork:
    return load_network("tiny", None, "cpu")


@pytest.fixture(scope="session")
def make_generators(protocol: Protocol) -> Callable[[str], dict[str, Generator]]:
    """The generators A2B and B2A of a variant, the same weights every time."""

    def make(variant: str) -> dict[str, Generator]:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return {name: variants.build(variant, protocol.model).eval() for name in ("A2B", "B2A")}

    return make


@pytest.fixture(scope="session")
def scored(
    protocol: Protocol,
    dataset: Dataset,
    network: FeatureNetwork,
    make_generators: Callable[[str], dict[str, Generator]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], RunFolder]:
    """The folder of a scored run of a variant, made once."""
    folders: dict[str, RunFolder] = {}

    def score(variant: str) -> RunFolder:
        if variant not in folders:
            folder = RunFolder(tmp_path_factory.mktemp("run"))
            weights = Weights(7, 7, make_generators(variant))
            cell = Cell(protocol, "toy-stripes", variant, 0)
            score_selections(folder, cell, dataset, {"last": weights, "validation": weights}, network)
            folders[variant] = folder
        return folders[variant]

    return score


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reference features of the tests stay out of the user's cache."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
