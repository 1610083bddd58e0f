"""Scoring a finished training: everything that is measured of a run, into its folder."""

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bench.cell import Cell
from bench.data.dataset import Dataset, Domain
from bench.data.masks import as_wanted
from bench.progress import ProgressReport, Silent
from bench.runs import atomic
from bench.runs.folder import RunFolder
from bench.runs.records import DIRECTIONS, Direction, DirectionScores, Scores, Selection, real_fingerprint_key
from bench.scoring.features import fingerprint
from bench.scoring.measure import OUTPUT, DirectionMeasurement, Measured, measure_alone
from bench.scoring.metric import infos, on_images
from bench.scoring.metrics.cost import scores_of_course
from bench.scoring.networks.network import FeatureNetwork, Features
from bench.scoring.references import ReferenceFeatures, dataset_reference
from bench.scoring.samples import write_final_samples
from bench.scoring.summarise import (
    feature_columns,
    feature_sets,
    image_scores,
    metric_card,
    set_scores,
    with_earlier_networks,
)
from variants.contract import Generator

if TYPE_CHECKING:
    from bench.training import Trained

SelectionName = Literal["last", "validation"]


@dataclass(frozen=True)
class Weights:
    """One choice of weights to be scored."""

    step: int
    images_seen: int
    generators: Mapping[str, Generator]
    """`A2B` and `B2A`."""


def score_run(
    folder: RunFolder,
    cell: Cell,
    dataset: Dataset,
    trained: "Trained",
    network: FeatureNetwork,
    *,
    progress: ProgressReport | None = None,
) -> Scores:
    """Measure what a training left, on the test split: `last`, and `validation` where weights were chosen.

    Writes features/, images.csv and the final pictures, then scores.json. Raises BenchError for outputs that
    are not finite and for fewer than 2 test images.
    """
    selections: dict[SelectionName, Weights] = {
        "last": Weights(trained.steps, trained.images_seen, trained.generators)
    }
    if trained.validation_generators is not None and trained.validation_step is not None:
        seen = min(trained.validation_step * cell.protocol.train.batch, trained.images_seen)
        selections["validation"] = Weights(trained.validation_step, seen, trained.validation_generators)
    return score_selections(folder, cell, dataset, selections, network, progress=progress)


def score_selections(
    folder: RunFolder,
    cell: Cell,
    dataset: Dataset,
    selections: Mapping[SelectionName, Weights],
    network: FeatureNetwork,
    *,
    earlier: Scores | None = None,
    progress: ProgressReport | None = None,
) -> Scores:
    """Measure each choice of weights and write everything; `earlier` scores of other networks are kept.

    A choice of the same step as one before it is the same weights and is not measured twice.
    """
    wanted = next(iter(selections.values())).generators["A2B"].wants_masks
    dataset = as_wanted(dataset, wanted, cell.variant, cell.streams())
    scoring = RunScoring(folder, cell, dataset, network, progress or Silent())
    scoring.write_real_features()
    done: dict[SelectionName, Selection] = {}
    measured: dict[int, dict[Direction, Measured]] = {}
    for name, weights in selections.items():
        if weights.step not in measured:
            measured[weights.step] = scoring.measure(weights)
        scoring.write_features(name, measured[weights.step])
        done[name] = scoring.summarise(weights, measured[weights.step])
        if name == "last":
            scoring.write_images(weights, measured[weights.step])
    new = Scores(selections=done, card=scoring.card(), metrics=infos(network.name))
    scores = with_earlier_networks(new, earlier)
    atomic.write_text(folder.scores_json, scores.model_dump_json(indent=2) + "\n")
    return scores


