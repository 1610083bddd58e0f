"""Hours and memory of a cell, from steps that earlier runs measured. Nothing is guessed."""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.protocol import Protocol, content_hash
from bench.runs.folder import find_runs
from bench.runs.record import RunRecord

Key = tuple[str, str]
PARTS_OF_A_STEP = (
    *("batch", "objective", "discriminator_width", "precision"),
    *("ema_half_life", "diffaugment", "identity_fade"),
)
"""Rules of the training that a step's cost depends on; the later ones are in a record where they are on."""


@dataclass(frozen=True)
class Measured:
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

    def of(self, protocol: Protocol, variant: str) -> Measured | None:
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


def summary(records: list[RunRecord]) -> Measured:
    """The medians over records of equal steps."""
    costs = [record.costs for record in records if record.costs is not None]
    steps = [each.seconds_per_step for each in costs if each.seconds_per_step is not None]
    memory = [each.peak_memory_bytes for each in costs if each.peak_memory_bytes is not None]
    where = records[-1].environment
    return Measured(
        seconds_per_step=statistics.median(steps),
        memory_bytes=int(statistics.median(memory)) if memory else None,
        seconds_scoring=statistics.median(each.seconds_scoring for each in costs),
        device=where.device_name or where.cpu,
    )
