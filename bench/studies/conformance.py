"""What an engine must do to execute a study like every other: `bench check --engine`.

    for result in check_engine("local", {}):
        print(result.name, result.passed, result.detail)

It is given cells that train nothing, `copy` on a rendered scene, in a folder that is removed.
"""

import inspect
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import UsageError
from bench.protocol import Protocol, load_protocol
from bench.runs.folder import RunFolder
from bench.studies.engines.interface import ENGINES, Engine, EngineEntry
from bench.studies.process import Message, Order, Outcome
from bench.studies.study import EngineSettings
from variants.registry.checks import CheckResult, Failed, run

PATIENCE = 600.0
"""Seconds in which an engine must say how a small cell ended; a cluster may let it wait."""
NUMBER = 7
"""Of the cell, as events call it."""
TINY = (
    "images.size=32",
    "images.load_size=36",
    "images.per_domain=4",
    "images.test=4",
    "images.validation=0",
    "score.features=tiny",
    "score.kid_subset_size=2",
)


@dataclass(frozen=True)
class CheckedEngine:
    """An engine with the settings that it is made with."""

    entry: EngineEntry
    settings: EngineSettings

    @contextmanager
    def made(self) -> Iterator[tuple[Engine, Path]]:
        """The engine around a study whose folder of runs is removed afterwards."""
        with (
            tempfile.TemporaryDirectory(prefix="bench-check-") as folder,
            self.entry.make(self.settings, "cpu") as engine,
        ):
            yield engine, Path(folder)


def check_engine(name: str, options: Mapping[str, Any]) -> list[CheckResult]:
    """Every check of an engine that is made with these options.

    Raises UsageError for an unknown name, and for an option that it does not take.
    """
    entry = ENGINES.find(name)
    odd = sorted(options.keys() - set(entry.options))
    if odd:
        takes = f"it takes {', '.join(entry.options)}" if entry.options else "it takes none"
        raise UsageError(f"The engine {name} has no option {odd[0]}: {takes}.")
    settings = EngineSettings(kind=name, workers=1, threads=1, options=dict(options))
    return [run(title, check, CheckedEngine(entry, settings)) for title, check in ENGINE_CHECKS.items()]


def tiny_protocol() -> Protocol:
    """The smoke protocol on a handful of small images."""
    return load_protocol("smoke", TINY)


def order_in(folder: Path, **changes: Any) -> Order:
    """A cell of a second or two."""
    cell: dict[str, Any] = {"dataset": "toy-stripes", "variant": "copy", "seed": 0, "device": "cpu"}
    return Order(protocol=tiny_protocol(), runs=folder, started_in=folder, **(cell | changes))


def told_of(engine: Engine) -> list[Message]:
    """What is said of the cell up to its Outcome. Raises Failed where that does not come."""
    said: list[Message] = []
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        events = engine.events(0.2)
        odd = {number for number, _ in events} - {NUMBER}
        if odd:
            raise Failed(f"an event is of cell {odd.pop()}, which was never begun")
        said += [message for _, message in events]
        if any(isinstance(message, Outcome) for message in said):
            return said
    raise Failed(f"no Outcome of a cell in {PATIENCE:.0f} s")


def ended(engine: Engine) -> Outcome:
    """How the cell ended, which is said once and last."""
    said = [*told_of(engine), *(message for _, message in engine.events(0.5))]
    outcomes = [message for message in said if isinstance(message, Outcome)]
    if len(outcomes) > 1:
        raise Failed(f"{len(outcomes)} Outcomes of one cell")
    if said[-1] is not outcomes[0]:
        raise Failed("something is said of the cell after its Outcome")
    return outcomes[0]


def documented(subject: CheckedEngine) -> str:
    """It says in a sentence what it is, and its class has a docstring."""
    if not subject.entry.summary.strip().endswith("."):
        raise Failed("its summary is no sentence")
    if not inspect.getdoc(subject.entry.make):
        raise Failed("its class has no docstring")
    return subject.entry.summary


def capacity(subject: CheckedEngine) -> str:
    """Before anything has begun, at least one cell can."""
    with subject.made() as (engine, _):
        found = engine.capacity()
        if not isinstance(found, int) or isinstance(found, bool) or found < 1:
            raise Failed(f"its capacity is {found!r}, not a whole number from 1 upward")
        if engine.events(0.0):
            raise Failed("it has events before a cell has begun")
    return f"{found} at a time"


def executes(subject: CheckedEngine) -> str:
    """A cell is executed in the folder that was ordered, and ends as done, once."""
    with subject.made() as (engine, runs):
        order = order_in(runs)
        engine.begin(NUMBER, order)
        outcome = ended(engine)
        if outcome.outcome != "done":
            raise Failed(f"a cell ended as {outcome.outcome}: {outcome.reason}")
        record = RunFolder(order.cell().folder(runs)).run_json
        if not record.is_file() or json.loads(record.read_text(encoding="utf-8"))["status"] != "done":
            raise Failed(f"a cell ended as done, and {record.relative_to(runs)} does not say so")
    return "a cell is done, and its folder says so"


def tells_failures(subject: CheckedEngine) -> str:
    """A cell that cannot be executed ends as failed, with the reason."""
    with subject.made() as (engine, runs):
        engine.begin(NUMBER, order_in(runs, dataset=str(runs / "absent")))
        outcome = ended(engine)
        if outcome.outcome != "failed" or "absent" not in outcome.reason:
            said = f"{outcome.outcome}: {outcome.reason}" if outcome.reason else outcome.outcome
            raise Failed(f"a cell without images ended as {said}")
    return outcome.reason.splitlines()[0]


def stops(subject: CheckedEngine) -> str:
    """A cell that is to end at once does end, and its Outcome comes."""
    with subject.made() as (engine, runs):
        engine.begin(NUMBER, order_in(runs))
        engine.stop(kill=True)
        outcome = ended(engine)
        if outcome.outcome not in ("stopped", "done"):
            raise Failed(f"a cell that was ended at once ended as {outcome.outcome}: {outcome.reason}")
    return f"a cell ended as {outcome.outcome}"


ENGINE_CHECKS: dict[str, Callable[[CheckedEngine], str]] = {
    "documented": documented,
    "capacity": capacity,
    "executes": executes,
    "tells failures": tells_failures,
    "stops": stops,
}
