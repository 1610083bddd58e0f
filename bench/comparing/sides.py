"""One variant's values of one metric over the seeds, with everything that tells how sure they are.

Three sources, the best that a run folder has: feature vectors (kernel and Frechet distances), the per-image
column of images.csv (means over images), the value in scores.json alone.

Whether scores of two folders were held against the same real images, on the same features.

Distances, floors and ceilings belong to one set of real images: of another set they say nothing. The cards
of the scores tell by fingerprints; of scores of before these were kept, the features of the real images
tell.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.names import in_part
from bench.runs.folder import RunFolder
from bench.runs.metrics import is_distance, is_kernel, network
from bench.runs.records import DIRECTIONS, METRIC_SOURCE, Direction, real_fingerprint_key
from bench.scoring.frechet import frechet_leave_one_out
from bench.scoring.kernel import kernel_leave_one_out
from bench.statistics import Side
from bench.statistics.paired import LeaveOneOut

Card = dict[str, Any]
Features = NDArray[np.float64]
FEWEST = 3
"""Images of a set that can be left out one by one."""


def network_name(card: Card) -> str | None:
    """The feature network named by a card."""
    return _first(card, "feature_network", "features", "network")


def network_hash(card: Card) -> str | None:
    """The hash of that network's weights."""
    return _first(card, "weights_sha256", "weights_hash", "weights")


def _first(card: Card, *keys: str) -> str | None:
    return next((str(card[key]) for key in keys if card.get(key)), None)


def weights_by_network(card: Card) -> dict[str, str | None]:
    """Feature network -> hash of its weights, of all that the scores of a card were made with."""
    last, earlier = network_name(card), "weights_sha256("
    before = {key: str(value) for key, value in card.items() if key.startswith(earlier)}
    found = {} if last is None else {last: network_hash(card)}
    return found | {key.removeprefix(earlier).rstrip(")"): value for key, value in before.items()}


def source_of_network(card: Card, network: str) -> object:
    """The hash of a network's source; None for one of ours, and of before it was kept."""
    return card.get("network_source" if network == network_name(card) else f"network_source({network})")


def same_networks(a: Card, b: Card) -> bool:
    """Whether no feature network that both were scored with had other weights, or is known to be of another
    source: edited, it gives other features of the same weights."""
    mine, theirs = weights_by_network(a), weights_by_network(b)
    sources = {
        network: {source_of_network(a, network), source_of_network(b, network)} - {None}
        for network in mine.keys() & theirs.keys()
    }
    return all(mine[name] == theirs[name] and len(known) < 2 for name, known in sources.items())


def of_several_sources(cards: Mapping[str, Card]) -> list[str]:
    """A sentence for every metric of which the scores of these folders hold several versions."""
    found: dict[str, dict[str, list[str]]] = {}
    for folder, card in cards.items():
        for key, source in card.items():
            if named := METRIC_SOURCE.fullmatch(key):
                found.setdefault(named[1], {}).setdefault(str(source), []).append(folder)
    return [
        f"{metric} was edited between these runs, so its values are not of one measure: "
        + "; ".join(f"{source} in {in_part(sorted(folders), 2)}" for source, folders in sources.items())
        + ". Score them again with one: bench score RUN --plugin FILE."
        for metric, sources in found.items()
        if len(sources) > 1
    ]


def same_real_images(a: tuple[Path, Card], b: tuple[Path, Card]) -> bool | None:
    """Whether two folders' scores were held against the same real images; None where nothing tells.

    In the directions of which both tell something.
    """
    networks = sorted(weights_by_network(a[1]).keys() & weights_by_network(b[1]).keys())
    told: list[bool | None] = []
    for direction in DIRECTIONS:
        prints = [card.get(real_fingerprint_key(direction)) for _, card in (a, b)]
        if all(prints):
            told.append(prints[0] == prints[1])
        else:
            told += [same_real_features(a[0], b[0], direction, network) for network in networks]
    decided = [same for same in told if same is not None]
    return all(decided) if decided else None


