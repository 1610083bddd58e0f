"""Gradients held against a float64 reference: they must be right in every memory layout, at batch 1.

torch 2.13 and 2.15 on CPU compute the backward of instance normalisation wrongly, errors of order 1 and no
message, when at batch 1 the incoming gradient is laid out channels_last. A trunk whose features become tokens
by a transpose receives such gradients even where nobody asked for that layout.
"""

import copy
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from variants.contract import Generator, some_mask

ALLOWED = 1e-2
"""Allowed error relative to the largest gradient of the same layer; the trap's errors are of order 1.
Not of the same parameter: a bias that normalisation cancels has no gradient but rounding noise."""
NOISE = 1e-6
"""Allowed error relative to the largest gradient of all: rounding where a whole layer has hardly any."""


class ExactInstanceNorm(TorchFunctionMode):
    """While active, instance normalisation is computed by its formula, whose backward is right."""

    def __torch_function__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if function is F.instance_norm and (kwargs or {}).get("use_input_stats", True):
            return exact_instance_norm(*args, **(kwargs or {}))
        return function(*args, **(kwargs or {}))


def exact_instance_norm(
    features: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """`torch.nn.functional.instance_norm` of [b, c, h, w] by its formula, running statistics left alone."""
    variance, mean = torch.var_mean(features, dim=(2, 3), correction=0, keepdim=True)
    normalised = (features - mean) / torch.sqrt(variance + eps)
    if weight is not None:
        normalised = normalised * weight[:, None, None]
    return normalised if bias is None else normalised + bias[:, None, None]


def gradients(generator: Generator, image: Tensor, noise: Tensor | None) -> dict[str, Tensor]:
    """The gradients, in float64, of a smooth loss that touches image, contents and masks."""
    generator.zero_grad(set_to_none=True)
    translation = generator(image, noise, some_mask(generator, image))
    loss = (translation.image - 0.3).square().mean() + translation.contents.square().mean()
    if translation.masks is not None:
        loss = loss + translation.masks.square().mean()
    loss.backward()
    return {
        name: torch.zeros_like(each, dtype=torch.float64) if each.grad is None else each.grad.double()
        for name, each in generator.named_parameters()
    }


def layer_of(name: str) -> str:
    """The module that a parameter belongs to."""
    return name.rpartition(".")[0]


def wrong_gradients(generator: Generator, image: Tensor, noise: Tensor | None) -> list[str]:
    """The parameters whose float32 gradient is wrong in some layout, with the layout and the error.

    `image` [1, 3, h, w] and `noise` are float32; the generator is left as it is.
    """
    exact = copy.deepcopy(generator).double()
    with ExactInstanceNorm():
        reference = gradients(exact, image.double(), None if noise is None else noise.double())
    largest: dict[str, float] = defaultdict(float)
    for name, right in reference.items():
        largest[layer_of(name)] = max(largest[layer_of(name)], float(right.abs().max()))
    noise_floor = NOISE * max(largest.values(), default=0.0)
    found = []
    for layout in (torch.contiguous_format, torch.channels_last):
        ours = copy.deepcopy(generator).to(memory_format=layout)
        measured = gradients(ours, image.contiguous(memory_format=layout), noise)
        for name, right in reference.items():
            error = float((measured[name] - right).abs().max())
            if not error <= ALLOWED * largest[layer_of(name)] + noise_floor:
                found.append(f"{name} in {str(layout).removeprefix('torch.')} (off by {error:.2g})")
    return found
