"""Scores that a study is expected to reach, and how far they may be off: `--record FILE`, `--check FILE`.

A bit for bit comparison would fail on every other processor and version, because training amplifies rounding.
What another rounding does to a score is at most what another seed does to it. So the tolerance comes from
the seeds of the recorded study itself: for each data set, direction and metric, the standard deviation over
seeds, pooled over the trained variants, makes the standard error of a difference of two means of n seeds;
four of these are allowed. Where nothing is trained, such as copying, the tolerance is 0.1 % of the value.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean, variance
from typing import NamedTuple

from pydantic import ValidationError

from bench.errors import BenchError, UsageError
from bench.protocol import Settings
from bench.runs import atomic
from bench.runs.folder import RunFolder
from bench.runs.metrics import is_distance, stem
from bench.runs.records import first_problem, read_scores, refuse_newer
from bench.setup import versions

SCHEMA_VERSION = 1
METRICS = {"cycle_l1", "structure"}
STANDARD_ERRORS = 4.0
RELATIVE = 1e-3
RULE = (
    "tolerance = 4 * pooled standard deviation over seeds * sqrt(2 / seeds), at least 0.1 % of the value; "
    "value = mean over seeds, weights of the last step"
)


class Expected(Settings):
    """One mean score with its tolerance."""

    dataset: str
    variant: str
    direction: str
    metric: str
    value: float
    tolerance: float


class Expectation(Settings):
    """The whole of the file."""

    schema_version: int = SCHEMA_VERSION
    study: str
    protocol_hash: str
    seeds: int
    rule: str = RULE
    versions: dict[str, str]
    """Of the packages that the recorded scores were made with."""
    scores: tuple[Expected, ...]


class PooledScore(NamedTuple):
    """What is pooled over variants."""

    dataset: str
    direction: str
    metric: str


Values = dict[PooledScore, dict[str, list[float]]]
"""PooledScore -> variant -> one value for each seed."""


def collect(folders: Iterable[RunFolder]) -> tuple[Values, set[str], set[str]]:
    """(values, trained variants, protocol hashes) of runs. Raises BenchError for an unfinished one."""
    values: Values = defaultdict(lambda: defaultdict(list))
    trained, protocols = set(), set()
    for folder in folders:
        record = folder.read()
        if record.status != "done":
            raise BenchError(f"{folder.path} is {record.status}; finish the study first, then repeat this.")
        protocols.add(record.protocol_hash)
        if record.images_to_see:
            trained.add(record.cell.variant)
        for direction, scores in read_scores(folder.scores_json).selections["last"].directions.items():
            for key, score in scores.metrics.items():
                if (is_distance(key) or stem(key) in METRICS) and score.value is not None:
                    column = PooledScore(record.cell.dataset, direction, key)
                    values[column][record.cell.variant].append(score.value)
    return values, trained, protocols


def make_expectation(study: str, folders: Iterable[RunFolder]) -> Expectation:
    """What a finished study of at least two seeds lets one expect of the next."""
    values, trained, protocols = collect(folders)
    counts = {len(seeds) for variants in values.values() for seeds in variants.values()}
    if len(counts) != 1 or counts == {1}:
        raise BenchError("An expectation needs every cell of the study done, with at least two seeds.")
    seeds = counts.pop()
    scores = tuple(expected(values, trained, seeds))
    return Expectation(
        study=study, protocol_hash=protocols.pop(), seeds=seeds, versions=versions(), scores=scores
    )


def expected(values: Values, trained: set[str], seeds: int) -> Iterator[Expected]:
    """The expected scores, in the order in which they were collected."""
    for column, variants in values.items():
        variances = [variance(each) for name, each in variants.items() if name in trained]
        spread = math.sqrt(fmean(variances)) if variances else 0.0
        for name, each in variants.items():
            value = fmean(each)
            noise = STANDARD_ERRORS * spread * math.sqrt(2 / seeds) if name in trained else 0.0
            yield Expected(
                dataset=column.dataset,
                variant=name,
                direction=column.direction,
                metric=column.metric,
                value=value,
                tolerance=max(noise, RELATIVE * abs(value)),
            )


def write_expectation(path: Path, study: str, folders: Iterable[RunFolder]) -> None:
    """Record the scores of a finished study."""
    atomic.write_text(path, make_expectation(study, folders).model_dump_json(indent=1) + "\n")


def read_expectation(path: Path) -> Expectation:
    """Read a recorded expectation. Raises UsageError where it is missing, damaged or of a newer schema."""
    try:
        text = path.read_text(encoding="utf-8")
        refuse_newer(path, text, SCHEMA_VERSION, UsageError)
        return Expectation.model_validate_json(text)
    except OSError as error:
        raise UsageError(
            f"Cannot read {path}: {error.strerror}. Record one with: bench study STUDY --record FILE"
        ) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no expectation (not UTF-8 text: {error.reason}).") from None
    except ValidationError as error:
        raise UsageError(f"{path} is no expectation ({first_problem(error)}).") from None


def drifts(expectation: Expectation, folders: Iterable[RunFolder]) -> list[str]:
    """One sentence for every score that is missing or off by more than its tolerance."""
    values, _, protocols = collect(folders)
    if protocols != {expectation.protocol_hash}:
        return [
            f"The rules are others: expected protocol {expectation.protocol_hash}, found "
            f"{', '.join(sorted(protocols))}. Record the expectation again with --record."
        ]
    found = []
    for each in expectation.scores:
        column = PooledScore(each.dataset, each.direction, each.metric)
        measured = values.get(column, {}).get(each.variant)
        name = f"{each.metric} of {each.variant}, {each.direction} on {each.dataset}"
        if not measured:
            found.append(f"{name}: missing, expected {each.value:.6g}")
        elif not abs(fmean(measured) - each.value) <= each.tolerance:
            found.append(f"{name}: {fmean(measured):.6g}, expected {each.value:.6g} ± {each.tolerance:.2g}")
    return found
