"""Extraction: every source of images gives the same features, and only a batch of pixels is held."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.errors import BenchError
from bench.scoring.features import extract_features
from bench.scoring.networks import FeatureNetwork, load_network


@pytest.fixture(scope="module")
def network() -> FeatureNetwork:
    return load_network("tiny")


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (37, 48, 48, 3), np.uint8)


def test_an_array_an_iterator_and_a_memory_map_give_the_same_features(
    network: FeatureNetwork, images: np.ndarray, tmp_path: Path
) -> None:
    np.save(tmp_path / "images.npy", images)
    expected = network(images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    for source in (images, iter(images), mapped):
        assert np.array_equal(extract_features(network, source, 37), expected)
    assert np.array_equal(network(mapped), expected)
    assert np.array_equal(network(torch.from_numpy(images)), expected)


def test_features_of_an_image_do_not_depend_on_the_others_in_its_batch(
    network: FeatureNetwork, images: np.ndarray
) -> None:
    alone = np.concatenate([network(image[None]) for image in images[:5]])
    assert alone == pytest.approx(network(images)[:5], abs=1e-5)


def test_pixels_of_one_batch_alone_are_held(network: FeatureNetwork, images: np.ndarray) -> None:
    """The iterator is asked for the next batch only when the features of the last one are done."""
    alive: list[int] = []

    def count() -> Iterator[np.ndarray]:
        for number in range(5 * network.batch):
            alive.append(number)
            yield images[number % len(images)]

    class Watching:
        def start(self, task: str, total: int, done: int = 0) -> None:
            assert (total, done) == (5 * network.batch, 0)

        def advance(self, units: int = 1, figures: str = "") -> None:
            assert units == network.batch
            assert len(alive) % network.batch == 0
            told.append(len(alive))

    told: list[int] = []
    extract_features(network, count(), 5 * network.batch, Watching())
    assert told == [network.batch * step for step in range(1, 6)]


def test_no_images_give_no_features(network: FeatureNetwork) -> None:
    assert network(np.empty((0, 8, 8, 3), np.uint8)).shape == (0, network.dimension)


def test_refuses_images_of_different_sizes(network: FeatureNetwork, images: np.ndarray) -> None:
    with pytest.raises(BenchError, match=r"Image 1 has shape \[32, 48, 3\], the first one \[48, 48, 3\]"):
        extract_features(network, [images[0], images[1, :32]], 2)


@pytest.mark.parametrize("wrong", [np.zeros((2, 8, 8, 3)), np.zeros((2, 3, 8, 8), np.uint8)])
def test_refuses_what_is_not_rgb_in_8_bits(network: FeatureNetwork, wrong: np.ndarray) -> None:
    with pytest.raises(BenchError, match="Feature networks take uint8 images of shape"):
        network(wrong)
