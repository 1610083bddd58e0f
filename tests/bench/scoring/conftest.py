"""Weights that exist nowhere else: random ones, saved to files as their authors' are."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from bench.scoring.networks.efficientnet import EfficientNetLite0


def randomise(module: nn.Module, seed: int) -> dict[str, torch.Tensor]:
    """A state dict of `module` whose activations neither vanish nor explode, running statistics included."""
    stream = np.random.default_rng(seed)
    state = {}
    for name, value in module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            state[name] = value
            continue
        numbers = torch.from_numpy(stream.standard_normal(value.shape).astype(np.float32))
        if name.endswith("running_var"):
            state[name] = 0.5 + numbers.abs()
        elif value.ndim > 1:
            state[name] = numbers * (2 / value[0].numel()) ** 0.5
        else:
            centre = 1.0 if name.endswith("bn.weight") else 0.0
            state[name] = centre + 0.1 * numbers
    return state


@pytest.fixture(scope="session")
def inception_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of torch-fidelity's Inception, under a name that holds no hash."""
    path = tmp_path_factory.mktemp("weights") / "random-inception.pth"
    empty = io.BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    blank = WithoutWeights("inception-v3-compat", ["2048"], feature_extractor_weights_path=empty)
    torch.save(randomise(blank, 1), path)
    return path


class WithoutWeights(FeatureExtractorInceptionV3):
    """The network as it is before its weights are loaded, for the names and shapes of its parameters."""

    def load_state_dict(self, *arguments, **options) -> None:
        pass


@pytest.fixture(scope="session")
def squeezenet_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of SqueezeNet 1.1, under a name that holds no hash."""
    path = tmp_path_factory.mktemp("weights") / "random-squeezenet.pth"
    torch.save(randomise(torchvision.models.squeezenet1_1(), 0), path)
    return path


@pytest.fixture(scope="session")
def efficientnet_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of EfficientNet-Lite0, under a name that holds no hash."""
    path = tmp_path_factory.mktemp("weights") / "random-lite0.pth"
    torch.save(randomise(EfficientNetLite0(), 2), path)
    return path
