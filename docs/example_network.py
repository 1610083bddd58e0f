"""A feature network in one file: the mean colours of a grid of cells, for colour and layout alone.

bench check --network colours --plugin docs/example_network.py
bench run --variant slot9 --features colours --plugin docs/example_network.py
"""

from torch import Tensor, nn
from torch.nn import functional

from bench.scoring.networks import network

CELLS = 4


@network(
    "colours",
    summary=f"mean red, green and blue of {CELLS} x {CELLS} cells",
    dimension=3 * CELLS**2,
    resize=f"averaged over {CELLS} x {CELLS} cells",
)
class CellColours(nn.Module):
    """uint8 [b, 3, h, w] to float32 [b, 48], each colour from 0 to 1."""

    def forward(self, images: Tensor) -> Tensor:
        return functional.adaptive_avg_pool2d(images.float() / 255, CELLS).flatten(1)
