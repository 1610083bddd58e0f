"""Drawing initial weights, each from a random generator of its own name.

Because every parameter is drawn by its name, equal parts of two variants start bit-equal, whatever else the
two contain. Schemes, by `Generator.initialisation`:

- `resnet`: weights of convolutions and linear layers N(0, 0.02), their biases 0, batch normalisation
  N(1, 0.02) and 0 (CycleGAN, AttentionGAN and the paper's main model).
- `light`: weights of convolutions, but not of transposed ones, N(0, 0.02), the rest torch's default (the
  unofficial AttentionGAN).
- `torch`: torch's default.

Parameters named `head.*` follow `Generator.head_initialisation`: `published` (as above), `default` (torch's
default) or `kaiming` (He et al. 2015, normal, by the inputs of one output value, biases 0). Recurrent cells
and normalisation are torch's default everywhere.
"""

from collections.abc import Callable, Iterator
from typing import cast

import torch
from torch import Tensor, nn

from variants.contract import Generator
from variants.parts.layers import LEAKY_SLOPE

Draw = Callable[[str], torch.Generator]

WEIGHTED = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
NORMALISING = (nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d)


@torch.no_grad()
def initialise(generator: Generator, draw: Draw) -> None:
    """Draw every parameter in place; `draw(name)` gives the random generator of one parameter's name.

    A module with tensors of its own that is no common torch layer defines
    `draw_weights(draw: Callable[[str], torch.Generator])`, names relative to itself. Raises ValueError where
    there is none.
    """
    for prefix, module in generator.named_modules():
        if not any(True for _ in own_tensors(module)):
            continue

        def named(name: str, prefix: str = prefix) -> torch.Generator:
            return draw(f"{prefix}.{name}" if prefix else name)

        if hasattr(module, "draw_weights"):
            module.draw_weights(named)
        elif isinstance(module, WEIGHTED):
            draw_weighted(module, scheme_of(generator, prefix), named)
        elif isinstance(module, NORMALISING):
            draw_normalising(module, generator.initialisation, named)
        elif isinstance(module, nn.RNNCellBase):
            bound = module.hidden_size**-0.5
            for name, tensor in module.named_parameters():
                tensor.uniform_(-bound, bound, generator=named(name))
        elif any(True for _ in module.parameters(recurse=False)):
            raise ValueError(
                f"{prefix or 'the generator'} is a {type(module).__name__} with weights of its own: "
                "define draw_weights(draw) on it, which draws each from draw(name)."
            )


def own_tensors(module: nn.Module) -> Iterator[Tensor]:
    """Parameters and buffers of this very module."""
    yield from module.parameters(recurse=False)
    yield from module.buffers(recurse=False)


def scheme_of(generator: Generator, prefix: str) -> str:
    """The scheme of a module's weights."""
    head = generator.head_initialisation
    if head != "published" and prefix.startswith("head."):
        return {"default": "torch", "kaiming": "kaiming"}[head]
    return generator.initialisation


def draw_weighted(module: nn.Module, scheme: str, draw: Draw) -> None:
    """Draw the weight and the bias of a convolution, transposed convolution or linear layer."""
    weight = cast(Tensor, module.weight)
    bias = cast(Tensor | None, module.bias)
    if scheme == "light":
        scheme = "resnet" if isinstance(module, nn.Conv2d) else "torch"
        if bias is not None:
            draw_default_bias(weight, bias, draw)
    elif bias is not None:
        draw_default_bias(weight, bias, draw) if scheme == "torch" else bias.zero_()
    if scheme == "resnet":
        weight.normal_(0, 0.02, generator=draw("weight"))
    elif scheme == "kaiming":
        weight.normal_(0, kaiming_deviation(module), generator=draw("weight"))
    else:
        nn.init.kaiming_uniform_(weight, a=5**0.5, generator=draw("weight"))


def draw_default_bias(weight: Tensor, bias: Tensor, draw: Draw) -> None:
    """torch's default: uniform within one over the root of the weight's second axis and its kernel."""
    bound = weight[0].numel() ** -0.5
    bias.uniform_(-bound, bound, generator=draw("bias"))


def kaiming_deviation(module: nn.Module) -> float:
    """The deviation that keeps the variance of leaky-ReLU features: gain over the root of the inputs.

    A transposed convolution of stride s sees only 1 / s^2 of its kernel at every output value.
    """
    weight = cast(Tensor, module.weight)
    inputs = float(weight[0].numel())
    if isinstance(module, nn.ConvTranspose2d):
        inputs = weight.shape[0] * weight[0, 0].numel() / (module.stride[0] * module.stride[1])
    return nn.init.calculate_gain("leaky_relu", LEAKY_SLOPE) * inputs**-0.5


def draw_normalising(module: nn.Module, scheme: str, draw: Draw) -> None:
    """Reset a normalisation layer: 1 and 0, but N(1, 0.02) for batch normalisation of a ResNet system."""
    cast(nn.BatchNorm2d, module).reset_parameters()
    if scheme == "resnet" and isinstance(module, nn.BatchNorm2d) and module.affine:
        module.weight.normal_(1, 0.02, generator=draw("weight"))
