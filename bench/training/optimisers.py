"""Adam as published: betas (0.5, 0.999), epsilon 1e-8, no weight decay."""

from collections.abc import Iterable

import torch
from torch import nn

from bench.protocol import TrainSettings


def adam(parameters: Iterable[nn.Parameter], settings: TrainSettings) -> torch.optim.Adam:
    """Adam over the trainable ones of `parameters`, as one fused kernel.

    The fused kernel computes the same update 2 to 3 times faster than the loop over parameters.
    """
    trainable = [parameter for parameter in parameters if parameter.requires_grad]
    return torch.optim.Adam(trainable, lr=settings.learning_rate, betas=settings.betas, fused=True)


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of the next step."""
    for group in optimiser.param_groups:
        group["lr"] = rate
