"""Images that other programs made, by the same measures and with the same card as our own runs.

Their folder is like a run folder, without run.json, as there was no run; documented in docs/run-folder.md.
Both directions of one system stand in one folder: scoring the second one keeps the first. A published
generator (`bench score --published`) is such a program, whose images are made here.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from bench.data.dataset import Dataset, Images, Split
from bench.data.tensors import quantise
from bench.errors import BenchError, announce
from bench.progress import ProgressReport, Silent
from bench.protocol import ScoreSettings
from bench.runs import atomic
from bench.runs.folder import RunFolder, find_runs
from bench.runs.pictures import Entry, read_entries, replace_entries, sample_indices, write_pictures
from bench.runs.records import (
    Direction,
    DirectionScores,
    Scores,
    Selection,
    read_scores,
    real_fingerprint_key,
)
from bench.scoring.features import ImageSet, fingerprint, of_split
from bench.scoring.measure import (
    BACK,
    IMAGES_AT_ONCE,
    OUTPUT,
    Batch,
    Column,
    ColumnCollector,
    FeatureCollector,
    Measured,
    measure_images,
    of_output,
)
from bench.scoring.metric import infos, on_images
from bench.scoring.metrics.colour import levels
from bench.scoring.networks.network import FeatureNetwork
from bench.scoring.pairing import matches
from bench.scoring.references import ReferenceFeatures, floor_images
from bench.scoring.samples import extreme_keys, extremes
from bench.scoring.score_run import npy, write_image_table
from bench.scoring.summarise import FeatureSets, feature_columns, image_scores, metric_card, set_scores
from bench.scoring.translate import translate_split
from bench.streams import Streams
from variants.contract import Generator

Card = dict[str, str | int]


@dataclass(frozen=True, eq=False)
class ImageSets:
    """What is scored, and what it is scored against; all images are of one size."""

    generated: ImageSet
    real: ImageSet
    """Real images of the target domain."""
    source: ImageSet | None = None
    """The source of every generated image, in the same order: measurements of single images need it."""
    floor: ImageSet | None = None
    """Other real images of the target domain, best as many as there are generated ones."""


@dataclass(frozen=True, eq=False)
class ExternalScores:
    """The scores of one direction and what is kept besides."""

    sets: ImageSets
    scores: DirectionScores
    subset_size: int
    measured: Measured
    reference: ReferenceFeatures
    real_fingerprint: str
    """Of the real images, as they were scored."""
    image_shape: tuple[int, int]
    """(height, width) of all images, as they were scored."""


def score_image_sets(
    given: ImageSets, network: FeatureNetwork, subset_size: int, progress: ProgressReport | None = None
) -> ExternalScores:
    """All distances between the sets, and with sources all measurements that need source and output alone.

    Raises BenchError for fewer than 2 images and for images of different sizes.
    """
    report = progress or Silent()
    reference = ReferenceFeatures(
        real=given.real.features(network, report, "features of real images"),
        floor=given.floor.features(network, report, "floor") if given.floor is not None else None,
        ceiling=given.source.features(network, report, "ceiling") if given.source is not None else None,
    )
    measured = _measure(given, network, reference, report)
    sets = FeatureSets(measured.features[OUTPUT], reference.real, subset_size, copied=reference.ceiling)
    metrics = set_scores(sets, network.name, reference.floor, all_metrics=False)
    target, real_fingerprint, shape = _look_at_real(given.real, report)
    if given.source is not None:
        known = {entry.name for entry in on_images() if (entry.gap_of or entry.name) in measured.columns}
        each = image_scores(measured, target)
        metrics |= {key: score for key, score in each.items() if key in known}
    scores = DirectionScores(
        images_generated=len(given.generated), images_real=len(given.real), metrics=metrics
    )
    return ExternalScores(given, scores, subset_size, measured, reference, real_fingerprint, shape)


def external_card(network: FeatureNetwork, direction: Direction, found: ExternalScores) -> Card:
    """The card of a run for one direction: only the numbers of images are named by it."""
    floor = found.reference.floor
    counts = {
        f"images_real_{direction}": found.scores.images_real,
        f"images_floor_{direction}": 0 if floor is None else len(floor),
        f"images_generated_{direction}": found.scores.images_generated,
    }
    card = metric_card(network, found.subset_size, counts)
    return card | {real_fingerprint_key(direction): found.real_fingerprint}


def _measure(
    sets: ImageSets, network: FeatureNetwork, reference: ReferenceFeatures, report: ProgressReport
) -> Measured:
    """One pass over the generated images, with their sources where these are known."""
    features, columns, copied = FeatureCollector(network), ColumnCollector(), ColumnCollector()
    generated = sets.generated.read()
    sources = sets.source.read() if sets.source is not None else None
    report.start("scoring images", len(sets.generated))
    while batch := list(islice(generated, IMAGES_AT_ONCE)):
        outputs = np.stack(batch)
        features.add(OUTPUT, outputs)
        if sources is not None:
            source = levels(np.stack(list(islice(sources, IMAGES_AT_ONCE))))
            pair = Batch(output=levels(outputs), source=source)
            columns.add(measure_images(pair))
            copied.add(measure_images(Batch(output=source), of_output))
        report.advance(len(batch))
    made = features.features()
    each = columns.columns() | feature_columns(made[OUTPUT], reference.real, network.name)
    present = frozenset({"output"} if sources is None else {"output", "source"})
    return Measured(sets.generated.names, each, made, copied=copied.columns(), present=present)


def _look_at_real(real: ImageSet, report: ProgressReport) -> tuple[dict[str, Column], str, tuple[int, int]]:
    """What the real images measure by themselves, for gaps: key -> [n]; their fingerprint; their size."""
    collector = ColumnCollector()
    shapes = []
    report.start("measuring real images", len(real))

    def measured() -> Iterator[Images]:
        images = real.read()
        while batch := list(islice(images, IMAGES_AT_ONCE)):
            collector.add(measure_images(Batch(output=levels(np.stack(batch))), of_output))
            report.advance(len(batch))
            shapes.append(batch[0].shape[:2])
            yield from batch

    seen = fingerprint(measured())
    return collector.columns(), seen, shapes[0]


def score_generator(
    generator: Generator,
    dataset: Dataset,
    direction: Direction,
    network: FeatureNetwork,
    *,
    subset_size: int,
    seed: int = 0,
    progress: ProgressReport | None = None,
) -> ExternalScores:
    """The scores of a generator's translations of the test split, with floor and ceiling of the data set.

    Slot noise follows from `seed` and the file's name, as for our own runs. Measurements that need masks or
    the generator of the other direction are left out. Raises BenchError for an output that is not finite.
    """
    source, target = (dataset.A, dataset.B) if direction == "A2B" else (dataset.B, dataset.A)
    streams = Streams(seed)

    def translations(split: Split = source.test) -> Iterator[Images]:
        for batch in translate_split(generator, split, streams, direction):
            yield from quantise(batch.translation.image)

    def picked(places: Sequence[int]) -> Iterator[Images]:
        names = tuple(source.test.names[place] for place in places)
        return translations(Split(source.test.images[list(places)], names))

    real = of_split(target.test)
    others = floor_images(target.train.images, len(source.test), target.test.images.shape[1])
    floor = Split(others, tuple(f"floor {place}" for place in range(len(others))))
    sets = ImageSets(
        generated=ImageSet(source.test.names, "", translations, picked),
        real=real,
        source=of_split(source.test),
        floor=of_split(floor) if len(others) > 1 else None,
    )
    return score_image_sets(sets, network, subset_size, progress)


SAME = ("name", "feature_network", "weights_sha256", "dataset", "protocol")
"""Parts of the card that both directions in one folder must share."""
SAME_BESIDE = ("image_size",)
"""The same, where the other direction is there already: alone, a direction may be scored again otherwise."""
OF_A_DIRECTION = "kd_subsets"
"""A part of the card that follows from the number of images, and so may differ between the directions."""
WITHOUT_MASKS: Entry = {"masks": 0, "mask_scale": 1.0, "background": None}


def external_scores(found: ExternalScores, direction: Direction, card: Card) -> Scores:
    """The scores of one direction as scores.json holds them: step 0, as nothing was trained here."""
    selection = Selection(step=0, images_seen=0, directions={direction: found.scores})
    metrics = infos(str(card["feature_network"]))
    known = {*found.scores.metrics, *found.measured.columns}
    said = {key: info for key, info in metrics.items() if key in known}
    return Scores(selections={"last": selection}, card=card, metrics=said)


def write_external(path: Path, found: ExternalScores, direction: Direction, card: Card) -> Scores:
    """Write scores.json, images.csv, features/ and samples/ of one direction; the other one's are kept.

    Returns all scores of the folder. Raises BenchError for the folder of a run, or of another system,
    network, data set or protocol.
    """
    folder = RunFolder(path)
    with folder.locked():
        earlier = _earlier(folder, card, direction)
        scores = _merged(external_scores(found, direction, card), earlier, direction)
        if earlier is not None:
            _refuse_to_lose(folder, earlier, scores, direction)
        network = str(card["feature_network"])
        kept, made = folder.features / f"last-{direction}-{network}.npy", npy(found.measured.features[OUTPUT])
        if earlier is not None and kept.exists() and kept.read_bytes() != made:
            announce(
                f"note: {path} held scores of other images {direction}, which are replaced. Another --name "
                "keeps both."
            )
        for name, features in (
            ("last", found.measured.features[OUTPUT]),
            ("real", found.reference.real),
        ):
            atomic.write_bytes(folder.features / f"{name}-{direction}-{network}.npy", npy(features))
        tables = _other_direction(folder.images_csv, direction) | {direction: found.measured}
        write_image_table(folder, dict(sorted(tables.items())))
        write_pictures_of(folder, found, direction, network)
        atomic.write_text(folder.scores_json, scores.model_dump_json(indent=2) + "\n")
    return scores


def write_pictures_of(folder: RunFolder, found: ExternalScores, direction: Direction, network: str) -> None:
    """Keep pictures of one direction for galleries, the other direction's as they are."""
    asked = list(_pictures_to_keep(folder, found.measured, direction, network))
    shown = [place for place, _ in asked]
    sets = {"output": found.sets.generated, "source": found.sets.source}
    pictures = {what: list(each.pick(shown)) for what, each in sets.items() if each is not None}
    entries = [entry for entry in read_entries(folder) if entry.get("direction") != direction]
    for at, (place, facts) in enumerate(asked):
        write_pictures(folder, facts["folder"], {what: made[at] for what, made in pictures.items()})
        of_image = {"direction": direction, "file": found.measured.names[place], "step": 0}
        entries.append({**WITHOUT_MASKS, **of_image, **facts})
    replace_entries(folder, ("final", "extreme"), entries)


