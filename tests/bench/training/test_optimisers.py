"""Adam: the fused kernel computes the published update."""

import pytest
import torch

from bench.protocol import TrainSettings
from bench.training.objective import adam, set_learning_rate

SETTINGS = TrainSettings(images_seen=1, learning_rate=1e-3, betas=(0.5, 0.999))


def by_hand(weights: torch.Tensor, gradients: list[torch.Tensor], rates: list[float]) -> torch.Tensor:
    """Kingma and Ba 2015, algorithm 1."""
    mean, variance = torch.zeros_like(weights), torch.zeros_like(weights)
    for step, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), 1):
        mean = 0.5 * mean + 0.5 * gradient
        variance = 0.999 * variance + 0.001 * gradient**2
        corrected = mean / (1 - 0.5**step), variance / (1 - 0.999**step)
        weights = weights - rate * corrected[0] / (corrected[1].sqrt() + 1e-8)
    return weights


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_updates_are_those_of_the_algorithm_under_a_changing_rate(dtype, tolerance):
    chance = torch.Generator().manual_seed(0)
    start = torch.randn(200, generator=chance, dtype=dtype)
    gradients = [torch.randn(200, generator=chance, dtype=dtype) for _ in range(6)]
    rates = [1e-3, 1e-3, 8e-4, 6e-4, 4e-4, 2e-4]
    weights = torch.nn.Parameter(start.clone())
    optimiser = adam([weights], SETTINGS)
    for gradient, rate in zip(gradients, rates, strict=True):
        set_learning_rate(optimiser, rate)
        weights.grad = gradient.clone()
        optimiser.step()
    torch.testing.assert_close(weights.detach(), by_hand(start, gradients, rates), rtol=0, atol=tolerance)


def test_frozen_parameters_are_left_out():
    trained, frozen = (
        torch.nn.Parameter(torch.ones(1)),
        torch.nn.Parameter(torch.ones(1), requires_grad=False),
    )
    (group,) = adam([trained, frozen], SETTINGS).param_groups
    assert len(group["params"]) == 1