def same_real_features(a: Path, b: Path, direction: str, network: str) -> bool | None:
    """Whether two folders keep features of the same real images; None where one keeps none.

    By their number, mean and spread: the order of the images and rounding play no part.
    """
    x, y = (read_features(folder / "features" / f"real-{direction}-{network}.npy") for folder in (a, b))
    if x is None or y is None:
        return None
    if x.shape != y.shape:
        return False
    least = 1e-4 * float(np.abs(x).max())
    return all(
        np.allclose(measure(x, axis=0), measure(y, axis=0), rtol=1e-3, atol=least)
        for measure in (np.mean, np.std)
    )


def read_features(path: Path) -> Features | None:
    """Feature vectors [n, d] of a run folder; None where there are none that could be used."""
    try:
        features = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    usable = features.ndim == 2 and len(features) >= FEWEST and np.isfinite(features).all()
    return features.astype(np.float64) if usable else None


Array = NDArray[np.float64]
Blocks = tuple[Array, ...]
"""Leave-one-out values, [seeds, n] a set of images; none where they cannot be had."""
MOST_IMAGES = 2000
"""Beyond it the error of the inputs is small against that of the seeds, and leaving one out is slow."""
AGREE = 1e-3
"""Relative difference at which recomputed values are the stored ones (features are stored as float32)."""


def leave_one_out_of(key: str) -> Callable[[Array, Array], LeaveOneOut]:
    """How a distance is left one image out of, by its features and the real ones."""
    return kernel_leave_one_out if is_kernel(key) else frechet_leave_one_out


def features_of(key: str) -> str:
    """The feature network of a distance, as files of features are named by it."""
    return network(key) or "inception"


def sides(
    key: str,
    direction: Direction,
    selection: str,
    names: tuple[str, str],
    folders: tuple[Sequence[RunFolder], Sequence[RunFolder]],
    values: tuple[Sequence[float], Sequence[float]],
) -> tuple[Side, Side]:
    """Both sides of a comparison; leave-one-out values only where both have them for the same images."""
    if is_distance(key):
        blocks = _from_features_of_both(key, direction, selection, folders, values)
    else:  # images.csv is of the last step's weights alone
        blocks = _from_images(key, direction, folders, values) if selection == "last" else None
    a, b = (
        Side(name, tuple(known), block)
        for name, known, block in zip(names, values, blocks or ((), ()), strict=True)
    )
    return a, b


def sides_against_copy(
    key: str,
    direction: Direction,
    selection: str,
    name: str,
    folders: Sequence[RunFolder],
    values: tuple[Sequence[float], Sequence[float]],
) -> tuple[Side, Side]:
    """A variant's distance, and that of its sources left as they are, which need not have been run.

    The features of the sources are those of the real images of the other direction. `values` are the
    distances of the translations and of the sources, one for every folder.
    """
    sources = f"real-{'B2A' if direction == 'A2B' else 'A2B'}"
    blocks = [
        _from_features(key, direction, generated, folders, known)
        for generated, known in zip((f"{selection}-{direction}", sources), values, strict=True)
    ]
    both = all(block is not None for block in blocks)
    same = both and [x.shape for x in blocks[0] or ()] == [x.shape for x in blocks[1] or ()]
    a, b = (
        Side(each, tuple(known), (block or ()) if same else ())
        for each, known, block in zip((name, "copy"), values, blocks, strict=True)
    )
    return a, b


def _from_features_of_both(
    key: str,
    direction: Direction,
    selection: str,
    folders: tuple[Sequence[RunFolder], Sequence[RunFolder]],
    values: tuple[Sequence[float], Sequence[float]],
) -> tuple[Blocks, Blocks] | None:
    a, b = (
        _from_features(key, direction, f"{selection}-{direction}", each, known)
        for each, known in zip(folders, values, strict=True)
    )
    if not a or not b or [block.shape for block in a] != [block.shape for block in b]:
        return None
    files = {image_table(each.images_csv, direction).files for each in (*folders[0], *folders[1])}
    return (a, b) if len(files) == 1 else None  # row i is the same test image in every folder


