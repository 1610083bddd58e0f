"""Distances between two sets of feature vectors: pure functions of NumPy arrays."""

from bench.scoring.distances.density_coverage import DensityCoverage, density_coverage
from bench.scoring.distances.frechet import frechet_distance
from bench.scoring.distances.kernel import kernel_distance
from bench.scoring.distances.kernel_subsets import SubsetEstimate, kernel_distance_subsets
from bench.scoring.distances.precision_recall import PrecisionRecall, precision_recall
from bench.scoring.distances.realism import realism

__all__ = [
    "DensityCoverage",
    "PrecisionRecall",
    "SubsetEstimate",
    "density_coverage",
    "frechet_distance",
    "kernel_distance",
    "kernel_distance_subsets",
    "precision_recall",
    "realism",
]
