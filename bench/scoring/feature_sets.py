"""Two sets of feature vectors: what every distance refuses, and how their products are cut into blocks."""

from collections.abc import Iterator

import numpy as np

from bench.errors import BenchError

BLOCK_VALUES = 2**24
"""Values of one block: 128 MiB in float64, so that memory stays flat in the number of images."""


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices that cut `rows` rows of `columns` values into blocks of at most BLOCK_VALUES values."""
    height = max(1, BLOCK_VALUES // max(columns, 1))
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))


def check_features(
    generated: np.ndarray, real: np.ndarray, *, generated_at_least: int = 2, real_at_least: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Both feature matrices [n, d] and [m, d] as float64.

    Raises BenchError where one is not a matrix, the dimensions differ, there are fewer rows than needed, or
    a value is not finite.
    """
    needed = {"generated": (generated, generated_at_least), "real": (real, real_at_least)}
    for name, (features, at_least) in needed.items():
        if features.ndim != 2:
            raise BenchError(
                f"The {name} features have shape {list(features.shape)}; give one row per image, [images, "
                "features], as a feature network returns them."
            )
        if len(features) < at_least:
            raise BenchError(
                f"There are {len(features)} {name} images; this distance needs at least {at_least}. "
                "Use more test images (images.test in the protocol) or leave this metric out."
            )
        if not np.isfinite(features).all():
            bad = int((~np.isfinite(features).all(axis=1)).sum())
            raise BenchError(
                f"{bad} of {len(features)} {name} feature vectors hold NaN or infinity. Extract them again "
                "from finite images, with weights that are not damaged."
            )
    if generated.shape[1] != real.shape[1]:
        raise BenchError(
            f"Features of {generated.shape[1]} and of {real.shape[1]} dimensions cannot be compared. "
            "Extract both sets with the same feature network (--features)."
        )
    return np.asarray(generated, np.float64), np.asarray(real, np.float64)
