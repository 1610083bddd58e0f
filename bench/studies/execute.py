"""Executing one cell: from a name to a finished run folder. Every step can be repeated safely.

A finished run is scored again, with the same or another feature network, from its weights alone.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

import variants
from bench.cell import Cell, whole_path
from bench.data import load_dataset
from bench.data.dataset import Dataset
from bench.data.masks import as_wanted, masks_fingerprint
from bench.errors import BenchError, announce
from bench.progress import ProgressReport
from bench.protocol import Protocol, schedule_hash
from bench.runs.atomic import require_writable
from bench.runs.folder import RunFolder
from bench.runs.records import (
    CellRecord,
    Costs,
    Environment,
    FeatureWeights,
    GeneratorRecord,
    RunRecord,
    Scores,
    now,
    read_scores,
)
from bench.scoring.kernel import kernel_distance, kernel_leave_one_out
from bench.scoring.metrics.truth import iou_of_best_mask
from bench.scoring.networks import load_network, plain_name, require_weights
from bench.scoring.score_run import SelectionName, Weights, score_run, score_selections
from bench.setup import DEFAULT_EXECUTION, Execution, describe_environment
from bench.studies.identity import (
    changed_since,
    changes,
    conforming,
    generator_record,
    has_begun,
    objective_source,
    refuse_another_cell,
    refuse_other_makings,
    remarks_on,
)
from bench.tracking import show_finished, tracking
from bench.training import Trained, train
from bench.training.checkpoint import load_generators, read_origin
from bench.training.execution import executed_precision
from bench.training.memory import is_out_of_memory
from bench.training.objective import objective_class, objective_name
from variants.contract import Generator
from variants.parts.cost import forward_gflop, parameter_count
from variants.registry.catalogue import find
from variants.registry.provenance import place_in


@dataclass(frozen=True)
class Machine:
    """Where and how a cell is executed: all that may change a result is recorded in its environment."""

    device: str
    threads: int
    weights: Path | None = None
    """A local file with the feature network's weights."""
    skip_bad_images: bool = False
    execution: Execution = DEFAULT_EXECUTION


def execute(cell: Cell, runs: Path, machine: Machine, progress: ProgressReport) -> RunRecord:
    """Train and score `cell` in its folder below `runs`; returns the record of the finished run.

    A finished run is left as it is; an unfinished one continues at its last checkpoint. Raises BenchError
    when something is missing (said before training), the folder belongs to another cell or is in use, or
    the run fails; a failed run keeps everything it had and its reason.
    """
    objective_class(objective_name(cell), cell.protocol.train)
    folder = RunFolder(cell.folder(runs))
    weights = weights_of_cell(cell, machine)
    if not folder.is_done():
        refuse_precision_of_cell(machine, cell)
    dataset = load_dataset(
        cell.dataset, cell.protocol.images, skip_bad_images=machine.skip_bad_images, progress=progress
    )
    as_wanted(dataset, wanted_masks(cell), cell.variant, cell.streams())  # refused before anything is written
    with folder.locked():
        planned = plan(cell, dataset, machine).model_copy(update={"feature_weights": weights})
        record = begin(folder, planned)
        if record.status == "done":
            show_finished(machine.execution.trackers, folder, announce)
            return record
        with (
            tracking(machine.execution.trackers, folder, announce) as grown,
            failure_recorded(folder),
        ):
            generator = variants.build(cell.variant, cell.protocol.model)
            if record.generator is not None:
                note_conformance(folder, cell, record.generator, machine.execution.unchecked)
            costs = counted_costs(generator, cell.protocol.images.size)
            folder.update(**facts_of_generator(cell, dataset, generator))
            network = load_network(cell.protocol.score.features, machine.weights, machine.device)
            trained = train(
                cell,
                dataset,
                folder,
                device=machine.device,
                network=network,
                distance=kernel_distance,
                leave_one_out=kernel_leave_one_out,
                mask_iou=iou_of_best_mask,
                progress=progress,
                execution=machine.execution,
                saved=grown,
            )
            record_training(folder, trained, costs)
            began = time.perf_counter()
            score_run(folder, cell, dataset, trained, network, progress=progress)
            done = record_scoring(folder, time.perf_counter() - began)
            grown()
            return done


def preview(cell: Cell, machine: Machine, progress: ProgressReport) -> RunRecord:
    """What `execute` would record before the first step, with nothing written.

    Raises UsageError where this machine lacks the protocol's precision, and for features that do not exist.
    """
    objective_class(objective_name(cell), cell.protocol.train)
    plain_name(cell.protocol.score.features)
    refuse_precision_of_cell(machine, cell)
    dataset = load_dataset(
        cell.dataset, cell.protocol.images, skip_bad_images=machine.skip_bad_images, progress=progress
    )
    as_wanted(dataset, wanted_masks(cell), cell.variant, cell.streams())
    planned = plan(cell, dataset, machine)
    generator = variants.build(cell.variant, cell.protocol.model)
    return planned.model_copy(update=facts_of_generator(cell, dataset, generator))


