"""Set scores: keys, floors and ceilings, reasons where a distance is undefined, the card."""

import numpy as np
import pytest

from bench.data.dataset import Dataset, Domain, Split
from bench.errors import BenchError
from bench.runs.metrics import described
from bench.runs.records import Score
from bench.scoring.frechet import frechet_distance
from bench.scoring.kernel import kernel_distance
from bench.scoring.networks import load_network
from bench.scoring.references import dataset_reference, floor_images
from bench.scoring.summarise import FeatureSets, metric_card, set_scores


def draws(seed: int, n: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, 6)) + shift


def photographs(seed: int, n: int, size: int, brightness: int) -> Split:
    noise = np.random.default_rng(seed).integers(0, 100, (n, size, size, 3))
    return Split((noise + brightness).astype(np.uint8), tuple(f"{i:03}.png" for i in range(n)))


@pytest.fixture
def dataset() -> Dataset:
    """A is dark, B is bright; training images are larger than test images."""
    domains = [
        Domain(
            train=photographs(10 * side, 30, 36, bright),
            validation=photographs(10 * side + 1, 0, 32, bright),
            test=photographs(10 * side + 2, 12 + side, 32, bright),
        )
        for side, bright in enumerate((20, 140))
    ]
    return Dataset("two greys", *domains, "0" * 64, {})


def test_every_distance_is_scored_under_its_key_with_floor_and_ceiling() -> None:
    generated, real, floor, ceiling = draws(0, 20, 0.5), draws(1, 25), draws(2, 20), draws(3, 20, 2)
    scores = set_scores(FeatureSets(generated, real, 10, ceiling), "inception", floor, all_metrics=False)
    assert list(scores) == ["fid", "kid", "kid_subsets", "precision", "recall", "density", "coverage"]
    assert scores["fid"].value == frechet_distance(generated, real)
    assert scores["kid"].floor == kernel_distance(floor, real)
    assert scores["kid"].ceiling == kernel_distance(ceiling, real)
    assert scores["kid_subsets"].spread is not None
    for key, score in scores.items():
        entry = described(key)
        assert entry is not None
        ordered = (score.floor, score.value, score.ceiling)
        assert None not in ordered
        if key in ("fid", "kid"):
            assert ordered == tuple(sorted(ordered)), "here the translations lie between floor and ceiling"


def test_keys_name_the_network() -> None:
    scores = set_scores(FeatureSets(draws(0, 20), draws(1, 25), 10), "tiny", None)
    assert set(scores) >= {"fd(tiny)", "kd(tiny)", "coverage(tiny)"}
    assert scores["fd(tiny)"].floor is None
    assert scores["fd(tiny)"].ceiling is None


def test_what_needs_more_images_says_so_instead_of_a_value() -> None:
    scores = set_scores(FeatureSets(draws(0, 4), draws(1, 4), 50), "tiny", None)
    assert scores["fd(tiny)"].value is not None
    subsets, density = scores["kd_subsets(tiny)"], scores["density(tiny)"]
    assert subsets.value is None
    assert subsets.reason is not None
    assert "--set score.kid_subset_size=4" in subsets.reason
    assert density == Score(value=None, reason=density.reason)
    assert density.reason is not None
    assert "needs at least 6" in density.reason


def test_features_that_are_not_finite_are_an_error_not_a_missing_value() -> None:
    with pytest.raises(BenchError, match="20 of 20 generated feature vectors hold NaN"):
        set_scores(FeatureSets(draws(0, 20) * np.nan, draws(1, 9), 5), "tiny", None)


def test_floor_images_are_evenly_spaced_and_of_the_test_images_size() -> None:
    train = photographs(0, 30, 32, 0).images
    assert np.array_equal(floor_images(train, 10, 32), train[::3])
    assert floor_images(train, 10, 16).shape == (10, 16, 16, 3)
    assert len(floor_images(train, 99, 32)) == 30, "no more than there are"


@pytest.mark.parametrize(("direction", "generated", "real"), [("A2B", 12, 13), ("B2A", 13, 12)])
def test_floor_and_ceiling_of_a_data_set(dataset: Dataset, tmp_path, direction, generated, real) -> None:  # type: ignore[no-untyped-def]
    reference = dataset_reference(load_network("tiny"), dataset, direction, cache=tmp_path)
    assert reference.floor is not None
    assert reference.ceiling is not None
    assert [len(part) for part in (reference.real, reference.floor, reference.ceiling)] == [
        real,
        generated,
        generated,
    ]
    floor = kernel_distance(reference.floor, reference.real)
    assert floor < kernel_distance(reference.ceiling, reference.real) / 10
    assert len(list(tmp_path.iterdir())) == 3, "all of it is kept for the next run"


def test_the_card_says_how_the_distances_were_made() -> None:
    network = load_network("tiny")
    card = metric_card(network, 50, {"images_real_A2B": 7})
    assert card["feature_network"] == "tiny"
    assert card["weights_sha256"] == network.weights_hash
    assert card["images_real_A2B"] == 7
    assert card["version_torch"]
    assert all(isinstance(value, str | int) for value in card.values())
