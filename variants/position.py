"""Where a token or a cell of the decoder's grid lies, as a learned linear embedding."""

import torch
from torch import Tensor, nn


def grid(height: int, width: int, like: Tensor) -> Tensor:
    """The four distances (y, x, 1-y, 1-x) to the borders, [height * width, 4], each in [0, 1].

    Rounded to float32 in every precision, as the published code does: its grid is a float32 buffer.
    """
    y = torch.linspace(0, 1, height, device=like.device)
    x = torch.linspace(0, 1, width, device=like.device)
    y, x = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([y, x, 1 - y, 1 - x], dim=-1).flatten(0, 1).to(like.dtype)


class PositionEmbedding(nn.Linear):
    """A linear map of the grid: Locatello et al. 2020, appendix E.2, equation of the position embedding."""

    def __init__(self, features: int) -> None:
        super().__init__(4, features)

    def forward(self, height: int, width: int) -> Tensor:  # type: ignore[override]  # makes its own input
        """The embedding [n, d] of a grid of n = height * width places, row by row."""
        return super().forward(grid(height, width, self.weight))
