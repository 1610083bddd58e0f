"""`results.json`: everything that the report's tables are made of, for other programs (docs/report.md)."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from bench.runs.metrics import is_distance
from reports import metrics
from reports.comparability import Group
from reports.findings import GroupSummary
from reports.frame import StudyFrames, records
from reports.run_files import NOT_LOSSES, read_losses
from reports.verdict.answers import answer_all
from reports.verdict.model import Answers, Share
from reports.verdict.words import plain

RESULTS_SCHEMA_VERSION = 2


class Result(BaseModel):
    """Frozen; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RunResult(Result):
    """One run folder, finished or not."""

    run: str
    """Protocol, dataset, variant and seed, as in the run's path."""
    status: str
    reason: str | None
    variant: str
    kind: str | None
    seed: int | None
    schedule_hash: str | None
    trace_hash: str | None
    trace_hash_without_pool: str | None
    own_objective: str | None
    """What a baseline was trained with in place of the protocol's objective."""
    images_seen: int | None
    parameters: int | None
    gflop: float | None
    seconds_training: float | None
    peak_memory_bytes: int | None


class ScoreResult(Result):
    """One metric of one variant over its seeds. Values are raw: nothing is multiplied by 100.

    What is computed here (means, intervals) is rounded to nine significant digits.
    """

    variant: str
    direction: str
    selection: str
    metric: str
    better: str
    values: dict[str, float]
    """Seed -> value; seeds without a finite value are left out. Empty for images of other programs."""
    mean: float
    """For images of other programs their one value."""
    interval: tuple[float, float] | None
    """95 % of the mean over seeds; None under 5 seeds."""
    floor: float | None
    ceiling: float | None
    share_of_copy: float | None = None
    """Of a kernel or Frechet distance: the mean as a share of what copying the input gets."""


class LossResult(Result):
    """A loss of one run at the beginning and at the end of its training, its weight included."""

    run: str
    loss: str
    first_tenth: float | None
    """Mean over the first tenth of the logged steps, at least one of them; None where one is not a number."""
    last_tenth: float | None


class ComparisonResult(Result):
    """One declared comparison, as bench.statistics words it."""

    metric: str
    direction: str
    a: str
    b: str
    seeds: list[int]
    mean_difference: float
    interval: tuple[float, float] | None
    p_adjusted: float | None
    verdict: str
    favours: str | None
    sentence: str


class CopyResult(Result):
    """One variant held against copying the input in one task, in shares of a copy's distance."""

    variant: str
    mark: str
    """`nearer than a copy`, `farther than a copy`, `not told apart from a copy`, or why there is none."""
    counted: bool
    """Whether it is a trained variant under the schedule of the others; what is not is shown alone."""
    share: float | None
    shares: dict[str, float]
    """Seed -> share."""
    bounds: tuple[float, float] | None
    """95 % interval of the mean from 5 seeds on, else the range of the seeds."""
    p_adjusted: float | None
    """Of the paired comparison with a copy, by Holm over all results of the report."""
    sentence: str | None
    seeds_done: int
    seeds_expected: int


class TaskResult(Result):
    """One direction of one data set."""

    protocol: str
    dataset: str
    direction: str
    metric: str
    copy_distance: float
    floor_share: float | None
    floor_is_high: bool
    """Whether real images lie above half a copy's distance apart: shares then say little."""
    best: str | None
    """The variant told apart from every other trained one."""
    results: list[CopyResult]


class VerdictResult(Result):
    """What the first screen of the page says, and what it is made of."""

    headline: str
    lede: str
    answers: dict[str, str]
    """Question -> answer."""
    order: list[str]
    """The variants in the order of the page."""
    tasks: list[TaskResult]


class GroupResult(Result):
    """One protocol on one data set: runs that may be compared."""

    protocol: str
    dataset: str
    protocol_hashes: list[str]
    data_fingerprints: list[str]
    schedule_differences: list[str]
    """Empty where every run followed one schedule."""
    runs: list[RunResult]
    scores: list[ScoreResult]
    losses: list[LossResult]
    """Of every finished run that was trained."""
    comparisons: list[ComparisonResult]
    summary: dict[str, list[str]]


class Results(Result):
    """The whole of results.json."""

    schema_version: int = RESULTS_SCHEMA_VERSION
    groups: list[GroupResult]
    left_out: list[RunResult]
    """Runs that belong to no group: their names cannot be read."""
    control: list[str] = []
    """The sentences on the A/A control that a study declared; its verdict first."""
    verdict: VerdictResult | None = None
    """None in results.json of before there was one."""


def results(
    groups: Sequence[Group],
    summaries: Sequence[GroupSummary],
    study: StudyFrames,
    found: Answers,
    control: Sequence[str] = (),
) -> Results:
    """The results of a report's groups, with the sentences that it prints."""
    grouped = {folder for group in groups for folder in group.study.runs["folder"]}
    rest = study.runs[~study.runs["folder"].isin(grouped)]
    made = [_group(group, summary) for group, summary in zip(groups, summaries, strict=True)]
    return Results(groups=made, left_out=_runs(rest), control=list(control), verdict=_verdict(found))


def _verdict(found: Answers) -> VerdictResult:
    said = answer_all(found)
    return VerdictResult(
        headline=plain(said.headline),
        lede=plain(said.lede),
        answers={question: plain(f"{word} {rest}").strip() for question, _, word, rest in said.answers()},
        order=list(found.order),
        tasks=[
            TaskResult(
                protocol=task.protocol,
                dataset=task.dataset,
                direction=task.direction,
                metric=task.key,
                copy_distance=_rounded(task.copy),
                floor_share=None if task.floor_share is None else _rounded(task.floor_share),
                floor_is_high=task.warned,
                best=task.best,
                results=[
                    _against_copy(found, task.shares[name]) for name in found.order if name in task.shares
                ],
            )
            for task in found.tasks
        ],
    )


