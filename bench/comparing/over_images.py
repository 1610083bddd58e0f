"""Images of another program against a variant, or against other images: compared over the test images.

They have no seeds. So both sides are taken as they are, with what leaving out single images does to the
difference (jackknife, `bench.statistics`): what is found holds for these translations, not for another
training. Against five or more seeds of a variant the seeds vary too, and the images are the same for each.

A distance is one to real images: both sides must have been held against the same ones, on the same features.
Rows are paired by the names of the test images (`bench.scoring.pairing`). Where each side has images that the
other lacks, both are measured over those that they share. Where hardly any names are shared, the sets are
compared as sets of different images, which finds less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.comparing.pairing import (
    Catalogue,
    ComparisonRequest,
    better_of,
    choose_keys,
    factor_of,
    without_repetition,
)
from bench.comparing.selection import Chosen, Run
from bench.comparing.sides import (
    AGREE,
    FEWEST,
    MOST_IMAGES,
    features_of,
    image_table,
    leave_one_out_of,
    read_features,
    same_networks,
    same_real_images,
    weights_by_network,
)
from bench.errors import BenchError
from bench.names import command
from bench.runs.folder import RunFolder
from bench.runs.metrics import is_distance
from bench.runs.records import Direction, DirectionScores, Scores, kept_by, read_scores
from bench.scoring.pairing import matches
from bench.statistics import Pair, Side
from bench.statistics.claims import SEEDS_FOR_CLAIM

Array = NDArray[np.float64]
LeftOut = tuple[Array, tuple[Array, ...]]
"""Values [seeds], and for every sample of images [seeds, n] the value without each image."""
ENOUGH = 0.5
"""Share of the smaller side's test images that must have a counterpart for the two sides to be paired."""


@dataclass(frozen=True)
class Translations:
    """What one side made of the test images: once, or once for every seed."""

    name: str
    dataset: str
    folders: tuple[RunFolder, ...]
    scores: tuple[Scores, ...]
    seeds: tuple[int, ...]
    """Empty for images of another program."""
    selection: Literal["last", "validation"]
    size: int | None
    """Pixels of the images of a run; None where another program made them."""

    @property
    def reference(self) -> tuple[Path, dict[str, Any]]:
        """Folder and card of the first: all seeds were held against the same."""
        return self.folders[0].path, self.scores[0].card

    def of(self, direction: Direction) -> list[DirectionScores]:
        """The scores of every seed."""
        return [one.selections[self.selection].directions[direction] for one in self.scores]

    def directions(self) -> tuple[Direction, ...]:
        """The directions that were scored."""
        return tuple(self.scores[0].selections[self.selection].directions)

    def keys(self, direction: Direction) -> list[str]:
        """The metrics that were scored."""
        return list(self.of(direction)[0].metrics)

    def values(self, direction: Direction, key: str) -> list[float] | None:
        """The value of every seed; None where one has none."""
        found = [one.metrics.get(key) for one in self.of(direction)]
        known = [score.value for score in found if score is not None and score.value is not None]
        return known if len(known) == len(found) else None

    def floor(self, direction: Direction, key: str) -> float | None:
        """The value of real images."""
        score = self.of(direction)[0].metrics.get(key)
        return None if score is None else score.floor


def compare_over_images(
    a: Chosen, b: Chosen, request: ComparisonRequest, names: tuple[str, str], catalogue: Catalogue
) -> tuple[list[Pair], list[str]]:
    """Every comparison that can be made, and remarks. One side or both are images of another program.

    Raises BenchError where the sides were not held against the same real images, on the same features.
    """
    mine, theirs = _sides(a, names[0], request), _sides(b, names[1], request)
    both = [(one, other, why_incomparable(one, other)) for one in mine for other in theirs]
    comparable = [(one, other) for one, other, reason in both if reason is None]
    if not comparable:
        raise BenchError(str(both[0][2]))
    pairs, remarks = [], []
    for one, other in comparable:
        found, said = _pairs(one, other, request, catalogue)
        pairs += found
        remarks += said
    made_elsewhere = [
        f"{chosen.images.folder.path} holds images of another program: how they were made is not recorded, "
        "so a difference is not the generator's alone"
        for chosen in (a, b)
        if chosen.images is not None
    ]
    return pairs, without_repetition([*made_elsewhere, *remarks])


