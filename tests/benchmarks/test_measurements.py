"""All per-image measurements of 120 images of 256 px against the Inception pass over them, on one thread.

    python -m pytest tests/benchmarks/test_measurements.py

Seconds of a shared machine say little: the two are timed in turns, and their ratio is what counts.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from bench.scoring.measure import Batch, measure_images
from bench.scoring.metrics.attention import with_other_masks, without_space
from bench.scoring.metrics.masks import InputDependence
from bench.scoring.networks import load_network
from bench.scoring.networks.network import FeatureNetwork
from bench.scoring.translate import PIXELS_AT_ONCE

IMAGES, SIZE, MASKS = 120, 256, 10
BATCH = max(1, PIXELS_AT_ONCE // SIZE**2)
"""As many images as scoring measures at once."""
TURNS = 3


class WithoutWeights(FeatureExtractorInceptionV3):
    """Torch-fidelity's network at random weights."""

    def load_state_dict(self, *arguments: object, **options: object) -> None:
        pass


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> FeatureNetwork:
    """The network of FID with random weights."""
    folder = tmp_path_factory.mktemp("weights")
    torch.save({}, folder / "empty.pth")
    torch.manual_seed(0)
    network = WithoutWeights(
        "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(folder / "empty.pth")
    )
    path = Path(folder / "random-inception.pth")
    torch.save(network.state_dict(), path)
    return load_network("inception", path, "cpu")


@pytest.fixture(scope="module")
def batch() -> tuple[Tensor, Tensor, Tensor, Tensor, np.ndarray]:
    """Smooth sources with noisy outputs, ten masks, contents and ground truth of one batch."""
    stream = torch.Generator().manual_seed(0)
    small = torch.rand(BATCH, 3, 16, 16, generator=stream)
    source = 255 * torch.nn.functional.interpolate(small, size=SIZE, mode="bicubic").clamp(0, 1)
    output = (source + 10 * torch.randn(source.shape, generator=stream)).clamp(0, 255)
    masks = torch.randn(BATCH, MASKS, SIZE, SIZE, generator=stream).softmax(dim=1)
    contents = torch.rand(BATCH, MASKS, 3, SIZE, SIZE, generator=stream)
    objects = (source[:, 0] / 64).floor().byte().numpy()
    return source, output, masks, contents, objects


def measure_everything(
    source: Tensor, output: Tensor, masks: Tensor, contents: Tensor, objects: np.ndarray
) -> None:
    """What scoring does with one batch beside generator and feature network."""
    original, translated = source / 127.5 - 1, output / 127.5 - 1
    measure_images(
        Batch(
            output=output,
            source=source,
            period=16,
            translated=translated,
            original=original,
            masks=masks,
            contents=contents,
            background=MASKS - 1,
            without_space=without_space(contents, masks),
            other_masks=with_other_masks(contents, masks.roll(1, dims=0)),
            counterfactual=source,
            foreground=objects > 0,
            objects=objects,
        )
    )
    InputDependence().add(masks)


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def test_all_measurements_cost_less_than_the_inception_pass(benchmark, inception, batch) -> None:
    torch.set_num_threads(1)
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, SIZE, SIZE, 3), dtype=np.uint8)
    batches = IMAGES // BATCH
    measuring, passing = [], []

    def one_turn() -> None:
        measuring.append(sum(seconds(lambda: measure_everything(*batch)) for _ in range(batches)))
        passing.append(seconds(lambda: inception(images)))

    measure_everything(*batch)
    inception(images[:BATCH])
    benchmark.pedantic(one_turn, rounds=TURNS)
    ratio = min(measuring) / min(passing)
    benchmark.extra_info.update(
        measurements_seconds=min(measuring), inception_seconds=min(passing), ratio=ratio
    )
    print(
        f"\n{IMAGES} images: measurements {min(measuring):.1f} s, Inception {min(passing):.1f} s: {ratio:.2f}"
    )
    assert ratio < 1