class RunScoring:
    """What all choices of weights of one run share: the data, its reference features, the network."""

    def __init__(
        self,
        folder: RunFolder,
        cell: Cell,
        dataset: Dataset,
        network: FeatureNetwork,
        report: ProgressReport,
    ) -> None:
        self._folder, self._cell, self._dataset = folder, cell, dataset
        self._network, self._report = network, report
        reference = partial(dataset_reference, network, dataset, progress=report)
        self._references: dict[Direction, ReferenceFeatures] = {
            direction: reference(direction) for direction in DIRECTIONS
        }
        self._real_fingerprints = {
            direction: fingerprint(self._domain(direction[-1]).test.images) for direction in DIRECTIONS
        }
        self._targets = {
            direction: measure_alone(self._domain(direction[-1]).test.images) for direction in DIRECTIONS
        }

    def measure(self, weights: Weights) -> dict[Direction, Measured]:
        """One pass over the test split in each direction."""
        found: dict[Direction, Measured] = {}
        for direction in DIRECTIONS:
            measurement = DirectionMeasurement(
                weights.generators,
                direction,
                self._domain(direction[0]),
                self._network,
                self._cell.streams(),
                self._cell.protocol.score.noise_draws,
            )
            each = measurement.run(self._report)
            real = self._references[direction].real
            each.columns.update(feature_columns(each.features[OUTPUT], real, self._network.name))
            found[direction] = each
        return found

    def summarise(self, weights: Weights, measured: Mapping[Direction, Measured]) -> Selection:
        """All scores of one choice of weights."""
        directions: dict[Direction, DirectionScores] = {}
        course = scores_of_course(self._folder)
        for direction, each in measured.items():
            reference = self._references[direction]
            sets = feature_sets(each, reference, self._cell.protocol.score.kid_subset_size)
            directions[direction] = DirectionScores(
                images_generated=len(each.names),
                images_real=len(reference.real),
                metrics={
                    **set_scores(sets, self._network.name, reference.floor),
                    **image_scores(each, self._targets[direction]),
                    **course[direction],
                },
            )
        return Selection(step=weights.step, images_seen=weights.images_seen, directions=directions)

    def write_features(self, selection: SelectionName, measured: Mapping[Direction, Measured]) -> None:
        """Keep the features of the translations, rows in the order of images.csv."""
        for direction, each in measured.items():
            name = f"{selection}-{direction}-{self._network.name}.npy"
            atomic.write_bytes(self._folder.features / name, npy(each.features[OUTPUT]))

    def write_real_features(self) -> None:
        """Keep the features of the target domains' test images: `bench compare` recomputes distances."""
        for direction, reference in self._references.items():
            name = f"real-{direction}-{self._network.name}.npy"
            atomic.write_bytes(self._folder.features / name, npy(reference.real))

    def write_images(self, weights: Weights, measured: Mapping[Direction, Measured]) -> None:
        """Write images.csv and the final pictures."""
        write_image_table(self._folder, measured)
        write_final_samples(
            self._folder,
            self._cell,
            self._dataset,
            weights.generators,
            measured,
            weights.step,
            self._network.name,
        )

    def card(self) -> dict[str, Any]:
        """How the scores were made."""
        counts = {}
        for direction, reference in self._references.items():
            counts[f"images_real_{direction}"] = len(reference.real)
            counts[f"images_floor_{direction}"] = len(reference.floor) if reference.floor is not None else 0
            counts[f"images_generated_{direction}"] = len(self._domain(direction[0]).test)
        seen = {real_fingerprint_key(each): found for each, found in self._real_fingerprints.items()}
        card = metric_card(self._network, self._cell.protocol.score.kid_subset_size, counts)
        return card | seen | {"noise_draws": self._cell.protocol.score.noise_draws, "seed": self._cell.seed}

    def _domain(self, name: str) -> Domain:
        return self._dataset.A if name == "A" else self._dataset.B


def npy(features: Features) -> bytes:
    """Features as the content of a .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, features.astype(np.float32), allow_pickle=False)
    return buffer.getvalue()


def write_image_table(folder: RunFolder, measured: Mapping[Direction, Measured]) -> None:
    """Replace images.csv by the columns of both directions, one row per test image and direction.

    Columns stand in the order of tables, those of single masks by number, those of features last by name.
    """
    present = {key for each in measured.values() for key in each.columns}
    known = [key for entry in on_images() for key in entry.columns(len(present)) if key in present]
    keys = known + sorted(present - set(known))
    rows: list[list[str]] = []
    for direction, each in measured.items():
        for place, name in enumerate(each.names):
            cells = [_cell(each.columns[key][place]) if key in each.columns else "" for key in keys]
            rows.append([direction, name, *cells])
    atomic.write_csv(folder.images_csv, ["direction", "file", *keys], rows)


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.7g}"
