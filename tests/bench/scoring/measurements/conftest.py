"""Constructed images whose measurements are known, in levels 0 to 255."""

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.scoring.metrics.colour import levels


@pytest.fixture(scope="session")
def scene() -> Tensor:
    """Two smooth images [2, 3, 128, 128] with soft shapes in them: what a photograph is to these measures."""
    rows, columns = np.mgrid[0:128, 0:128] / 128
    planes = [
        100 + 80 * np.sin(3 * rows + 2 * columns),
        120 + 60 / (1 + np.exp(-40 * (0.3 - np.hypot(rows - 0.5, columns - 0.4)))),
        140 - 70 * np.cos(5 * columns * rows),
    ]
    first = np.stack(planes, axis=-1)
    images = np.stack([first, first[:, ::-1, ::-1]]).clip(0, 255).round().astype(np.uint8)
    return levels(images)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
