"""The plan of a study: of every cell its folder, its schedule, what it may cost, and how far it is.

Hours and memory come from steps that earlier runs measured; nothing is guessed.
"""

import hashlib
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import variants
from bench.cell import Cell
from bench.errors import BenchError
from bench.protocol import Protocol, content_hash, schedule_hash
from bench.runs.folder import RunFolder, find_runs
from bench.runs.records import RunRecord
from bench.studies.grid import Grid, has_steps
from bench.studies.identity import as_recorded, objective_source
from variants.registry.provenance import provenance

Key = tuple[str, str]
PARTS_OF_A_STEP = (
    *("batch", "objective", "discriminator_width", "precision"),
    *("ema_half_life", "diffaugment", "identity_fade"),
)
"""Rules of the training that a step's cost depends on; the later ones are in a record where they are on."""


@dataclass(frozen=True)
class MeasuredStep:
    """The median of what earlier runs of equal steps took."""

    seconds_per_step: float
    memory_bytes: int | None
    seconds_scoring: float
    device: str
    """Where it was measured."""


def step_key(rules: dict[str, Any], variant: str) -> Key:
    """What the cost of a step depends on: runs of other lengths and other data measure the same step."""
    train = {key: rules["train"][key] for key in PARTS_OF_A_STEP if key in rules["train"]}
    step = {"size": rules["images"]["size"], "model": rules["model"], "train": train}
    return content_hash(step), variant


class Measurements:
    """All that the runs in a folder have measured."""

    def __init__(self, records: Iterable[RunRecord]) -> None:
        found: dict[Key, list[RunRecord]] = defaultdict(list)
        for record in records:
            if record.costs is not None and record.costs.seconds_per_step is not None:
                found[step_key(record.protocol, record.cell.variant)].append(record)
        self._measured = {key: summary(same) for key, same in found.items()}

    def of(self, protocol: Protocol, variant: str) -> MeasuredStep | None:
        """What a step of this variant took; None where nobody has measured one."""
        return self._measured.get(step_key(protocol.model_dump(mode="json"), variant))


def read_measurements(runs: Path) -> Measurements:
    """The measurements of every readable record below `runs`."""
    return Measurements(_readable(runs))


def _readable(runs: Path) -> Iterable[RunRecord]:
    for folder in find_runs(runs):
        try:
            yield folder.read()
        except BenchError:
            continue


def summary(records: list[RunRecord]) -> MeasuredStep:
    """The medians over records of equal steps."""
    costs = [record.costs for record in records if record.costs is not None]
    steps = [each.seconds_per_step for each in costs if each.seconds_per_step is not None]
    memory = [each.peak_memory_bytes for each in costs if each.peak_memory_bytes is not None]
    where = records[-1].environment
    return MeasuredStep(
        seconds_per_step=statistics.median(steps),
        memory_bytes=int(statistics.median(memory)) if memory else None,
        seconds_scoring=statistics.median(each.seconds_scoring for each in costs),
        device=where.device_name or where.cpu,
    )


WITHOUT_A_FILE = "tiny"
"""The feature network whose weights come in no file."""
State = Literal["new", "unfinished", "done", "failed", "other"]


@dataclass(frozen=True)
class Facts:
    """What a plan needs to know of a data set: nothing is known where it cannot be loaded, and why."""

    fingerprint: str | None
    images: tuple[int, int] | None
    """Training images of A and of B."""
    problem: str = ""


@dataclass(frozen=True)
class Wanted:
    """By what the run of a cell is known as its run."""

    protocol_hash: str
    schedule_hash: str | None
    parameters: dict[str, Any]
    source_hash: str | None = None
    """Of a generator that is not ours."""
    weights_hash: str | None = None
    """SHA-256 of the feature network's weights, where a file is named."""
    objective_hash: str | None = None
    """Of an objective that is not ours."""


@dataclass(frozen=True)
class Standing:
    """How far the run of a cell is."""

    state: State
    reason: str = ""
    """Of a failed run."""
    sessions: int = 0
    """Times the run was started or resumed."""


@dataclass(frozen=True)
class Planned:
    """One cell of the plan."""

    cell: Cell
    folder: Path
    wanted: Wanted
    standing: Standing
    """When the plan was made."""
    hours: float | None
    memory_bytes: int | None
    measured_on: str | None
    """The device on which the step was measured that hours and memory come from."""


