"""Trackers: what shows a run in another program while it is trained. TensorBoard is one; plugins add others.

    from bench.tracking import Tracker, tracker

    @tracker("notebook", summary="A line in a file for every validation.")
    class Notebook(Tracker):
        def update(self) -> None: ...

    bench run --variant slot9 --track notebook --plugin notebook.py

A tracker reads the run folder (docs/run-folder.md) and is told when it has grown: at every checkpoint, after
scoring, and, where the run was finished before, once. So it shows what is kept and nothing else, an
interrupted run is one curve, and old runs can be shown too. It changes nothing of the run: one that fails is
left out, with a remark, and the run goes on.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from bench.errors import BenchError
from bench.registry import Registry
from bench.runs.folder import RunFolder


class Tracker(ABC):
    """One run shown elsewhere, from one session of training; used as a context manager.

    The constructor takes the run's folder, in which run.json lies, and raises UsageError for what is missing,
    such as a package: that is said before the training.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    @abstractmethod
    def update(self) -> None:
        """The folder has grown: show what is new in losses.csv, validation.csv, samples/ and scores.json."""

    def close(self) -> None:  # noqa: B027  nothing to be done by most
        """The session ends, whether the run is finished or not."""


@dataclass(frozen=True)
class TrackerEntry:
    """What is known of a tracker."""

    name: str
    summary: str
    make: Callable[[RunFolder], Tracker]


TRACKERS: Registry[TrackerEntry] = Registry(
    "tracker", package="bench.tracking", group="bench.trackers", see="bench run --help"
)
Class = TypeVar("Class", bound=type[Tracker])


def tracker(name: str, *, summary: str) -> Callable[[Class], Class]:
    """Class decorator that gives a tracker a name. Raises UsageError where another has it."""

    def enter(made: Class) -> Class:
        TRACKERS.add(name, TrackerEntry(name, summary, made), made)
        return made

    return enter


def tracker_names(tensorboard: bool, others: Sequence[str]) -> tuple[str, ...]:
    """The trackers that were asked for, each known. Raises UsageError for an unknown name."""
    names = (*(["tensorboard"] if tensorboard else []), *others)
    return tuple(TRACKERS.find(name).name for name in dict.fromkeys(names))


@contextmanager
def tracking(
    names: Sequence[str], folder: RunFolder, announce: Callable[[str], None]
) -> Iterator[Callable[[], None]]:
    """Within, the function that is given tells every named tracker that the folder has grown.

    Raises UsageError for an unknown name and for what a tracker lacks. What a tracker raises later is
    announced once, and it is asked no more.
    """
    entries = [TRACKERS.find(name) for name in dict.fromkeys(names)]
    with ExitStack() as stack:
        alive = {entry.name: entry.make(folder) for entry in entries}

        def carefully(name: str, work: Callable[[], None]) -> None:
            try:
                work()
            except Exception as error:  # anybody's tracker: the run is worth more
                alive.pop(name, None)
                reason = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
                announce(f"note: the tracker {name} is left out: {reason}")

        def tell() -> None:
            for name, each in list(alive.items()):
                carefully(name, each.update)

        def end() -> None:
            for name, each in list(alive.items()):
                carefully(name, each.close)

        stack.callback(end)
        yield tell


def show_finished(names: Sequence[str], folder: RunFolder, announce: Callable[[str], None]) -> None:
    """Show a run that was finished before to every named tracker; raises and announces as `tracking`."""
    with tracking(names, folder, announce) as grown:
        grown()
