"""Large convolutions in float64 as products of Fourier transforms: equal to rounding, in a third of the time.

For float64 torch has one algorithm, which unfolds every window into memory; the golden trace with slots spent
four fifths of its time there.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

TILE = 20
"""Side of the tiles that are transformed: those of a 5x5 kernel share an image of 128 evenly."""
SMALLEST_KERNEL = 5
MOST_DIRECT = 1e9
"""Products of weights and places above which it is worth it."""


class FourierConvolutions(TorchFunctionMode):
    """Within, large square convolutions of stride 1 in float64 are done by `convolved`."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ):
        called = conv2d if function is F.conv2d else function
        return called(*args, **(kwargs or {}))


def conv2d(image: Tensor, weight: Tensor, bias: Tensor | None = None, *more: Any, **named: Any) -> Tensor:
    """`F.conv2d`; `more` is what a layer gives it, a stride among it."""
    large = weight.shape[-1] >= SMALLEST_KERNEL and weight.numel() * image[:, 0].numel() > MOST_DIRECT
    if image.dtype == torch.float64 and large and not more and set(named) == {"padding"}:
        return convolved(image, weight, bias, named["padding"])
    return F.conv2d(image, weight, bias, *more, **named)


def convolved(image: Tensor, weight: Tensor, bias: Tensor | None, padding: int) -> Tensor:
    """`F.conv2d` of stride 1, tile by tile: a tile's product is right wherever no window leaves the tile."""
    (batch, channels, height, width), (made, _, side, _) = image.shape, weight.shape
    step = TILE - side + 1
    high, wide = height + 2 * padding - side + 1, width + 2 * padding - side + 1
    rows, columns = -(-high // step), -(-wide // step)
    beyond = (padding, padding + columns * step - wide, padding, padding + rows * step - high)
    tiles = F.pad(image, beyond).unfold(2, TILE, step).unfold(3, TILE, step)
    frequencies = TILE * (TILE // 2 + 1)
    waves = torch.fft.rfft2(tiles).permute(4, 5, 1, 0, 2, 3).reshape(frequencies, channels, -1)
    kernel = torch.fft.rfft2(weight.flip(2, 3), s=(TILE, TILE))
    product = torch.bmm(kernel.permute(2, 3, 0, 1).reshape(frequencies, made, channels), waves)
    product = product.view(TILE, TILE // 2 + 1, made, batch, rows, columns).permute(3, 2, 4, 5, 0, 1)
    found = torch.fft.irfft2(product, s=(TILE, TILE))[..., side - 1 :, side - 1 :].transpose(3, 4)
    found = found.reshape(batch, made, rows * step, columns * step)[:, :, :high, :wide]
    return found if bias is None else found + bias[:, None, None]
