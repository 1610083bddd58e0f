"""What a study asks of an engine; `local` and `ray` are the two there are."""

from typing import Protocol

from bench.studies.orders import Message, Order

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
