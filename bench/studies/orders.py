"""What a driver and its workers say to each other, one JSON object a line."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bench.cell import Cell
from bench.execution import AS_USUAL, Execution
from bench.protocol import Protocol, Settings


class Order(Settings):
    """To a worker: execute this cell, here, in this way. What else may change a result is recorded."""

    protocol: Protocol
    dataset: str
    variant: str
    seed: int
    runs: Path
    device: str = "auto"
    threads: int = 1
    weights: Path | None = None
    skip_bad_images: bool = False
    plugins: tuple[Path, ...] = ()
    execution: Execution = AS_USUAL
    started_in: Path | None = None
    """The folder in which the command was given: relative paths are meant from there."""
    imports: tuple[str, ...] = ()
    """Folders that the command imports from, beside Python's own."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Variables of the command's environment that a worker on another machine may lack."""

    def cell(self) -> Cell:
        """The cell to execute."""
        return Cell(self.protocol, self.dataset, self.variant, self.seed)


class Progress(Settings):
    """From a worker: how far it is with what it does now."""

    event: Literal["progress"] = "progress"
    task: str
    total: int
    done: int
    first: int
    """Units that an earlier session had done when this one began."""
    figures: str = ""


class Outcome(Settings):
    """From a worker, its last word.

    `done`: finished, now or before. `failed`: `reason` says why. `held`: another process is at work in the
    folder. `stopped`: it was asked to stop; the same cell can be continued.
    """

    event: Literal["outcome"] = "outcome"
    outcome: Literal["done", "failed", "held", "stopped"]
    reason: str = ""


Message = Progress | Outcome
MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Progress | Outcome, Field(discriminator="event")])