def _against_copy(found: Answers, share: Share) -> CopyResult:
    comparison = share.comparison
    p = None if comparison is None else comparison.p_adjusted
    seeds = () if share.found is None else share.found.seeds
    return CopyResult(
        variant=share.variant,
        mark=str(share.mark),
        counted=share.variant in found.trained,
        share=None if share.mean is None else _rounded(share.mean),
        shares=dict(zip(map(str, seeds), map(_rounded, share.by_seed), strict=False)),
        bounds=_both(share.bounds),
        p_adjusted=None if p is None else _rounded(p),
        sentence=None if comparison is None else comparison.sentence,
        seeds_done=share.done,
        seeds_expected=share.expected,
    )


def _group(group: Group, summary: GroupSummary) -> GroupResult:
    runs = group.study.runs
    return GroupResult(
        protocol=group.protocol,
        dataset=group.dataset,
        protocol_hashes=sorted(runs["protocol_hash"].dropna().unique()),
        data_fingerprints=sorted(runs["data_fingerprint"].dropna().unique()),
        schedule_differences=[str(difference) for difference in group.differences],
        runs=_runs(runs),
        scores=_scores(group),
        losses=list(_losses(runs)),
        comparisons=[
            ComparisonResult(
                metric=outcome.metric,
                direction=outcome.direction,
                a=outcome.a,
                b=outcome.b,
                seeds=list(outcome.seeds),
                mean_difference=_rounded(outcome.mean_difference),
                interval=_both(outcome.interval),
                p_adjusted=None if outcome.p_adjusted is None else _rounded(outcome.p_adjusted),
                verdict=str(outcome.verdict),
                favours={"a": outcome.a, "b": outcome.b}.get(outcome.favours or ""),
                sentence=outcome.sentence,
            )
            for outcome in summary.comparisons
        ],
        summary={
            "compared": list(summary.compared),
            "schedule": list(summary.schedule),
            "found": [finding.sentence for finding in (*summary.headlines, *summary.found)],
            "not_told": list(summary.not_told),
        },
    )


def _runs(runs: pd.DataFrame) -> list[RunResult]:
    named = runs.assign(run=[_name(row) for row in records(runs)])
    fields = list(RunResult.model_fields)
    return [RunResult(**{name: _plain(getattr(row, name)) for name in fields}) for row in records(named)]


def _name(row: Any) -> str:
    parts = (getattr(row, name) for name in ("protocol", "dataset", "variant"))
    known = [str(part) for part in parts if not pd.isna(part)]
    seed = getattr(row, "seed", None)
    return "/".join(known + ([] if seed is None or pd.isna(seed) else [f"seed{seed}"]))


def _plain(value: Any) -> Any:
    """A value of a frame as JSON has it: missing is None."""
    if value is None or pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _scores(group: Group) -> list[ScoreResult]:
    found = []
    for selection in ("last", "validation"):
        columns = ["floor", "ceiling"]
        means = group.chosen[selection].groupby(["metric", "direction", "variant"])[columns].mean()
        references = {place: (low, high) for place, low, high in means.itertuples()}
        keys = metrics.ordered(set(group.chosen[selection]["metric"]))
        for variant in group.variants:
            for direction in ("A2B", "B2A"):
                for metric in keys:
                    summary = group.summary(metric, direction, variant, selection)
                    if summary is None:
                        continue
                    floor, ceiling = map(_known, references[metric, direction, variant])
                    distance = is_distance(metric)
                    share = summary.mean / ceiling if distance and ceiling and ceiling > 0 else None
                    found.append(
                        ScoreResult(
                            variant=variant,
                            direction=direction,
                            selection=selection,
                            metric=metric,
                            better=metrics.better(metric),
                            values=dict(zip(map(str, summary.seeds), summary.by_seed, strict=False)),
                            mean=_rounded(summary.mean),
                            interval=_both(summary.interval()),
                            floor=floor,
                            ceiling=ceiling,
                            share_of_copy=None if share is None else _rounded(share),
                        )
                    )
    return found


def _losses(runs: pd.DataFrame) -> Iterator[LossResult]:
    for run in records(runs[runs["status"] == "done"]):
        table = read_losses(str(run.folder))
        tenth = math.ceil(len(table) / 10)
        losses = table[[name for name in table.columns if name not in NOT_LOSSES] if tenth else []]
        first, last = _means(losses[:tenth]), _means(losses[len(losses) - tenth :])
        for loss, begun, ended in zip(losses.columns, first, last, strict=True):
            yield LossResult(run=_name(run), loss=loss, first_tenth=_known(begun), last_tenth=_known(ended))


def _means(table: pd.DataFrame) -> list[float]:
    """The mean of every column, over what is a number in it; pandas takes far longer for a short table."""
    values = table.to_numpy(dtype=float)
    known = ~np.isnan(values)
    counts = known.sum(axis=0)
    with np.errstate(invalid="ignore"):  # of infinities of both signs
        sums = np.where(known, values, 0.0).sum(axis=0)
    return [float(total / count) if count else math.nan for total, count in zip(sums, counts, strict=True)]


def _known(value: float) -> float | None:
    return _rounded(value) if math.isfinite(value) else None


def _rounded(value: float) -> float:
    """Nine significant digits: what is computed here reads the same on every machine."""
    return float(f"{value:.9g}")


def _both(bounds: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if bounds is None else (_rounded(bounds[0]), _rounded(bounds[1]))
