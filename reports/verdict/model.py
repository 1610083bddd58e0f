"""What the sentences of a report are made of: shares of a copy's distance, and their verdicts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from bench.statistics import Comparison, Verdict
from reports.summaries import Summary

COPY = "copy"
WARN_FROM = 0.5
"""Share of a copy's distance from which on the floor leaves too little room for shares to say much."""
UNCHANGED = 0.9
"""Share of unchanged outputs from which on a variant is said to return its input."""


class Mark(StrEnum):
    """How a variant stands to a copy of the input in one task."""

    NEARER = "nearer than a copy"
    FARTHER = "farther than a copy"
    OPEN = "not told apart from a copy"
    NEARER_EACH = "nearer in every seed, too few seeds for a claim"
    FARTHER_EACH = "farther in every seed, too few seeds for a claim"
    COPIES = "returns its input"
    RUNNING = "still running, no verdict yet"
    WAITING = "waiting"
    NONE = "no distance"
    VALUE = "one value, no seed"


DECIDED = frozenset(Mark) - {Mark.RUNNING, Mark.WAITING, Mark.NONE, Mark.VALUE}
NEAR, FAR = frozenset({Mark.NEARER, Mark.NEARER_EACH}), frozenset({Mark.FARTHER, Mark.FARTHER_EACH})


@dataclass(frozen=True)
class Share:
    """One variant in one task, in shares of a copy's distance."""

    variant: str
    mark: Mark
    found: Summary | None = None
    """Raw distances, by seed."""
    copy: float = math.nan
    """The raw distance of the untouched input."""
    bounds: tuple[float, float] | None = None
    """Interval of the mean from 5 seeds on, else the range of the seeds; None for a single value."""
    done: int = 0
    expected: int = 0
    """Seeds with a distance, and seeds that there will be."""
    comparison: Comparison | None = None

    @property
    def mean(self) -> float | None:
        return None if self.found is None else self.found.mean / self.copy

    @property
    def by_seed(self) -> tuple[float, ...]:
        return () if self.found is None else tuple(value / self.copy for value in self.found.by_seed)


@dataclass(frozen=True)
class Task:
    """One direction of one data set."""

    place: str
    """The key of its comparison group."""
    protocol: str
    dataset: str
    direction: str
    key: str
    """The kernel distance that is measured."""
    copy: float
    floor: float | None
    """Raw distance of real images to real images."""
    shares: Mapping[str, Share]
    best: str | None = None
    """The variant that is told apart from every other trained one, where there is one."""
    worst: str | None = None

    @property
    def floor_share(self) -> float | None:
        return None if self.floor is None else self.floor / self.copy

    @property
    def warned(self) -> bool:
        """Whether real images lie so far apart that a share says little."""
        return self.floor_share is not None and self.floor_share > WARN_FROM

    def marked(self, marks: frozenset[Mark], variants: Sequence[str]) -> list[str]:
        """Those of `variants` with one of the marks."""
        return [name for name in variants if name in self.shares and self.shares[name].mark in marks]

    def lowest(self, variants: Sequence[str]) -> str | None:
        """The one of `variants` with the lowest mean, over the seeds that all share where they share any."""
        found = {v: self.shares[v].found for v in variants if v in self.shares}
        known = {variant: one for variant, one in found.items() if one is not None}
        if not known:
            return None
        common = frozenset.intersection(*(frozenset(one.seeds) for one in known.values()))
        return min(known, key=lambda variant: known[variant].mean_over(common))


class Head(StrEnum):
    """What the attention of a variant does."""

    ALIVE = "alive"
    PART = "dead in part"
    DEAD = "dead"
    GIVEN = "given masks"
    COPIES = "copies"
    NONE = "none"
    UNKNOWN = "not measured"


@dataclass(frozen=True)
class Attention:
    """The mask heads of a variant over all its runs, in both directions."""

    head: Head
    dead: int = 0
    heads: int = 0
    effects: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """(group, direction) -> how far the output moves without attention, in levels of 255."""

    @property
    def attends(self) -> bool:
        return self.head in (Head.ALIVE, Head.PART)


@dataclass(frozen=True)
class Answers:
    """Everything that the sentences of a report are made of."""

    tasks: tuple[Task, ...]
    trained: tuple[str, ...]
    """The variants that are counted, in the order of the page: by mean log share over common tasks."""
    untrained: tuple[str, ...]
    systems: Mapping[str, str]
    """Shown and not counted, with the reason."""
    attention: Mapping[str, Attention]
    unchanged: Mapping[str, float]
    """Trained variant -> largest mean share of its outputs that are copies of their input."""
    declared: tuple[Comparison, ...] = ()
    control: tuple[int, int] | None = None
    """Differences claimed between a variant and itself, of so many comparisons."""
    runs_done: int = 0
    runs_planned: int = 0
    running: bool = False
    without_shares: bool = False
    """Whether something trained has a distance, and nowhere has a copy one above 0 to hold it against."""

    @cached_property
    def results(self) -> tuple[Share, ...]:
        """Every decided result of the trained variants."""
        every = [share for task in self.tasks for name, share in task.shares.items() if name in self.trained]
        return tuple(share for share in every if share.mark in DECIDED)

    @cached_property
    def begun(self) -> tuple[Share, ...]:
        """Results of the trained variants with some of their seeds: shown, and not decided."""
        every = [share for task in self.tasks for name, share in task.shares.items() if name in self.trained]
        return tuple(share for share in every if share.mark is Mark.RUNNING and share.found is not None)

    @cached_property
    def tests(self) -> int:
        """Results that Holm corrected over."""
        return sum(s.comparison is not None and s.comparison.p_value is not None for s in self.results)

    @cached_property
    def seeds(self) -> tuple[int, int]:
        """Fewest and most seeds behind a decided result; (0, 0) without any."""
        counts = [share.done for share in self.results]
        return (min(counts), max(counts)) if counts else (0, 0)

    @cached_property
    def claims(self) -> bool:
        """Whether any result has the seeds that a claim needs."""
        supported = (Verdict.SUPPORTED, Verdict.NOT_FOUND)
        return any(s.comparison is not None and s.comparison.verdict in supported for s in self.results)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Every row of the page: trained, systems, untrained."""
        return (*self.trained, *self.systems, *self.untrained)
