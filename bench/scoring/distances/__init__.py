"""Distances between two sets of feature vectors: pure functions of NumPy arrays."""

from bench.scoring.distances.frechet import frechet_distance
from bench.scoring.distances.kernel import kernel_distance

__all__ = ["frechet_distance", "kernel_distance"]