def wanted_masks(cell: Cell) -> Literal["own", "other"] | None:
    """The masks that the cell's generator wants of its data set.

    Nothing is said of a generator that cannot be had: building it fails with the reason, which is recorded.
    """
    try:
        return find(variants.parse(cell.variant).name).generator.wants_masks
    except Exception:  # anybody's module may raise anything
        return None


def facts_of(cell: Cell, dataset: Dataset) -> dict[str, Any]:
    """What is recorded of the images, and of masks where a folder brings them or the cell wants them."""
    found = masks_fingerprint(dataset, rendered=wanted_masks(cell) is not None)
    return dataset.facts if found is None else dataset.facts | {"masks_fingerprint": found}


def weights_of_cell(cell: Cell, machine: Machine) -> FeatureWeights:
    """The weights that the cell is validated and scored with. Raises BenchError where they are missing."""
    name = cell.protocol.score.features
    return FeatureWeights(network=plain_name(name), sha256=require_weights(name, machine.weights))


def facts_of_generator(cell: Cell, dataset: Dataset, generator: Generator) -> dict[str, Any]:
    """What is recorded of a generator that is built: what it will see, its own losses, whose masks it has."""
    return {
        "images_to_see": images_to_see(cell, dataset, generator),
        "own_losses": list(generator.own_losses),
        "learns_masks": generator.learns_masks,
    }


def images_to_see(cell: Cell, dataset: Dataset, generator: Generator) -> int:
    """Images of each domain that the cell is fed: none where its variant has nothing to train."""
    if parameter_count(generator) == 0:
        return 0
    return cell.protocol.images_to_see(len(dataset.A.train.names), len(dataset.B.train.names))


def plan(cell: Cell, dataset: Dataset, machine: Machine) -> RunRecord:
    """What the run folder records of `cell` before its variant is built; `bench run --dry-run` prints it."""
    described = variants.describe(cell.variant)
    generator = generator_record(cell)
    return RunRecord(
        status="running",
        cell=CellRecord(
            protocol=cell.protocol.name,
            dataset=whole_path(cell.dataset),
            variant=cell.variant,
            seed=cell.seed,
        ),
        kind=described.kind,
        own_objective=described.objective,
        protocol=cell.protocol.model_dump(mode="json"),
        protocol_hash=cell.protocol.hash(),
        data_fingerprint=dataset.fingerprint,
        schedule_hash=schedule_hash(cell.protocol, dataset.fingerprint, cell.seed),
        parameters=variants.recorded_parameters(cell.variant, cell.protocol.model),
        generator=generator,
        objective_source=objective_source(cell.variant, cell.protocol),
        data=facts_of(cell, dataset),
        environment=environment_of(cell, machine),
        started=now(),
        warnings=[*dataset.warnings, *remarks_on(cell, generator)],
    )


def environment_of(cell: Cell, machine: Machine) -> Environment:
    """The machine and the software as they are now, and how training is carried out on them."""
    execution = machine.execution
    executed = {
        "precision": executed_precision(
            cell.protocol.train.precision, torch.device(machine.device), fallback=True
        ),
        "compiled": execution.compile,
        "deterministic": execution.deterministic,
    }
    return describe_environment(machine.device, machine.threads).model_copy(update=executed)


def refuse_precision_of_cell(machine: Machine, cell: Cell) -> None:
    """Raise UsageError where the device lacks the cell's precision and no other was asked for."""
    fallback = machine.execution.precision_fallback
    executed_precision(cell.protocol.train.precision, torch.device(machine.device), fallback)


def begin(folder: RunFolder, planned: RunRecord) -> RunRecord:
    """Write the planned record into a new folder, or take up the run that is there.

    Raises BenchError, with both, when the folder holds a run of another cell, or one made by another
    generator or other feature weights.
    """
    if not folder.run_json.exists() or not folder.run_json.read_bytes().strip():
        folder.write(planned)
        return planned
    existing = folder.read()
    if not has_begun(folder, existing):
        # Nothing comes from the plugin of then: the mended one is taken, its parameters included.
        mended = {"parameters": planned.parameters, "generator": None, "objective_source": None}
        existing = existing.model_copy(update=mended)
    refuse_another_cell(folder, existing, planned)
    refuse_other_makings(folder, existing, planned)
    if existing.status == "done":
        return existing
    return folder.update(
        status="running",
        reason=None,
        cell=planned.cell,
        sessions=existing.sessions + 1,
        environment=planned.environment,
        parameters=planned.parameters,
        generator=existing.generator or planned.generator,
        objective_source=existing.objective_source or planned.objective_source,
        feature_weights=planned.feature_weights,
        warnings=merged_warnings(existing, planned),
    )


