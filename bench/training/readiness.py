"""What happens between a built objective and its first step: what can be refused is refused here."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from bench.cell import Cell
from bench.setup import Execution
from bench.training.compiling import compile_networks
from bench.training.determinism import determinism
from bench.training.memory import refuse_what_does_not_fit, running_out_explained
from bench.training.objective import Objective
from bench.training.precision import deviation, executed_precision


def executed_cell(cell: Cell, device: torch.device, execution: Execution) -> Cell:
    """The cell as it is computed: in fp32 where bf16 is wanted, is not there, and need not be.

    Raises UsageError where the device lacks the precision and no other was asked for.
    """
    settings = cell.protocol.train
    precision = executed_precision(settings.precision, device, execution.precision_fallback)
    train = settings.model_copy(update={"precision": precision})
    return replace(cell, protocol=cell.protocol.model_copy(update={"train": train}))


def make_ready(objective: Objective, cell: Cell, executed: Cell, execution: Execution) -> tuple[str, ...]:
    """Check the memory and compile if asked to; remarks for the record on what is not as it was wanted.

    Raises BenchError where a step does not fit in memory.
    """
    wanted, precision = cell.protocol.train.precision, executed.protocol.train.precision
    remarks = deviation(wanted, precision, objective.device)
    remarks += refuse_what_does_not_fit(objective, executed.variant, executed.protocol)
    if execution.compile:
        remarks += compile_networks(objective, executed.protocol.train.batch, executed.protocol.images.size)
    return remarks


@contextmanager
def carried_out(objective: Objective, cell: Cell, execution: Execution) -> Iterator[None]:
    """Within, steps are deterministic if asked for, and memory that runs out is explained."""
    running_out = running_out_explained(objective, cell.variant, cell.protocol)
    with running_out, determinism(execution.deterministic):
        yield