def why_incomparable(a: Translations, b: Translations) -> str | None:
    """Why two sides cannot be compared, with what mends it; None where they can."""
    cards = [one.reference[1] for one in (a, b)]
    networks = [" and ".join(sorted(weights_by_network(card))) or "no network" for card in cards]
    if not weights_by_network(cards[0]).keys() & weights_by_network(cards[1]).keys():
        return (
            f"{a.name} was scored on features of {networks[0]}, {b.name} on those of {networks[1]}. Score "
            "one of them again on the same: --features NAME"
        )
    if not same_networks(*cards):
        return (
            f"{a.name} and {b.name} were scored with different weights of {networks[0]}, or with other code "
            "of it. Score one of them again with the same: --weights FILE, --plugin FILE"
        )
    same = same_real_images(a.reference, b.reference)
    if same:
        return None
    size = next((["--size", one.size] for one in (a, b) if one.size), [])
    kept = next((one for one in (b, a) if not one.seeds), None)
    place = kept_by(kept.folders[0].scores_json) if kept else []
    again = command("score", "--real", "DIR", "--fake", "DIR", *size, *place)
    what = "were held against different real images" if same is False else "do not tell their real images"
    told = "; ".join(f"{one.name}: {_real(one)}" for one in (a, b))
    return (
        f"{a.name} and {b.name} {what}, so their scores say nothing of each other ({told}). Score the images "
        f"again against the same: {again}"
    )


def _real(side: Translations) -> str:
    counts = ", ".join(f"{side.of(each)[0].images_real} for {each}" for each in side.directions())
    size = f"{side.size} x {side.size}" if side.size else side.reference[1].get("image_size", "size unknown")
    return f"{counts}, {size}"


def _sides(chosen: Chosen, name: str, request: ComparisonRequest) -> list[Translations]:
    """One for every data set and protocol of the runs, or the images."""
    if chosen.images is not None:
        images = chosen.images
        return [Translations(name, images.dataset, (images.folder,), (images.scores,), (), "last", None)]
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in sorted(chosen.runs, key=lambda run: run.record.cell.seed):
        groups.setdefault((run.dataset, run.record.cell.protocol), []).append(run)
    return [_of_runs(name, runs, request) for runs in groups.values()]


def _of_runs(name: str, runs: Sequence[Run], request: ComparisonRequest) -> Translations:
    scores = tuple(read_scores(run.folder.scores_json) for run in runs)
    if any(request.selection not in one.selections for one in scores):
        raise BenchError(
            f"{name} has no scores of the {request.selection} weights. Leave --selection out to compare the "
            "last step."
        )
    return Translations(
        name,
        runs[0].dataset,
        tuple(run.folder for run in runs),
        scores,
        tuple(run.record.cell.seed for run in runs),
        request.selection,
        runs[0].record.protocol.get("images", {}).get("size"),
    )


def _pairs(
    a: Translations, b: Translations, request: ComparisonRequest, catalogue: Catalogue
) -> tuple[list[Pair], list[str]]:
    """What both sides have, or what was asked for."""
    common = [each for each in request.directions if each in a.directions() and each in b.directions()]
    if not common:
        raise BenchError(
            f"{a.name} has scores of {', '.join(a.directions())}, {b.name} of {', '.join(b.directions())}: "
            "no direction that was asked for is in both. Score the other one: bench score --direction"
        )
    present = [key for each in common for key in a.keys(each) if key in b.keys(each)]
    if request.metrics:
        present += [key for each in common for key in (*a.keys(each), *b.keys(each))]
    pairs, remarks = [], []
    for key in choose_keys(without_repetition(present), request.metrics):
        for direction in common:
            pair, said = _pair(a, b, key, direction, catalogue)
            remarks += said
            pairs += [] if pair is None else [pair]
    return pairs, remarks


def _pair(
    a: Translations, b: Translations, key: str, direction: Direction, catalogue: Catalogue
) -> tuple[Pair | None, list[str]]:
    """The pair of one metric and direction, and remarks; without a value on either side only a remark."""
    of_a, of_b = a.values(direction, key), b.values(direction, key)
    dataset = (b if b.seeds and not a.seeds else a).dataset
    if of_a is None or of_b is None:
        lacking = a.name if of_a is None else b.name
        return None, [f"{key} {direction} on {dataset} is undefined: {lacking} has no value"]
    measured = _measured(a, b, key, direction)
    if measured is None or not measured.agrees(of_a, of_b):
        sides, images = (Side(a.name, tuple(of_a)), Side(b.name, tuple(of_b))), None
    else:
        sides, images = (measured.a, measured.b), measured.images
    seeds = max(a.seeds, b.seeds, key=len)
    first, second = (_repeated(side, max(1, len(seeds))) for side in sides)
    better = better_of(key, catalogue)
    target = next((found for one in (a, b) if (found := one.floor(direction, key)) is not None), None)
    if better == "nearer target" and target is None:
        better = "none"
    factor, as_they_are = factor_of(key, catalogue), len(seeds) < SEEDS_FOR_CLAIM
    pair = Pair(
        key, direction, dataset, first, second, seeds, images, better, target, factor, as_they_are=as_they_are
    )
    return pair, [] if images is None or measured is None else measured.remarks(direction)


def _repeated(side: Side, times: int) -> Side:
    """The same images beside every seed of the other side."""
    if len(side.values) == times:
        return side
    blocks = tuple(np.repeat(block, times, axis=0) for block in side.leave_one_out)
    return Side(side.name, side.values * times, blocks)


