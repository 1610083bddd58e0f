"""Named random streams: every draw is a pure function of the seed, the stream's name and a counter.

A stream has no state, so nothing has to be saved to resume a run, and a variant that draws more numbers
from one stream (slot noise, say) shifts nothing in another (data order, augmentation, pool).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import Tensor

STREAMS = (
    "initial-weights",
    "data-order",
    "augmentation",
    "image-pool",
    "slot-noise",
    "gradient-penalty",
    "patches",
    "diffaugment",
    "other-mask",
    "scoring",
)


@dataclass(frozen=True)
class Streams:
    """The random streams of one run.

    `streams.numpy("augmentation", step)` and `streams.torch("slot-noise", step, "fake_B")` give a fresh
    generator; the same arguments always give the same numbers. Torch generators live on the CPU, so that a
    run draws the same numbers on every device.
    """

    seed: int

    def key(self, stream: str, *counter: int | str) -> int:
        """A 63-bit integer that names this draw."""
        if stream not in STREAMS:
            raise ValueError(f"{stream!r} is not a random stream; there are: {', '.join(STREAMS)}")
        text = "/".join(str(part) for part in (self.seed, stream, *counter))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1

    def numpy(self, stream: str, *counter: int | str) -> np.random.Generator:
        """A NumPy generator for this draw."""
        return np.random.Generator(np.random.PCG64(self.key(stream, *counter)))

    def torch(self, stream: str, *counter: int | str) -> "torch.Generator":
        """A torch CPU generator for this draw."""
        import torch

        return torch.Generator().manual_seed(self.key(stream, *counter))

    def image_noise(
        self, shape: tuple[int, int], direction: str, names: Sequence[str], draw: int = 0
    ) -> "Tensor":
        """The slot noise [n, *shape] with which images are translated outside training, by their file names.

        The noise of an image depends on seed, direction, name and number of the draw alone, so that no
        result depends on which images are translated together, or in which order.
        """
        import torch

        draws = (self.torch("scoring", direction, name, draw) for name in names)
        return torch.stack([torch.randn(shape, generator=generator) for generator in draws])
