"""Scoring 120 translations against 140 real images of 256 px, ours against torch-fidelity, on one thread.

    python -m pytest tests/benchmarks/test_scoring.py -s

Both compute FID, subset KID, precision and recall with the same (random) Inception weights, in fp32, and the
values must be equal. Ours has the images in memory, as after translating, and the reference features cached;
torch-fidelity reads PNG files, with its reference cached or not. Seconds of a shared machine say little: the
two take turns, and the ratio of their best times counts.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch_fidelity
from PIL import Image
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from bench.runs.records import Score
from bench.scoring.features import reference_features
from bench.scoring.frechet import frechet_distance
from bench.scoring.networks import FeatureNetwork, load_network
from bench.scoring.references import ReferenceFeatures
from bench.scoring.summarise import FeatureSets, set_scores

GENERATED, REAL, SIZE, SUBSET = 120, 140, 256, 50
TURNS = 2


class WithoutWeights(FeatureExtractorInceptionV3):
    """Torch-fidelity's network at random weights."""

    def load_state_dict(self, *arguments: object, **options: object) -> None:
        pass


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    torch.save({}, folder / "empty.pth")
    torch.manual_seed(0)
    network = WithoutWeights(
        "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(folder / "empty.pth")
    )
    torch.save(network.state_dict(), folder / "random-inception.pth")
    return folder / "random-inception.pth"


def pictures(seed: int, count: int) -> np.ndarray:
    """Coarse blobs under fine noise, so that PNG files compress about as photographs do."""
    stream = np.random.default_rng(seed)
    coarse = stream.integers(0, 200 + 20 * seed, (count, 16, 16, 3)).repeat(16, axis=1).repeat(16, axis=2)
    return np.clip(coarse + stream.normal(0, 4, coarse.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, np.ndarray]:
    return pictures(0, GENERATED), pictures(1, REAL)


@pytest.fixture(scope="module")
def folders(images, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    paths = tmp_path_factory.mktemp("generated"), tmp_path_factory.mktemp("real")
    for folder, pixels in zip(paths, images, strict=True):
        for place, image in enumerate(pixels):
            Image.fromarray(image).save(folder / f"{place:03}.png")
    return paths


def seconds(work: Callable[[], object]) -> tuple[float, object]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def ours(network: FeatureNetwork, images: tuple[np.ndarray, np.ndarray], cache: Path) -> dict[str, Score]:
    """All distances of images in memory; the reference from the cache where it is there."""
    reference = ReferenceFeatures(reference_features(network, images[1], folder=cache), None, None)
    sets = FeatureSets(network(images[0]), reference.real, SUBSET, reference.ceiling)
    return set_scores(sets, "inception", reference.floor, all_metrics=False)


def theirs(weights: Path, folders: tuple[Path, Path], cache: Path | None) -> dict[str, float]:
    """The same of PNG files through torch-fidelity; the second folder's features cached by name, or not."""
    return torch_fidelity.calculate_metrics(
        input1=str(folders[0]),
        input2=str(folders[1]),
        input2_cache_name="real" if cache else None,
        cache=cache is not None,
        cache_root=str(cache) if cache else None,
        feature_extractor="inception-v3-compat",
        feature_extractor_weights_path=str(weights),
        fid=True,
        kid=True,
        prc=True,
        kid_subset_size=SUBSET,
        samples_shuffle=False,
        cuda=False,
        verbose=False,
    )


def test_scoring_is_quicker_than_torch_fidelity_at_equal_values(
    benchmark, weights: Path, images, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    network = load_network("inception", weights)
    our_cache, their_cache = tmp_path / "ours", tmp_path / "theirs"
    our_scores = ours(network, images, our_cache)
    first_time = theirs(weights, folders, their_cache)
    times: dict[str, list[float]] = {"ours": [], "theirs cached": [], "theirs uncached": []}

    def one_turn() -> None:
        times["ours"].append(seconds(lambda: ours(network, images, our_cache))[0])
        times["theirs cached"].append(seconds(lambda: theirs(weights, folders, their_cache))[0])
        times["theirs uncached"].append(seconds(lambda: theirs(weights, folders, None))[0])

    benchmark.pedantic(one_turn, rounds=TURNS)
    best = {who: min(found) for who, found in times.items()}
    cached, uncached = best["theirs cached"] / best["ours"], best["theirs uncached"] / best["ours"]
    benchmark.extra_info.update(best, ratio_cached=cached, ratio_uncached=uncached)
    print(f"\n{best}\nreference cached: {cached:.2f} times as quick; uncached: {uncached:.2f} times")
    assert our_scores["fid"].value == pytest.approx(first_time["frechet_inception_distance"], rel=1e-4)
    kid = first_time["kernel_inception_distance_mean"]
    assert our_scores["kid_subsets"].value == pytest.approx(kid, abs=1e-5)
    assert our_scores["precision"].value == pytest.approx(first_time["precision"], abs=1e-6)
    assert cached >= 1.5
    assert uncached >= 3


def test_the_arithmetic_after_the_features_is_a_hundred_times_quicker(benchmark) -> None:
    stream = np.random.default_rng(0)
    x, y = stream.random((GENERATED, 2048), np.float32), stream.random((REAL, 2048), np.float32)

    def eigenvalue_route() -> float:
        statistics = [fid_features_to_statistics(torch.from_numpy(features)) for features in (x, y)]
        return fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]

    slow, expected = min(seconds(eigenvalue_route) for _ in range(TURNS))
    benchmark(frechet_distance, x, y)
    quick = min(seconds(lambda: frechet_distance(x, y))[0] for _ in range(20))
    benchmark.extra_info.update(eigenvalue_seconds=slow, ratio=slow / quick)
    print(f"\nFrechet distance: {1000 * quick:.1f} ms against {1000 * slow:.0f} ms: {slow / quick:.0f} times")
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-4)
    assert slow / quick >= 100