def _pictures_to_keep(
    folder: RunFolder, measured: Measured, direction: Direction, network: str
) -> Iterator[tuple[int, Entry]]:
    """(place, facts) of the test images that the runs beside it keep, else of evenly spaced ones; then of the
    extremes by the measures that a run's are chosen by."""
    wanted = [place for place, _ in matches(measured.names, _shown_beside(folder, direction))]
    for at, place in enumerate(wanted or sample_indices(len(measured.names), ScoreSettings().samples)):
        yield place, {"kind": "final", "folder": f"samples/final/{direction}/{at:02d}"}
    for measure, column in measured.columns.items():
        if measure in extreme_keys(network):
            for rank, place, value in extremes(column):
                within = f"samples/extreme/{direction}/{measure}-{rank}"
                facts = {"measure": measure, "rank": rank, "value": value}
                yield place, {"kind": "extreme", "folder": within, **facts}


def _shown_beside(folder: RunFolder, direction: Direction) -> list[str]:
    """The test images of which the first run of the same protocol and data set keeps pictures."""
    for index in sorted(folder.path.parent.glob("*/seed*/samples/index.json")):
        try:
            entries = read_entries(RunFolder(index.parents[1]))
        except (BenchError, OSError):
            continue
        final = [entry for entry in entries if entry.get("kind") == "final"]
        files = [str(entry.get("file")) for entry in final if entry.get("direction") == direction]
        if files:
            return files
    return []


