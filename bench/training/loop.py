"""The training loop: a cell and a data set become two trained generators in a run folder."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.cell import Cell
from bench.data.dataset import Dataset, Split
from bench.data.masks import as_wanted
from bench.data.order import BatchOrder, Draw, fetch, fetch_masks
from bench.data.tensors import mask_tensor, to_tensor
from bench.progress import ProgressReport, Silent
from bench.runs.folder import RunFolder
from bench.setup import DEFAULT_EXECUTION, Execution
from bench.signals import Stopped, stop_requests
from bench.training.checkpoint import load_generators, save_generators
from bench.training.execution import executed_cell, executing, is_compiled, make_ready
from bench.training.logs import peak_memory
from bench.training.schedule import Schedule, StepStreams
from bench.training.session import Generators, Session, evaluating, fresh_generators
from bench.training.validate import (
    PIXELS_AT_ONCE,
    Distance,
    Features,
    Jackknife,
    MaskIou,
    Validator,
    sample_split,
    write_progress,
)

SECONDS_BETWEEN_CHECKPOINTS = 60.0
BEST_WEIGHTS = "validation.safetensors"
"""In the folder `checkpoints`: both generators at the best validation step."""


@dataclass(frozen=True)
class Trained:
    """What a training leaves to be scored and recorded; generators are on the device, in eval mode."""

    generators: Generators
    """`A2B` and `B2A` at the last step, averaged where the protocol has an average."""
    validation_generators: Generators | None
    """The same at the step chosen on the validation split; None where nothing could be validated."""
    validation_step: int | None
    steps: int
    images_seen: int
    """Images of each domain fed."""
    trace_hash: str | None
    """None where nothing is trained."""
    trace_hash_without_pool: str | None
    """The same over images, crops, flips and learning rates alone."""
    seconds_training: float
    """Training steps alone, all sessions together, without validation and checkpoints."""
    seconds_data: float
    seconds_per_step: float | None
    """Median after the first ten steps."""
    peak_memory_bytes: int | None
    warnings: tuple[str, ...]
    """Remarks for the record, such as a damaged checkpoint passed over."""
    images_until_awake: int | None = None
    """Images seen at the first validation where masks deviate over space by more than `AWAKE_DEVIATION`."""
    compiled: bool = False
    """Whether the networks went through torch.compile in the last session."""


def train(
    cell: Cell,
    dataset: Dataset,
    folder: RunFolder,
    *,
    device: str = "cpu",
    network: Features | None = None,
    distance: Distance | None = None,
    leave_one_out: Jackknife | None = None,
    mask_iou: MaskIou | None = None,
    progress: ProgressReport | None = None,
    execution: Execution = DEFAULT_EXECUTION,
    seconds_between_checkpoints: float = SECONDS_BETWEEN_CHECKPOINTS,
    saved: Callable[[], None] | None = None,
) -> Trained:
    """Train `cell` in `folder`, or go on where an earlier session stopped: on a CPU the result is the same.

    `network` and `distance` choose the best weights on the validation split; without them none are chosen.
    `leave_one_out` holds them against the copy of the same images, `mask_iou` their masks against true ones.
    `saved` is called after every checkpoint.
    Raises UsageError where the device lacks the precision, BenchError where memory does not suffice, a loss
    is not finite or a file cannot be written, and Stopped, with all saved, after Ctrl-C or SIGTERM.
    """
    streams, where, report = cell.streams(), torch.device(device), progress or Silent()
    generators = fresh_generators(cell, where)
    wants_masks = generators["A2B"].wants_masks
    dataset = as_wanted(dataset, wants_masks, cell.variant, streams)
    if not generators["A2B"].trainable:
        return untrained(cell, dataset, folder, generators)
    sizes = (len(dataset.A.train), len(dataset.B.train))
    schedule = Schedule(cell.protocol.images_to_see(*sizes), cell.protocol.train)
    order = BatchOrder(sizes, cell.protocol.images, cell.protocol.train.batch, streams)
    evaluator = Evaluator(cell, dataset, folder, network, distance, leave_one_out, mask_iou)
    executed = executed_cell(cell, where, execution)
    session = Session(executed, generators, schedule)
    with executing(session.objective, executed, execution), stop_requests(insisting=True) as stop:
        remarks = make_ready(session.objective, cell, executed, execution)
        session.resume(folder, where)
        session.warnings += remarks
        report.start(f"training {cell.variant}", schedule.steps, session.step)
        last_saved = session.clock.start()
        for step in range(session.step + 1, schedule.steps + 1):
            with session.clock.waiting_for_data():
                draw = order.draw(step - 1)
                images = batch_of(dataset, draw, where, masks=wants_masks is not None)
            rates = schedule.rates(step)
            session.objective.set_rates(rates)
            done = session.learn(images, StepStreams(streams, step), schedule.images_seen(step))
            session.record(step, draw, done, rates)

            if schedule.is_logged(step):
                session.settle()
            if schedule.is_validated(step):
                evaluator.evaluate(session, schedule.images_seen(step))
            report.advance(1, session.losses.figures())
            overdue = time.perf_counter() - last_saved >= seconds_between_checkpoints
            stopped_by = stop.first
            if overdue or stopped_by or schedule.is_validated(step):
                session.save(folder)
                if saved is not None:
                    saved()
                last_saved = session.clock.start()
            if stopped_by:
                raise Stopped(stopped_by, stopped_after(stopped_by.name, step, schedule.steps))
    return finished(cell, folder, session, schedule)


def batch_of(dataset: Dataset, draw: Draw, device: torch.device, *, masks: bool) -> dict[str, Tensor]:
    """The images of a step as the objective takes them, and their masks where the generators want them."""
    images = zip("AB", fetch(dataset, draw), strict=True)
    batch = {domain: to_tensor(each).to(device) for domain, each in images}
    for domain, each in zip("AB", fetch_masks(dataset, draw), strict=True) if masks else ():
        batch[f"mask_{domain}"] = mask_tensor(each).to(device)
    return batch


class Evaluator:
    """Looks at the generators of a session without changing them."""

    def __init__(
        self,
        cell: Cell,
        dataset: Dataset,
        folder: RunFolder,
        network: Features | None,
        distance: Distance | None,
        leave_one_out: Jackknife | None = None,
        mask_iou: MaskIou | None = None,
    ) -> None:
        samples = cell.protocol.score.samples
        self._cell = cell
        self._folder = folder
        self._validator = Validator(dataset, cell.streams(), network, distance, leave_one_out, mask_iou)
        self._samples = {
            "A": sample_split(dataset.A.test, samples),
            "B": sample_split(dataset.B.test, samples),
        }

    def evaluate(self, session: Session, images_seen: int) -> None:
        """Add a row to validation.csv, keep the generators if they are the best, make the pictures."""
        session.settle()
        with evaluating(session.kept):
            row = self._validator.validate(session.kept, session.step, images_seen)
            if session.validations.add(row):
                best = self._folder.checkpoints / BEST_WEIGHTS
                save_generators(best, session.kept, self._cell.variant, session.step)
            write_progress(self._folder, session.kept, self._samples, self._cell.streams(), session.step)
        session.clock.start()


def stopped_after(signal: str, step: int, steps: int) -> str:
    """What a person reads of a training that was asked to stop."""
    return (
        f"Stopped by {signal} after step {step} of {steps}; everything is saved. "
        "Repeat the command to continue."
    )


def finished(cell: Cell, folder: RunFolder, session: Session, schedule: Schedule) -> Trained:
    """Keep the weights of the last step and gather what the run record needs."""
    save_generators(folder.generator, session.kept, cell.variant, session.step)
    device = session.objective.device
    best = session.validations.best
    return Trained(
        generators={direction: each.eval() for direction, each in session.kept.items()},
        validation_generators=best_generators(folder, device) if best else None,
        validation_step=best.step if best else None,
        steps=session.step,
        images_seen=schedule.images_seen(session.step),
        trace_hash=session.trace,
        trace_hash_without_pool=session.trace_without_pool,
        seconds_training=session.clock.seconds,
        seconds_data=session.clock.data_seconds,
        seconds_per_step=session.clock.seconds_per_step,
        peak_memory_bytes=peak_memory(device),
        warnings=session.warnings,
        images_until_awake=session.validations.images_until_awake,
        compiled=is_compiled(session.objective),
    )


def best_generators(folder: RunFolder, device: torch.device) -> Generators:
    """The generators that did best on the validation split."""
    loaded = load_generators(folder.checkpoints / BEST_WEIGHTS)
    return {direction: generator.to(device) for direction, generator in loaded.items()}


def untrained(cell: Cell, dataset: Dataset, folder: RunFolder, generators: Generators) -> Trained:
    """The outcome for a baseline without trainable weights, such as `copy` or `colour`: no step is done."""
    fit_generators(generators, dataset)
    save_generators(folder.generator, generators, cell.variant, step=0)
    return Trained(
        generators={direction: each.eval() for direction, each in generators.items()},
        validation_generators=None,
        validation_step=None,
        steps=0,
        images_seen=0,
        trace_hash=None,
        trace_hash_without_pool=None,
        seconds_training=0.0,
        seconds_data=0.0,
        seconds_per_step=None,
        peak_memory_bytes=None,
        warnings=(),
    )


def fit_generators(generators: Generators, dataset: Dataset) -> None:
    """Let each direction take what it needs from the training images, those that others are trained on."""
    generators["A2B"].fit(batches(dataset.A.train), batches(dataset.B.train))
    generators["B2A"].fit(batches(dataset.B.train), batches(dataset.A.train))


def batches(split: Split) -> Iterator[Tensor]:
    """All images of a split once, in its order, [b, 3, h, w] in [-1, 1], whole and not mirrored."""
    _, height, width, _ = split.images.shape
    at_once = max(1, PIXELS_AT_ONCE // (height * width))
    for start in range(0, len(split), at_once):
        yield to_tensor(split.images[start : start + at_once])