def merged_warnings(existing: RunRecord, planned: RunRecord) -> list[str]:
    """The warnings of earlier sessions, then new ones: another machine may round another way."""
    differing = [
        f"Continued with another {change}: the result need not be bit for bit that of an uninterrupted run."
        for change in changes(existing.environment, planned.environment)
    ]
    return list(dict.fromkeys([*existing.warnings, *planned.warnings, *differing]))


def note_conformance(folder: RunFolder, cell: Cell, generator: GeneratorRecord, unchecked: bool) -> None:
    """Have a generator that is not ours checked, and record it. Raises NotConforming unless `unchecked`."""
    checked = conforming(cell, generator, unchecked)
    warnings = folder.read().warnings
    if checked.failed_checks:
        failed = "; ".join(f"{name}: {detail}" for name, detail in checked.failed_checks.items())
        warnings = [*warnings, f"Trained unchecked although {cell.variant} fails: {failed}"]
    folder.update(generator=checked, warnings=list(dict.fromkeys(warnings)))


def counted_costs(generator: Generator, size: int) -> Costs:
    """What can be counted of the cost before the first step. What cannot is recorded, and no failure."""
    count, reason = None, None
    try:
        count = forward_gflop(generator.eval(), size)
    except Exception as error:  # anybody's generator
        reason = " ".join(f"{type(error).__name__}: {error}".split())
    return Costs(parameters=parameter_count(generator), gflop=count, gflop_reason=reason)


def record_training(folder: RunFolder, trained: Trained, counted: Costs) -> None:
    """Note how the training went and what it took, beside what was `counted` of its cost before."""
    took = {
        "seconds_training": trained.seconds_training,
        "seconds_data": trained.seconds_data,
        "seconds_per_step": trained.seconds_per_step,
        "peak_memory_bytes": trained.peak_memory_bytes,
    }
    costs = counted.model_copy(update=took)
    folder.update(
        images_seen=trained.images_seen,
        steps=trained.steps,
        trace_hash=trained.trace_hash,
        trace_hash_without_pool=trained.trace_hash_without_pool,
        images_until_awake=trained.images_until_awake,
        costs=costs,
        environment=folder.read().environment.model_copy(update={"compiled": trained.compiled}),
        warnings=list(dict.fromkeys([*folder.read().warnings, *trained.warnings])),
    )


def record_scoring(folder: RunFolder, seconds: float) -> RunRecord:
    """Note that the run is done; returns its final record."""
    costs = folder.read().costs
    assert costs is not None  # record_training came before
    return folder.update(
        status="done",
        reason=None,
        finished=now(),
        costs=costs.model_copy(update={"seconds_scoring": seconds}),
    )


@contextlib.contextmanager
def failure_recorded(folder: RunFolder) -> Iterator[None]:
    """Record why the work within failed, then let the error go on."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            record_failure(folder, error_in_a_line(error))
            raise
        message = (
            f"Out of memory: {error}. Smaller images (--set images.size=...), a narrower model "
            "(--set model.width=...), batch 1 or --set train.precision=bf16 need less."
        )
        record_failure(folder, message)
        raise BenchError(message) from error


def error_in_a_line(error: Exception) -> str:
    """An error in a line: what can be mended in its own words, another with its kind and its place."""
    if isinstance(error, BenchError | variants.VariantError):
        return str(error)
    place = place_in(error)
    return f"{type(error).__name__}: {error}" + (f" ({place})" if place else "")


def record_failure(folder: RunFolder, reason: str) -> None:
    """Set the status to failed; on a full disk the status cannot be written and stays `running`."""
    with contextlib.suppress(BenchError):
        folder.update(status="failed", reason=" ".join(reason.split()), finished=now())


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
    require_writable(path, None, locks=True)
    cell = cell_of_record(record)
    if changed := changed_since(record):
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


def cell_of_record(record: RunRecord) -> Cell:
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
    wants = wanted_masks(cell_of_record(record)) is not None
    before, now_there = record.data.get("masks_fingerprint"), masks_fingerprint(dataset, rendered=wants)
    if wants and before is not None and before != now_there:
        raise BenchError(
            f"The masks of {record.cell.dataset} are not those that {folder.path} was trained with. Restore "
            "them, or train again with bench run."
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
            seen = min(step * cell_of_record(record).protocol.train.batch, record.images_seen)
            selections[name] = Weights(step, seen, generators)
    return selections
