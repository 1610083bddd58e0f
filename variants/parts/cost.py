"""What a generator costs: parameters and floating-point operations of a forward pass."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from variants.contract import Generator, some_mask


def parameter_count(generator: Generator) -> int:
    """How many numbers a generator trains."""
    return sum(each.numel() for each in generator.parameters() if each.requires_grad)


def forward_gflop(generator: Generator, height: int, width: int | None = None) -> float:
    """GFLOP of translating one image: twice the multiply-adds of convolutions and matrix products.

    By torch's FlopCounterMode on the meta device, so nothing is computed and no memory is used; a generator
    that cannot be run there, as where it asks for its images' device, translates one grey image instead. The
    generator's weights are left as they are. Square where no width is given; both are multiples of 16.
    """
    image = torch.zeros(1, 3, height, width or height)
    shape = generator.noise_shape
    noise = None if shape is None else torch.zeros(1, *shape)
    mask = some_mask(generator, image)

    def without_data() -> None:
        inputs = tuple(each if each is None else each.to("meta") for each in (image, noise, mask))
        torch.func.functional_call(generator, weights_on(generator, "meta"), inputs)

    def with_data() -> None:
        where = next((each.device for each in generator.parameters()), image.device)
        generator(
            image.to(where),
            noise if noise is None else noise.to(where),
            mask if mask is None else mask.to(where),
        )

    try:
        return gflop_of(without_data)
    except Exception:  # anybody's generator: what runs on data need not run without
        return gflop_of(with_data)


def gflop_of(work: Callable[[], object]) -> float:
    """GFLOP of some work that needs no gradients."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        work()
    return counter.get_total_flops() / 1e9


def weights_on(generator: Generator, device: str) -> dict[str, Tensor]:
    """Parameters and buffers of a generator on another device; without gradients, as nothing is learned."""
    both = itertools.chain(generator.named_parameters(), generator.named_buffers())
    return {name: each.detach().to(device) for name, each in both}
