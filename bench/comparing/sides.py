"""One variant's values of one metric over the seeds, with everything that tells how sure they are.

Three sources, the best that a run folder has: feature vectors (kernel and Frechet distances), the per-image
column of images.csv (means over images), the value in scores.json alone.
"""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.comparing.references import read_features
from bench.runs.folder import RunFolder
from bench.runs.scores import Direction
from bench.scoring.frechet import frechet_leave_one_out
from bench.scoring.kernel import kernel_leave_one_out
from bench.statistics import Side
from bench.statistics.jackknife import LeaveOneOut

Array = NDArray[np.float64]
MOST_IMAGES = 2000
"""Beyond it the error of the inputs is small against that of the seeds, and leaving one out is slow."""
AGREE = 1e-3
"""Relative difference at which recomputed values are the stored ones (features are stored as float32)."""
DISTANCES: dict[str, Callable[[Array, Array], LeaveOneOut]] = {
    "kid": kernel_leave_one_out,
    "kd": kernel_leave_one_out,
    "fid": frechet_leave_one_out,
    "fd": frechet_leave_one_out,
}


def stem(key: str) -> str:
    """The key without its feature network: `kd(tiny)` is `kd`."""
    return key.partition("(")[0]


def is_distance(key: str) -> bool:
    """Whether the key is a kernel or Frechet distance: lower is better, features give its leave-one-out."""
    return stem(key) in DISTANCES


def sides(
    key: str,
    direction: Direction,
    selection: str,
    names: tuple[str, str],
    folders: tuple[Sequence[RunFolder], Sequence[RunFolder]],
    values: tuple[Sequence[float], Sequence[float]],
) -> tuple[Side, Side]:
    """Both sides of a comparison; they have leave-one-out values only if both have them for equal images."""
    blocks = [
        _leave_one_out(key, direction, selection, each, known)
        for each, known in zip(folders, values, strict=True)
    ]
    shapes = [[block.shape for block in side or ()] for side in blocks]
    if not blocks[0] or shapes[0] != shapes[1] or not _same_images(direction, [*folders[0], *folders[1]]):
        blocks = [None, None]
    a, b = (
        Side(name, tuple(known), block or ())
        for name, known, block in zip(names, values, blocks, strict=True)
    )
    return a, b


def _leave_one_out(
    key: str, direction: Direction, selection: str, folders: Sequence[RunFolder], values: Sequence[float]
) -> tuple[Array, ...] | None:
    if is_distance(key):
        return _from_features(key, direction, selection, folders, values)
    # images.csv is of the last step's weights alone.
    return _from_images(key, direction, folders, values) if selection == "last" else None


def _from_features(
    key: str, direction: Direction, selection: str, folders: Sequence[RunFolder], values: Sequence[float]
) -> tuple[Array, ...] | None:
    network = key.partition("(")[2].rstrip(")") or "inception"
    found: list[LeaveOneOut] = []
    for folder, value in zip(folders, values, strict=True):
        generated = read_features(folder.features / f"{selection}-{direction}-{network}.npy")
        real = read_features(folder.features / f"real-{direction}-{network}.npy")
        if generated is None or real is None or max(len(generated), len(real)) > MOST_IMAGES:
            return None
        found.append(DISTANCES[stem(key)](generated, real))
        if not np.isclose(found[-1].value, value, rtol=AGREE, atol=AGREE * abs(values[0])):
            return None
    return _stacked([one.generated for one in found], [one.real for one in found])


def _from_images(
    key: str, direction: Direction, folders: Sequence[RunFolder], values: Sequence[float]
) -> tuple[Array, ...] | None:
    columns = []
    for folder, value in zip(folders, values, strict=True):
        column = _column(folder.images_csv, direction, key)
        if column is None or len(column) < 3 or not np.isfinite(column).all():
            return None
        if not np.isclose(column.mean(), value, rtol=AGREE, atol=AGREE * column.std()):
            return None  # a summary other than the mean
        columns.append(column)
    if len({len(column) for column in columns}) != 1:
        return None
    return Side.of_images(key, np.stack(columns)).leave_one_out


def _stacked(*blocks: list[Array]) -> tuple[Array, ...] | None:
    """Every list as [seeds, n]; None where seeds have different numbers of images."""
    if any(len({len(one) for one in block}) != 1 for block in blocks):
        return None
    return tuple(np.stack(block) for block in blocks)


def rows_of(path: Path, direction: Direction) -> list[dict[str, str]]:
    """The rows of an images.csv of one direction; none where there is no such file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row.get("direction") == direction]


def _column(path: Path, direction: Direction, key: str) -> Array | None:
    cells = [row.get(key) for row in rows_of(path, direction)]
    if not all(cells):
        return None
    try:
        return np.array([float(cell) for cell in cells if cell])
    except ValueError:
        return None


def _same_images(direction: Direction, folders: Sequence[RunFolder]) -> bool:
    """Whether row i is the same test image in every folder."""
    files = {tuple(row.get("file") for row in rows_of(folder.images_csv, direction)) for folder in folders}
    return len(files) == 1
