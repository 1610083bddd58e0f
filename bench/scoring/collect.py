"""Gathering what is kept of a stream of batches: columns of numbers, and features made in full batches."""

import numpy as np
from numpy.typing import NDArray

from bench.data.dataset import Images
from bench.scoring.networks.network import FeatureNetwork, Features
from bench.scoring.per_image import Columns

Column = NDArray[np.float64]
"""One number an image of a split, [n]; NaN where undefined."""


class ColumnCollector:
    """Columns of batches, joined in the order they came."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Column]] = {}

    def add(self, columns: Columns) -> None:
        """Take in the columns of one batch; every batch brings the same keys."""
        for key, values in columns.items():
            self._parts.setdefault(key, []).append(values.detach().cpu().double().numpy())

    def columns(self) -> dict[str, Column]:
        """Key -> [n]."""
        return {key: np.concatenate(parts) for key, parts in self._parts.items()}


class FeatureCollector:
    """Features of several streams of images, holding at most one batch of pixels of each."""

    def __init__(self, network: FeatureNetwork) -> None:
        self._network = network
        self._waiting: dict[str, list[Images]] = {}
        self._features: dict[str, list[Features]] = {}

    def add(self, stream: str, images: Images) -> None:
        """Take in some more uint8 images [b, h, w, 3] of a stream."""
        waiting = self._waiting.setdefault(stream, [])
        waiting.append(images)
        if sum(len(part) for part in waiting) >= self._network.batch:
            self._compute(stream)

    def features(self) -> dict[str, Features]:
        """Stream -> features [n, d], in the order the images came."""
        for stream in [stream for stream, waiting in self._waiting.items() if waiting]:
            self._compute(stream)
        return {stream: np.concatenate(parts) for stream, parts in self._features.items()}

    def _compute(self, stream: str) -> None:
        images = np.concatenate(self._waiting[stream])
        self._features.setdefault(stream, []).append(self._network(images))
        self._waiting[stream] = []
