"""The A/A control of a study: one variant against itself under further seeds, judged as two variants are.

The first seed of the study is paired with the first further one, and so on. Nothing but the seeds differs, so
every claim would be false. The distances of the summary are compared, in both directions, on every data set.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.names import counted
from bench.statistics import Control, Pair, compare, evaluate_control
from reports.comparability import Group
from reports.comparisons import pairs_of
from reports.frame import StudyFrames, read_study
from reports.numbers import listed
from reports.summaries import chosen
from reports.tables.distances import headline_metric
from reports.tables.scores import DIRECTIONS

LEAD = (
    "One variant against itself, trained again with further seeds and compared as two variants are: "
    "a difference claimed here would be false. The other tables leave these runs out."
)


@dataclass(frozen=True)
class DeclaredControl:
    """The A/A control that a study declared, and its second runs as far as there are any."""

    variant: str
    seeds: tuple[int, ...]
    """Of the first runs, which stand in the tables."""
    further_seeds: tuple[int, ...]
    """Of the second runs, in the order of their partners."""
    folders: tuple[Path, ...]


@dataclass(frozen=True)
class Controlled:
    """How the control came out."""

    lines: tuple[str, ...]
    """The verdict, then every comparison that it rests on, then what is missing."""
    outcome: Control | None = None
    """None where there is nothing to compare yet."""


def controlled(declared: DeclaredControl, groups: Sequence[Group]) -> Controlled:
    """The control held against the runs of the tables."""
    again = read_study(declared.folders)
    comparisons = compare([pair for group in groups for pair in control_pairs(declared, again, group)])
    missing = tuple(_missing(declared, again, groups))
    if not comparisons:
        return Controlled((f"A/A control of {declared.variant}: nothing to compare yet.", *missing))
    p_values = [one.p_value for one in comparisons if one.p_value is not None]
    outcome = evaluate_control(p_values, min(len(one.seeds) for one in comparisons))
    return Controlled((outcome.sentence, *(one.sentence for one in comparisons), *missing), outcome)


def control_pairs(declared: DeclaredControl, again: StudyFrames, group: Group) -> Iterator[Pair]:
    """The variant as both sides of one group's distances, over the seeds that both sides have scored.

    Second runs under other rules or of other images than the group's are no second runs of it: left out.
    """
    key = headline_metric(group)
    if key is None:
        return
    first = group.study.scores[group.study.scores["variant"] == declared.variant]
    second = again.scores[again.scores["folder"].isin(_alike(again.runs, group))]
    partner = dict(zip(declared.further_seeds, declared.seeds, strict=True))
    seeds = (declared.seeds, declared.further_seeds)
    names = [f"{declared.variant} (seeds {_span(each)})" for each in seeds]
    sides = [
        first.assign(variant=names[0]),
        second.assign(variant=names[1], seed=second["seed"].map(partner)),
    ]
    scores = chosen(pd.concat(sides, ignore_index=True), "last")
    for direction in DIRECTIONS:
        yield from pairs_of(scores, names, key, direction)


def _alike(runs: pd.DataFrame, group: Group) -> list[str]:
    """The folders of finished runs on the group's data set, made under its rules from its images."""
    kept = runs[runs["status"].eq("done") & runs["dataset"].eq(group.dataset)]
    for column in ("protocol", "protocol_hash", "data_fingerprint", "features_hash"):
        kept = kept[kept[column].isin(group.study.runs[column].dropna()) | kept[column].isna()]
    return list(kept["folder"])


def _span(seeds: Sequence[int]) -> str:
    """`5-9`, or every seed where they are not consecutive."""
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]}-{seeds[-1]}"
    return listed([str(seed) for seed in seeds])


def _missing(declared: DeclaredControl, again: StudyFrames, groups: Sequence[Group]) -> Iterator[str]:
    done = sum(len(_alike(again.runs, group)) for group in groups)
    left = len(declared.further_seeds) * len(groups) - done
    if left:
        yield f"{counted(left, 'second run')} of {declared.variant} not finished yet: bench study goes on."
