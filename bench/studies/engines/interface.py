"""What a study asks of an engine, and the registry of engines; `local` and `ray` are ours.

    @engine("mine", summary="Where it executes cells.")
    class MyEngine:
        def __init__(self, settings: EngineSettings, device: str) -> None: ...

One of your own is such a class in a plugin file or an installed package. It is made with the study's [engine]
and the device that was asked for, and used as a context manager. `docs/example_engine.py` is one.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from bench.registry import Registry
from bench.studies.process import Message, Order
from bench.studies.study import EngineSettings

Event = tuple[int, Message]
"""Number of a cell, and what its worker says."""


class Engine(Protocol):
    """Executes orders at the same time. Used as a context manager around the whole of a study."""

    def capacity(self) -> int:
        """How many cells may be going on at a time, now."""

    def begin(self, number: int, order: Order) -> None:
        """Start to execute an order; `number` names it in events."""

    def events(self, seconds: float) -> list[Event]:
        """What was said since the last call; waits up to `seconds` for something. An Outcome is the last."""

    def stop(self, kill: bool = False) -> None:
        """Ask every worker to save and stop, or with `kill` end them at once; their Outcomes still come."""


MakeEngine = Callable[[EngineSettings, str], AbstractContextManager[Engine]]
Made = TypeVar("Made", bound=MakeEngine)


@dataclass(frozen=True)
class EngineEntry:
    """What is known of an engine before it is made."""

    summary: str
    make: MakeEngine
    options: tuple[str, ...]
    """What it takes in a study's [engine.options]."""
    is_here: Callable[[EngineSettings], bool]
    """Whether this machine computes; the nodes of a cluster answer for themselves."""


ENGINES: Registry[EngineEntry] = Registry(
    "engine", package="bench.studies.engines", group="bench.engines", see="bench study --help"
)


def never_here(settings: EngineSettings) -> bool:
    """Other machines compute."""
    return False


def engine(
    name: str,
    *,
    summary: str,
    options: tuple[str, ...] = (),
    is_here: Callable[[EngineSettings], bool] = never_here,
) -> Callable[[Made], Made]:
    """Class decorator that gives an engine the name by which `--engine` and a study's [engine] know it.

    `summary` is one sentence. Raises UsageError where another engine has the name.
    """

    def claim(make: Made) -> Made:
        ENGINES.add(name, EngineEntry(summary, make, options, is_here), make)
        return make

    return claim
