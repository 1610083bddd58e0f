"""Layers that several variants share."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAKY_SLOPE = 0.01


def instance_norm(features: Tensor) -> Tensor:
    """Instance normalisation of [b, c, h, w] (Ulyanov et al. 2016): no affine part, no running statistics.

    Written as group normalisation with one group a channel: the same values, quicker on CPUs, and with the
    right gradient in every memory layout. torch 2.13 and 2.15 compute the backward of `InstanceNorm2d` on
    CPU wrongly, without a message, at batch 1 when the incoming gradient is channels_last.
    """
    return F.group_norm(features, features.shape[1])


def norm_relu(features: Tensor) -> Tensor:
    """Instance normalisation, then ReLU in place: normalising does not need its own result to go back."""
    return F.relu_(instance_norm(features))


def mask_softmax(logits: Tensor) -> Tensor:
    """Softmax over the masks of [b, k, h, w], in float32 at the least."""
    return torch.softmax(logits, dim=1, dtype=torch.promote_types(logits.dtype, torch.float32))


def without_autocast(device: torch.device) -> AbstractContextManager[Any]:
    """Within, everything is computed in the precision of its operands; the meta device knows no autocast."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def leaky(features: Tensor) -> Tensor:
    """Leaky ReLU in place on the result of a convolution, which does not need it to go back."""
    return F.leaky_relu_(features, LEAKY_SLOPE)


def doubling(inputs: int, outputs: int, kernel: int = 3, bias: bool = True) -> nn.ConvTranspose2d:
    """The transposed convolution that doubles height and width exactly."""
    return nn.ConvTranspose2d(
        inputs, outputs, kernel, stride=2, padding=kernel // 2, output_padding=1, bias=bias
    )
