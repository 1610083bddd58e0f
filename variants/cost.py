"""What a generator costs: parameters and floating-point operations of a forward pass."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from variants.contract import Generator


def parameter_count(generator: Generator) -> int:
    """How many numbers a generator trains."""
    return sum(each.numel() for each in generator.parameters() if each.requires_grad)


def forward_gflop(generator: Generator, height: int, width: int | None = None) -> float:
    """GFLOP of translating one image: twice the multiply-adds of convolutions and matrix products.

    Counted on the meta device by torch's FlopCounterMode, so nothing is computed and no memory is used; the
    generator itself is left as it is. Square where no width is given; both are multiples of 16.
    """
    state = {
        **{name: each.to("meta") for name, each in generator.named_parameters()},
        **{name: each.to("meta") for name, each in generator.named_buffers()},
    }
    image = torch.empty(1, 3, height, width or height, device="meta")
    noise = None if generator.noise_shape is None else torch.empty(1, *generator.noise_shape, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        torch.func.functional_call(generator, state, (image, noise))
    return counter.get_total_flops() / 1e9