def _from_features(
    key: str, direction: Direction, which: str, folders: Sequence[RunFolder], values: Sequence[float]
) -> tuple[Array, ...] | None:
    """`which` begins the name of the file of the images that are held against the real ones."""
    features = features_of(key)
    found: list[LeaveOneOut] = []
    for folder, value in zip(folders, values, strict=True):
        generated = read_features(folder.features / f"{which}-{features}.npy")
        real = read_features(folder.features / f"real-{direction}-{features}.npy")
        if generated is None or real is None or max(len(generated), len(real)) > MOST_IMAGES:
            return None
        found.append(leave_one_out_of(key)(generated, real))
        if not np.isclose(found[-1].value, value, rtol=AGREE, atol=AGREE * abs(values[0])):
            return None
    return _stacked([one.generated for one in found], [one.real for one in found])


def _from_images(
    key: str,
    direction: Direction,
    folders: tuple[Sequence[RunFolder], Sequence[RunFolder]],
    values: tuple[Sequence[float], Sequence[float]],
) -> tuple[Blocks, Blocks] | None:
    tables = [image_table(each.images_csv, direction) for each in (*folders[0], *folders[1])]
    columns = []
    for table, value in zip(tables, (*values[0], *values[1]), strict=True):
        column = table.column(key, tables[0].files)
        if column is None or len(column) < FEWEST or not np.isfinite(column).all():
            return None
        if not np.isclose(column.mean(), value, rtol=AGREE, atol=AGREE * column.std()):
            return None  # a summary other than the mean
        columns.append(column)
    count = len(folders[0])
    a, b = (Side.of_images(key, np.stack(each)).leave_one_out for each in (columns[:count], columns[count:]))
    return a, b


def _stacked(*blocks: list[Array]) -> tuple[Array, ...] | None:
    """Every list as [seeds, n]; None where seeds have different numbers of images."""
    if any(len({len(one) for one in block}) != 1 for block in blocks):
        return None
    return tuple(np.stack(block) for block in blocks)


@dataclass(frozen=True)
class ImageTable:
    """What was measured of the test images of one direction."""

    files: tuple[str, ...] = ()
    measured: Mapping[str, Array] = field(default_factory=dict)
    """[n] a measurement, in the order of the files; NaN where it is undefined for an image."""

    def column(self, key: str, files: tuple[str, ...]) -> Array | None:
        """A measurement in the order of these files; None where it is of others, or there is none."""
        if key not in self.measured:
            return None
        if files == self.files:
            return self.measured[key]
        place = {file: at for at, file in enumerate(self.files)}
        if len(place) < len(self.files) or place.keys() != set(files) or len(files) != len(place):
            return None
        return self.measured[key][[place[file] for file in files]]


def image_table(path: Path, direction: Direction) -> ImageTable:
    """An images.csv of one direction; empty where it is not there or cannot be read."""
    return _table_as_of(path, direction, path.stat().st_mtime_ns if path.is_file() else 0)


@lru_cache(maxsize=2048)
def _table_as_of(path: Path, direction: Direction, changed: int) -> ImageTable:
    """It is asked for once a metric; `changed` makes a rewritten file a new question."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row.get("direction") == direction]
    except (OSError, ValueError, csv.Error):
        return ImageTable()
    keys = [key for key in (rows[0] if rows else ()) if key not in ("direction", "file")]
    measured = {key: np.array([_measured(row.get(key)) for row in rows]) for key in keys}
    return ImageTable(tuple(str(row.get("file", "")) for row in rows), measured)


def _measured(cell: str | None) -> float:
    try:
        return float(cell or "nan")
    except ValueError:
        return float("nan")