def _earlier(folder: RunFolder, card: Card, direction: Direction) -> Scores | None:
    """The scores that are there already; None where there are none. Raises BenchError for other ones."""
    if folder.run_json.exists():
        raise BenchError(
            f"{folder.path} is the folder of a run. Choose another with --out, or another --name."
        )
    if find_runs(folder.path):
        raise BenchError(
            f"{folder.path} holds runs: scores of images beside them would hide them from reports. Choose "
            "another folder with --out, or another --name."
        )
    if not folder.scores_json.exists():
        return None
    earlier = read_scores(folder.scores_json)
    beside = earlier.selections["last"].directions.keys() - {direction}
    differing = [
        key for key in (*SAME, *(SAME_BESIDE if beside else ())) if earlier.card.get(key) != card.get(key)
    ]
    if differing:
        lines = "\n".join(f"  {key}: here {earlier.card.get(key)}, now {card.get(key)}" for key in differing)
        raise BenchError(
            f"{folder.path} holds other scores:\n{lines}\n"
            "Choose another folder with --out, or remove this one."
        )
    return earlier


def _refuse_to_lose(folder: RunFolder, earlier: Scores, new: Scores, direction: Direction) -> None:
    """Raise BenchError where this direction has values that the new scores have not, as without sources."""
    before = earlier.selections["last"].directions.get(direction)
    if before is None:
        return
    now = new.selections["last"].directions[direction].metrics
    lost = [
        key
        for key, score in before.metrics.items()
        for part in ("value", "floor", "ceiling")
        if getattr(score, part) is not None and (key not in now or getattr(now[key], part) is None)
    ]
    if lost:
        names = ", ".join(dict.fromkeys(lost))
        raise BenchError(
            f"{folder.path} holds values of this direction that would be lost: {names}. Score with what was "
            "given then, as --source and --floor. Or choose another --name or --out, or remove that folder."
        )