@dataclass(frozen=True)
class MeasuredPair:
    """Both sides over the images that are compared, with what leaving out each of them does."""

    a: Side
    b: Side
    counts: tuple[int, int]
    """Test images of either side."""
    shared: int
    """Of the same names in both; 0: the sets are compared as sets of different images."""

    @property
    def images(self) -> int:
        return self.shared or min(self.counts)

    def agrees(self, a: Sequence[float], b: Sequence[float]) -> bool:
        """Whether the values are those of the scores, where all images are compared."""
        if self.shared and self.counts != (self.shared, self.shared):
            return True
        return all(
            np.allclose(side.values, known, rtol=AGREE, atol=AGREE * max(map(abs, known)))
            for side, known in ((self.a, a), (self.b, b))
        )

    def remarks(self, direction: Direction) -> list[str]:
        """What a reader must know of the images."""
        if not self.shared:
            return [
                f"{direction}: the two sides share too few names of test images, so they are compared as "
                "sets of different images, which finds less"
            ]
        if self.counts != (self.shared, self.shared):
            return [
                f"{direction}: compared over the {self.shared} test images that both translated, of "
                f"{self.counts[0]} and {self.counts[1]}; the values are those of these images"
            ]
        return []


def _measured(a: Translations, b: Translations, key: str, direction: Direction) -> MeasuredPair | None:
    """None where the folders do not keep what it takes, or too few or too many images."""
    rows = [image_table(one.folders[0].images_csv, direction).files for one in (a, b)]
    read = _features if is_distance(key) else _column
    mine, theirs = read(a, key, direction), read(b, key, direction)
    real = _real_features(a, b, key, direction) if is_distance(key) else None
    if mine is None or theirs is None or (is_distance(key) and real is None):
        return None
    counts = (len(rows[0]), len(rows[1]))
    if (mine.shape[1], theirs.shape[1]) != counts or min(counts) < FEWEST or max(counts) > MOST_IMAGES:
        return None
    both = np.array(matches(*rows), dtype=int).reshape(-1, 2)
    paired = len(both) >= max(FEWEST, ENOUGH * min(counts))
    if paired:
        mine, theirs = mine[:, both[:, 0]], theirs[:, both[:, 1]]
    sides = _leave_one_out(key, mine, real), _leave_one_out(key, theirs, real)
    blocks = [side[1] for side in sides] if paired else _of_different_images(*sides)
    made = [
        Side(one.name, tuple(map(float, value)), block)
        for one, (value, _), block in zip((a, b), sides, blocks, strict=True)
    ]
    return MeasuredPair(made[0], made[1], counts, len(both) if paired else 0)


def _leave_one_out(key: str, data: Array, real: Array | None) -> LeftOut:
    """Of features [seeds, n, d] against real ones [m, d], or of a column [seeds, n]."""
    if real is None:
        side = Side.of_images(key, data)
        return np.array(side.values), side.leave_one_out
    found = [leave_one_out_of(key)(each, real) for each in data]
    blocks = (np.stack([one.generated for one in found]), np.stack([one.real for one in found]))
    return np.array([one.value for one in found]), blocks


def _of_different_images(a: LeftOut, b: LeftOut) -> list[tuple[Array, ...]]:
    """The blocks of both sides where no image of one belongs to one of the other: their variances add."""
    (value_a, (own_a, *rest_a)), (value_b, (own_b, *rest_b)) = a, b
    still_a = np.repeat(value_a[:, None], own_b.shape[1], axis=1)
    still_b = np.repeat(value_b[:, None], own_a.shape[1], axis=1)
    return [(own_a, still_a, *rest_a), (still_b, own_b, *rest_b)]


def _features(side: Translations, key: str, direction: Direction) -> Array | None:
    """The features of the translations, [seeds, n, d]."""
    name = f"{side.selection}-{direction}-{features_of(key)}.npy"
    return _stacked([read_features(folder.features / name) for folder in side.folders])


def _real_features(a: Translations, b: Translations, key: str, direction: Direction) -> Array | None:
    """Those of the real images, [m, d]: one array for both sides, so that their order is one."""
    name = f"real-{direction}-{features_of(key)}.npy"
    kept = (read_features(one.folders[0].features / name) for one in (a, b))
    return next((found for found in kept if found is not None), None)


def _column(side: Translations, key: str, direction: Direction) -> Array | None:
    """The measurement of every test image, [seeds, n]; None where it is undefined for one."""
    if side.selection != "last":  # images.csv is of the last step's weights alone
        return None
    found: list[Array | None] = []
    for folder in side.folders:
        table = image_table(folder.images_csv, direction)
        column = table.column(key, table.files)
        found.append(None if column is None or not np.isfinite(column).all() else column)
    return _stacked(found)


def _stacked(arrays: Sequence[Array | None]) -> Array | None:
    known = [array for array in arrays if array is not None]
    if len(known) < len(arrays) or len({array.shape for array in known}) != 1:
        return None
    return np.stack(known)
