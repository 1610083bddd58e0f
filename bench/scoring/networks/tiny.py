"""`tiny`: a small random convolution network for runs without a network connection.

Random embeddings rank sets of images sensibly where they differ in colour, texture or coarse shape
(Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models", section 4). They say
nothing of meaning: distances of `tiny` are for smoke runs, never for a claim.

Three convolutions with ReLU; the features are the mean and the standard deviation over space of every
channel of every layer: 2 x (16 + 24 + 40) = 160. The weights follow from NumPy's RandomState, whose
stream is frozen by NumPy's own policy (NEP 19): the same numbers on every machine and in every version.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.scoring.networks.network import network

SEED = 20230
INPUT_SIZE = 64
CHANNELS = (3, 16, 24, 40)
KERNELS = (5, 3, 3)


@network(
    "tiny",
    summary="embedded random convolutions, for runs without a network connection, never for a claim",
    dimension=2 * sum(CHANNELS[1:]),
    resize=f"antialiased bilinear to {INPUT_SIZE} x {INPUT_SIZE}",
)
class TinyNetwork(nn.Module):
    """uint8 [b, 3, h, w] to float32 [b, 160]."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(inputs, outputs, kernel, stride=2, padding=kernel // 2)
            for inputs, outputs, kernel in zip(CHANNELS, CHANNELS[1:], KERNELS, strict=False)
        )
        for parameter, values in zip(self.parameters(), frozen_weights(), strict=True):
            parameter.data = torch.from_numpy(values)
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> Tensor:
        size = (INPUT_SIZE, INPUT_SIZE)
        x = functional.interpolate(images.float(), size, mode="bilinear", antialias=True) / 127.5 - 1
        features = []
        for layer in self.layers:
            x = functional.relu(layer(x))
            deviation, mean = torch.std_mean(x, dim=(2, 3), correction=0)
            features += [mean, deviation]
        return torch.cat(features, dim=1)


def frozen_weights() -> list[np.ndarray]:
    """Weight and bias of each layer, float32: He-normal weights, biases of standard deviation 0.1."""
    stream = np.random.RandomState(SEED)  # the legacy stream: the only one that never changes
    weights = []
    for inputs, outputs, kernel in zip(CHANNELS, CHANNELS[1:], KERNELS, strict=False):
        scale = np.sqrt(2 / (inputs * kernel**2))
        weights.append((scale * stream.standard_normal((outputs, inputs, kernel, kernel))).astype(np.float32))
        weights.append((0.1 * stream.standard_normal(outputs)).astype(np.float32))
    return weights