def _merged(new: Scores, earlier: Scores | None, direction: Direction) -> Scores:
    """The new direction and the other one of `earlier`, the card likewise."""
    if earlier is None:
        return new
    selection = new.selections["last"]
    directions = earlier.selections["last"].directions | selection.directions
    merged = selection.model_copy(update={"directions": dict(sorted(directions.items()))})
    card, metrics = earlier.card | new.card, earlier.metrics | new.metrics
    card = _told_apart(card, earlier.card, new.card, direction) if len(directions) > 1 else card
    return Scores(selections={"last": merged}, card=card, metrics=metrics)


def _told_apart(card: Card, earlier: Card, new: Card, direction: Direction) -> Card:
    """The card; what follows from the number of images stands there for each direction, if it differs."""
    mine, theirs = f"{OF_A_DIRECTION}_{direction}", f"{OF_A_DIRECTION}_{BACK[direction]}"
    before = earlier.get(theirs, earlier.get(OF_A_DIRECTION))
    if before in (None, new[OF_A_DIRECTION]):
        return {key: value for key, value in card.items() if key not in (mine, theirs)}
    named = {key: value for key, value in card.items() if key != OF_A_DIRECTION}
    return named | {mine: new[OF_A_DIRECTION], theirs: before}


def _other_direction(path: Path, direction: Direction) -> dict[Direction, Measured]:
    """The other direction's rows of an images.csv, as they were measured; empty where there are none."""
    if not path.exists():
        return {}
    other: Direction = "B2A" if direction == "A2B" else "A2B"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["direction"] == other]
    if not rows:
        return {}
    keys = [key for key in rows[0] if key not in ("direction", "file")]
    columns = {key: np.array([float(row[key] or "nan") for row in rows]) for key in keys}
    names = tuple(row["file"] for row in rows)
    return {other: Measured(names, columns, {})}
