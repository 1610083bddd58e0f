"""Ours against torch-fidelity and torchmetrics: the same images, the same (random) Inception weights.

Prints the parity table: pytest -s tests/bench/scoring/test_parity.py
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
import torch_fidelity
from torch.utils.data import Dataset
from torch_fidelity.utils import create_feature_extractor
from torchmetrics.image import FrechetInceptionDistance, KernelInceptionDistance
from torchmetrics.image.fid import NoTrainInceptionV3

from bench.scoring.frechet import frechet_distance
from bench.scoring.kernel import kernel_distance_subsets
from bench.scoring.neighbours import precision_recall
from bench.scoring.networks import load_network

GENERATED, REAL, SIZE, SUBSET = 8, 10, 48, 6


class Pictures(Dataset):
    """What torch-fidelity takes: uint8 tensors [3, h, w]."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.images[index]


class Parity(NamedTuple):
    """One line of the table; `bound` is on the relative difference, `absolute` on the plain one."""

    what: str
    ours: float
    theirs: float
    relative: float | None = None
    absolute: float | None = None


def pictures(seed: int, n: int) -> np.ndarray:
    """Smooth blobs over noise, uint8 [n, h, w, 3]."""
    stream = np.random.default_rng(seed)
    coarse = stream.integers(0, 256, (n, SIZE // 8, SIZE // 8, 3)).repeat(8, axis=1).repeat(8, axis=2)
    return np.clip(coarse + stream.normal(0, 20, coarse.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, np.ndarray]:
    return pictures(0, GENERATED), pictures(1, REAL) // 8 * 7 + 12


@pytest.fixture(scope="module")
def ours(images, inception_weights: Path):  # type: ignore[no-untyped-def]
    network = load_network("inception", inception_weights)
    return network(images[0]), network(images[1])


@pytest.fixture(scope="module")
def their_metrics(images, inception_weights: Path) -> dict[str, float]:  # type: ignore[no-untyped-def]
    return torch_fidelity.calculate_metrics(
        input1=Pictures(images[0]),
        input2=Pictures(images[1]),
        feature_extractor_weights_path=str(inception_weights),
        feature_extractor="inception-v3-compat",
        fid=True,
        kid=True,
        prc=True,
        kid_subset_size=SUBSET,
        cuda=False,
        cache=False,
        save_cpu_ram=True,
        verbose=False,
    )


class Once(torch.nn.Module):
    """torchmetrics' Inception, run once on equal images: two of its metrics are fed the same ones."""

    num_features = 2048

    def __init__(self, weights: Path) -> None:
        super().__init__()
        self.network = NoTrainInceptionV3("inception-v3-compat", ["2048"], str(weights), antialias=False)
        self.known: dict[bytes, torch.Tensor] = {}

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        key = images.numpy().tobytes()
        if key not in self.known:
            self.known[key] = self.network(images)
        return self.known[key]


def torchmetrics_scores(images, weights: Path) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """FID, and KID over one subset, which is all images of two sets of equal size."""
    network = Once(weights)
    fid = FrechetInceptionDistance(network)
    kid = KernelInceptionDistance(network, subsets=1, subset_size=GENERATED)
    with torch.no_grad():
        for real, pixels in ((False, images[0]), (True, images[1][:GENERATED])):
            tensor = torch.from_numpy(pixels).permute(0, 3, 1, 2)
            fid.update(tensor, real=real)
            kid.update(tensor, real=real)
    return float(fid.compute()), float(kid.compute()[0])


def test_features_are_those_of_torch_fidelity(images, ours, inception_weights: Path) -> None:  # type: ignore[no-untyped-def]
    extractor = create_feature_extractor(
        "inception-v3-compat",
        ["2048"],
        cuda=False,
        verbose=False,
        feature_extractor_weights_path=str(inception_weights),
    )
    with torch.no_grad():
        theirs = extractor(torch.from_numpy(images[0][:4]).permute(0, 3, 1, 2))[0].numpy()
    scale = np.abs(theirs).mean()
    print(f"\nfeatures: mean {scale:.3f}, largest difference {np.abs(ours[0][:4] - theirs).max():.2e}")
    assert 0.05 < scale < 20, "the random weights neither vanish nor explode"
    assert np.abs(ours[0][:4] - theirs).max() < 1e-5 * max(1, scale)


def test_distances_are_those_of_torch_fidelity_and_torchmetrics(
    images, ours, their_metrics, inception_weights: Path
) -> None:  # type: ignore[no-untyped-def]
    fid_torchmetrics, kid_torchmetrics = torchmetrics_scores(images, inception_weights)
    mean, deviation = kernel_distance_subsets(*ours, SUBSET)
    precision, recall = precision_recall(*ours)
    equal = ours[0], ours[1][:GENERATED]
    table = [
        Parity(
            "FID, torch-fidelity", frechet_distance(*ours), their_metrics["frechet_inception_distance"], 1e-4
        ),
        Parity("KID subsets mean", mean, their_metrics["kernel_inception_distance_mean"], absolute=1e-6),
        Parity(
            "KID subsets std",
            deviation,
            their_metrics["kernel_inception_distance_std"],
            absolute=1e-6,
        ),
        Parity("precision", precision, their_metrics["precision"], absolute=1e-7),
        Parity("recall", recall, their_metrics["recall"], absolute=1e-7),
        Parity("FID, torchmetrics", frechet_distance(*equal), fid_torchmetrics, 1e-4),
        Parity(
            "KID, torchmetrics",
            kernel_distance_subsets(*equal, GENERATED, subsets=1).mean,
            kid_torchmetrics,
            absolute=1e-6,
        ),
    ]
    print(f"\n{'':22}{'ours':>16}{'theirs':>16}{'difference':>13}{'relative':>11}")
    for line in table:
        difference = abs(line.ours - line.theirs)
        print(
            f"{line.what:22}{line.ours:16.8g}{line.theirs:16.8g}{difference:13.2e}"
            f"{difference / max(abs(line.theirs), 1e-12):11.1e}"
        )
    for line in table:
        assert line.ours == pytest.approx(line.theirs, rel=line.relative or 0, abs=line.absolute or 0), (
            line.what
        )
