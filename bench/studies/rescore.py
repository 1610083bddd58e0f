"""Scoring a finished run again, with the same or another feature network, from its weights alone."""

from pathlib import Path

from bench.cell import Cell
from bench.data import load_dataset
from bench.data.dataset import Dataset
from bench.errors import BenchError
from bench.progress import ProgressReport
from bench.protocol import Protocol
from bench.runs.folder import RunFolder
from bench.runs.record import RunRecord
from bench.runs.scores import Scores, read_scores
from bench.scoring.networks import load_network, require_weights
from bench.scoring.run import SelectionName, Weights, score_selections
from bench.studies import foreign
from bench.training.weights import load_generators, read_origin


def rescore(
    path: Path,
    features: str | None = None,
    weights: Path | None = None,
    *,
    device: str = "cpu",
    data: Path | None = None,
    progress: ProgressReport | None = None,
) -> Scores:
    """Score the finished run in the folder `path` again and replace its scores.

    `features` names the feature network, by default the protocol's; scores of other networks are kept.
    Raises BenchError when the run is not done, its data set is not the one it was trained on, or weights are
    missing, and UsageError for an unknown network.
    """
    folder = RunFolder(path)
    record = _finished(folder)
    cell = cell_of(record)
    if changed := foreign.changed_since(record):
        raise BenchError(f"{path} is not scored again: {changed}. Restore the source, or train it anew.")
    name = features or cell.protocol.score.features
    require_weights(name, weights)
    # Unreadable images are skipped again; the fingerprint tells whether they are the same ones.
    dataset = load_dataset(
        cell.dataset, cell.protocol.images, data=data, skip_bad_images=True, progress=progress
    )
    _require_same_data(folder, record, dataset)
    with folder.locked():
        network = load_network(name, weights, device)
        earlier = read_scores(folder.scores_json) if folder.scores_json.exists() else None
        selections = _selections(folder, record, device)
        return score_selections(
            folder, cell, dataset, selections, network, earlier=earlier, progress=progress
        )


def cell_of(record: RunRecord) -> Cell:
    """The cell that a record is of."""
    names = record.cell
    return Cell(Protocol.model_validate(record.protocol), names.dataset, names.variant, names.seed)


def _finished(folder: RunFolder) -> RunRecord:
    record = folder.read()
    if record.status != "done":
        raise BenchError(
            f"The run in {folder.path} is {record.status}, not done, so it has no final weights to score. "
            "Finish it first with bench run and the same options; it continues where it stopped."
        )
    return record


def _require_same_data(folder: RunFolder, record: RunRecord, dataset: Dataset) -> None:
    if dataset.fingerprint != record.data_fingerprint:
        raise BenchError(
            f"The data set {record.cell.dataset} is not the one that {folder.path} was trained on: its "
            f"fingerprint is {dataset.fingerprint[:16]}, the run's {record.data_fingerprint[:16]}. Restore "
            "the images, or train again with bench run."
        )


def _selections(folder: RunFolder, record: RunRecord, device: str) -> dict[SelectionName, Weights]:
    files: dict[SelectionName, Path] = {
        "last": folder.generator,
        "validation": folder.checkpoints / "validation.safetensors",
    }
    selections: dict[SelectionName, Weights] = {}
    for name, file in files.items():
        if name == "last" or file.exists():
            step = read_origin(file).step
            generators = {
                direction: generator.to(device) for direction, generator in load_generators(file).items()
            }
            seen = min(step * cell_of(record).protocol.train.batch, record.images_seen)
            selections[name] = Weights(step, seen, generators)
    return selections