def make_plan(
    grid: Grid, runs: Path, load_facts: Callable[[str], Facts], weights: Path | None = None
) -> list[Planned]:
    """Every cell of `grid`. `load_facts` is asked once for each data set; `weights` is a file of them."""
    facts = {dataset: load_facts(dataset) for dataset in grid.datasets}
    schedules = {
        (dataset, seed): schedule_hash(grid.protocol, known.fingerprint, seed) if known.fingerprint else None
        for dataset, known in facts.items()
        for seed in (*grid.seeds, *grid.further_seeds)
    }
    measurements = read_measurements(runs)
    measured = {variant: measurements.of(grid.protocol, variant) for variant in grid.variants}
    parameters = {
        variant: variants.recorded_parameters(variant, grid.protocol.model) for variant in grid.variants
    }
    objectives = {variant: objective_source(variant, grid.protocol) for variant in grid.variants}
    sources = {variant: provenance(variant) for variant in grid.variants}
    weights_hash = file_hash(weights) if grid.protocol.score.features != WITHOUT_A_FILE else None
    protocol_hash, planned = grid.protocol.hash(), []
    for cell in grid.cells():
        folder, schedule = cell.folder(runs), schedules[cell.dataset, cell.seed]
        source = sources[cell.variant]
        source_hash = source.hash if source else None
        objective = objectives[cell.variant]
        wanted = Wanted(
            protocol_hash,
            schedule,
            parameters[cell.variant],
            source_hash,
            weights_hash,
            objective.hash if objective else None,
        )
        standing = standing_of(folder, wanted)
        known = measured[cell.variant]
        hours = hours_of(cell, known, facts[cell.dataset].images)
        memory, where = (known.memory_bytes, known.device) if known else (None, None)
        planned.append(Planned(cell, folder, wanted, standing, hours, memory, where))
    return planned


def standing_of(folder: Path, wanted: Wanted) -> Standing:
    """How far the run in `folder` is, read anew.

    The run of another cell than the wanted one is not this one, however far it is: execution is going to
    refuse the folder and say why.
    """
    path = RunFolder(folder).run_json
    if not path.exists():
        return Standing("new")
    try:
        record = RunFolder(folder).read()
    except BenchError as error:
        empty = not path.read_bytes().strip()
        return Standing("unfinished") if empty else Standing("failed", str(error))
    if record.status == "failed":
        return Standing("failed", record.reason or "no reason recorded", record.sessions)
    if not is_wanted(record, wanted):
        return Standing("other", sessions=record.sessions)
    return Standing("done" if record.status == "done" else "unfinished", sessions=record.sessions)


def is_wanted(record: RunRecord, wanted: Wanted) -> bool:
    """Whether the record is one of the wanted cell, as far as that is known without loading its data."""
    same_schedule = wanted.schedule_hash in (None, record.schedule_hash)
    same_parameters = record.parameters == as_recorded(wanted.parameters)
    makings = (
        (record.generator.hash if record.generator else None, wanted.source_hash),
        (record.trained_by.hash if record.trained_by else None, wanted.objective_hash),
        (record.feature_weights.sha256 if record.feature_weights else None, wanted.weights_hash),
    )
    # Records of before these were kept cannot be held against anything.
    same_makings = all(None in (before, now) or before == now for before, now in makings)
    return same_schedule and same_makings and record.protocol_hash == wanted.protocol_hash and same_parameters


def file_hash(weights: Path | None) -> str | None:
    """SHA-256 of a file; None without one, and for one that cannot be read: the cells say so."""
    try:
        return hashlib.sha256(weights.read_bytes()).hexdigest() if weights else None
    except OSError:
        return None


def hours_of(cell: Cell, measured: MeasuredStep | None, images: tuple[int, int] | None) -> float | None:
    """Hours of training and scoring; None where no step was measured or the data set's size is not known."""
    length_is_known = images is not None or cell.protocol.train.images_seen is not None
    if measured is None or not length_is_known:
        return None
    steps = math.ceil(cell.protocol.images_to_see(*(images or (0, 0))) / cell.protocol.train.batch)
    return (steps * measured.seconds_per_step + measured.seconds_scoring) / 3600


def foretold_cost(cell: Cell, runs: Path) -> str:
    """What a run will take here, in words, by the steps that earlier runs below `runs` measured.

    Empty for what trains nothing.
    """
    measured = read_measurements(runs).of(cell.protocol, cell.variant)
    if measured is None:
        if not has_steps(cell.variant):
            return ""
        return "no run of equal steps is there yet; the time left is shown after the first ones"
    step = f"{measured.seconds_per_step:.2g} s a step, measured on {measured.device}"
    hours = hours_of(cell, measured, None)
    if hours is None:
        return f"{step}; epochs are counted when the data set is loaded"
    images = cell.protocol.images_to_see(0, 0)
    return f"about {duration(hours)} for {images} images and their scores; {step}"


def duration(hours: float) -> str:
    """`40 s`, `12 min` or `3.4 hours`."""
    seconds = 3600 * hours
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if hours < 1.5 else f"{hours:.1f} hours"


def load_facts_of(grid: Grid, skip_bad_images: bool, progress: Any) -> Callable[[str], Facts]:
    """A function that loads a data set for its facts; it is in the cache then when the workers want it."""

    def load(dataset: str) -> Facts:
        from bench.data import load_dataset

        try:
            loaded = load_dataset(
                dataset, grid.protocol.images, skip_bad_images=skip_bad_images, progress=progress
            )
        except BenchError as error:
            return Facts(None, None, str(error))
        return Facts(loaded.fingerprint, (len(loaded.A.train.names), len(loaded.B.train.names)))

    return load
