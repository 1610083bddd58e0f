"""The cache of reference features: keyed by content, never stale, never trusted when damaged."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.scoring.features import feature_key, images_hash, reference_features
from bench.scoring.networks import FeatureNetwork, load_network

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), np.uint8)


@pytest.fixture(scope="module")
def network() -> FeatureNetwork:
    return load_network("tiny")


def refusing(network: FeatureNetwork) -> FeatureNetwork:
    """The same network, unable to compute."""
    return replace(network, module=None)  # type: ignore[arg-type]


def test_equal_images_are_computed_once(network: FeatureNetwork, tmp_path: Path) -> None:
    first = reference_features(network, IMAGES, folder=tmp_path)
    again = reference_features(refusing(network), IMAGES.copy(), folder=tmp_path)
    assert np.array_equal(first, again)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_key_changes_with_anything_that_changes_the_features(network: FeatureNetwork) -> None:
    changed_pixel = IMAGES.copy()
    changed_pixel[3, 2, 1, 0] ^= 1
    content = images_hash(IMAGES)
    keys = [
        feature_key(network, content),
        feature_key(network, images_hash(changed_pixel)),
        feature_key(network, images_hash(IMAGES[::-1])),
        feature_key(replace(network, weights_hash="0" * 64), content),
        feature_key(replace(network, resize="another"), content),
    ]
    assert len(set(keys)) == len(keys)
    assert images_hash(IMAGES.reshape(6, 8, 32, 3)) != images_hash(IMAGES), "the shape counts"


@pytest.mark.parametrize("damage", [b"", b"short", None], ids=["empty", "truncated", "one bit"])
def test_a_damaged_file_is_computed_again_and_said(
    network: FeatureNetwork, tmp_path: Path, damage: bytes | None
) -> None:
    expected = reference_features(network, IMAGES, folder=tmp_path)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if damage is None else damage)
    said: list[str] = []
    assert np.array_equal(reference_features(network, IMAGES, folder=tmp_path, say=said.append), expected)
    assert said == [f"The cached features {path} were damaged and are computed again."]
    assert path.read_bytes() == content, "and mended"


def test_a_cache_that_cannot_be_written_costs_time_alone(network: FeatureNetwork, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("where a folder should be")
    said: list[str] = []
    features = reference_features(network, IMAGES, folder=tmp_path / "file" / "inside", say=said.append)
    assert np.array_equal(features, network(IMAGES))
    assert "are not kept for the next run" in said[-1]
