"""`bench power`: from finished runs, the seeds and test images that would find a difference, and the hours.

The arithmetic is in `bench.statistics.power`; here it is given the runs' values, and its answer is put into
words.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.comparing.outcome import pair_runs
from bench.comparing.pairing import Catalogue, ComparisonRequest, Scored, without_repetition
from bench.errors import BenchError, UsageError
from bench.names import command, counted
from bench.runs.metrics import is_distance, is_kernel, network
from bench.runs.records import Direction
from bench.setup import processor
from bench.statistics import Pair, Side
from bench.statistics.claims import number
from bench.statistics.comparison import measured_from_target
from bench.statistics.paired import POWER
from bench.statistics.power import MOST_SEEDS, Needed, VarianceParts, detectable, seeds_needed, variance_parts

TIMES = (1.0, 2.0, 4.0)
"""Test images of the forecast, as multiples of those that there are."""


@dataclass(frozen=True)
class Effect:
    """The size of a difference to be found: a share of the second side's value, or a value itself."""

    amount: float
    relative: bool

    def of(self, value: float) -> float:
        """The difference in the unit of the measure."""
        return abs(value) * self.amount if self.relative else self.amount


@dataclass(frozen=True)
class Forecast:
    """What is needed for one measure, direction and data set. All values are raw."""

    metric: str
    direction: str
    dataset: str
    a: str
    b: str
    factor: int
    """What people are shown values times."""
    mean_a: float
    mean_b: float
    difference: float
    """To be found, in the unit of the measure."""
    parts: VarianceParts
    detectable_now: float | None
    """With the seeds and images that there are; None under 2 seeds' worth of spread."""
    needed: tuple[Needed, ...]
    """At several numbers of test images, or at those that there are."""
    hours_a: float | None
    hours_b: float | None
    """Training and scoring one seed of either, as it took in the runs; None where it is not recorded."""
    alone: tuple[int, int]
    """Seeds that are finished of either side alone: the other's runs of these complete a pair."""
    power: float
    """The probability of finding the difference that was asked for."""
    machines: tuple[str, ...]
    """Where that was."""

    def missing(self, seeds: int) -> tuple[int, int]:
        """Runs of either side that so many seeds of both still want; where one has it, only the other's."""
        pairs = max(0, seeds - self.parts.seeds)
        only_a, only_b = self.alone
        # The dearer run is saved first.
        dear_first = (self.hours_a or 0.0) >= (self.hours_b or 0.0)
        of_a = min(only_a, pairs) if dear_first else min(only_a, max(0, pairs - only_b))
        of_b = min(only_b, pairs - of_a)
        return pairs - of_a, pairs - of_b

    def hours(self, seeds: int) -> float | None:
        """What the runs that are still missing would take; None where it is not recorded."""
        if self.hours_a is None or self.hours_b is None:
            return None
        of_a, of_b = self.missing(seeds)
        return of_a * self.hours_a + of_b * self.hours_b


def parse_effect(text: str) -> Effect:
    """`10%` or `25`, above 0. Raises UsageError for anything else."""
    bare = text.strip()
    try:
        value = float(bare.removesuffix("%"))
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise UsageError(
            f"--detect {text!r} is no size of a difference. Give a share such as 10%, or a value such as 25 "
            "in the unit that bench compare prints."
        )
    return Effect(value / 100, True) if bare.endswith("%") else Effect(value, False)


def forecast(
    request: ComparisonRequest,
    catalogue: Catalogue,
    effect: Effect,
    *,
    comparisons: int = 1,
    power: float = POWER,
) -> tuple[list[Forecast], list[str]]:
    """A forecast for every metric, direction and data set that was asked for, and remarks.

    Raises BenchError or UsageError as `compare_runs`, and where fewer than 2 seeds are common to both.
    """
    paired = pair_runs(request, catalogue)
    if not paired.scored:
        raise UsageError(
            "Images of another program have no seeds, so none can be forecast. Name two variants."
        )
    by_dataset = {one.group.dataset: one for one in paired.scored}
    pairs = [pair for pair in paired.pairs if request.metrics or is_kernel(pair.metric)]
    known = [pair for pair in pairs if len(pair.seeds) >= 2]
    if not known:
        raise BenchError(
            f"A forecast needs the spread over seeds: at least 2 that {paired.names[0]} and "
            f"{paired.names[1]} share, better 3 or more. Run the seeds that one of them lacks, with the "
            f"command of its other runs and another --seed; what is there: {command('list', 'runs')}"
        )
    made = [_forecast(pair, by_dataset[pair.dataset], request, effect, comparisons, power) for pair in known]
    remarks = [
        *paired.remarks,
        *(
            f"{one.metric} {one.direction} on {one.dataset}: one seed alone"
            for one in pairs
            if one not in known
        ),
    ]
    return made, without_repetition([*remarks, *other_machines_remark(made)])


def _forecast(
    pair: Pair, scored: Scored, request: ComparisonRequest, effect: Effect, comparisons: int, power: float
) -> Forecast:
    a, b = measured_from_target(pair.a, pair), measured_from_target(pair.b, pair)
    parts = variance_parts(
        np.subtract(a.values, b.values), blocks_of(a, b), noise_variance(pair, scored, request.selection)
    )
    mean_b = float(np.mean(b.values))
    wanted = effect.of(mean_b) / (1 if effect.relative else pair.factor)
    if wanted == 0:
        raise BenchError(
            f"{pair.metric} of {b.name} is 0, so no share of it can be found. Give --detect a value."
        )
    counts = [None] if parts.test_images is None else [round(times * parts.test_images) for times in TIMES]
    error = parts.error(parts.seeds, parts.test_images)
    hours, machines = costs_of(scored, pair)
    hours_a, hours_b = hours or (None, None)
    return Forecast(
        pair.metric,
        pair.direction,
        pair.dataset,
        a.name,
        b.name,
        pair.factor,
        float(np.mean(a.values)),
        mean_b,
        wanted,
        parts,
        detectable(parts, parts.seeds, parts.test_images, comparisons, power) if error.total > 0 else None,
        tuple(seeds_needed(parts, wanted, count, comparisons, power) for count in counts),
        hours_a,
        hours_b,
        scored.group.alone,
        power,
        machines,
    )


def blocks_of(a: Side, b: Side) -> list[np.ndarray]:
    """The leave-one-out values of the difference; none where one side has none."""
    if len(a.leave_one_out) != len(b.leave_one_out):
        return []
    return [x - y for x, y in zip(a.leave_one_out, b.leave_one_out, strict=True)]


def noise_variance(pair: Pair, scored: Scored, selection: str) -> float | None:
    """What another draw of the slots' noise makes of the difference's variance; None where it is not kept."""
    if not is_distance(pair.metric):
        return None
    spread = "noise_kd_spread" if is_kernel(pair.metric) else "noise_fd_spread"
    key = f"{spread}({network(pair.metric) or 'inception'})"
    total = 0.0
    for side in (scored.a, scored.b):
        spreads = []
        for seed in pair.seeds:
            found = side[seed].selections[selection].directions[_direction(pair)].metrics  # type: ignore[index]
            score = found.get(key) or found.get(spread)
            if score is None or score.value is None:
                return None
            spreads.append(score.value**2)
        total += float(np.mean(spreads))
    return total


def _direction(pair: Pair) -> Direction:
    return "A2B" if pair.direction == "A2B" else "B2A"


def costs_of(scored: Scored, pair: Pair) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """Hours of one seed of either variant, and the machines that it took them on."""
    hours, machines = [], set()
    for side in (scored.group.a, scored.group.b):
        costs = [side[seed].record.costs for seed in pair.seeds]
        known = [cost.seconds_training + cost.seconds_scoring for cost in costs if cost is not None]
        if not known:
            return None, ()
        hours.append(float(np.mean(known)) / 3600)
        environments = [side[seed].record.environment for seed in pair.seeds]
        machines |= {each.device_name or each.cpu for each in environments}
    return (hours[0], hours[1]), tuple(sorted(machines))


def other_machines_remark(forecasts: Sequence[Forecast]) -> Iterator[str]:
    """A remark where the hours were measured on other machines than this."""
    machines = {name for one in forecasts for name in one.machines}
    others = sorted(machines - {processor()})
    if others:
        yield f"hours are those of {', '.join(others)}: this machine may take others (bench profile)"


def in_words(one: Forecast) -> Iterator[str]:
    """What a person reads of a forecast, a sentence each."""

    def value(raw: float) -> str:
        return number(one.factor * raw)

    share = f"{100 * one.difference / abs(one.mean_b):.3g} % of {one.b}'s {value(one.mean_b)}"
    if one.detectable_now is not None:
        at = f" and {counted(one.parts.test_images, 'test image')}" if one.parts.test_images else ""
        yield (
            f"With {counted(one.parts.seeds, 'seed')}{at} a test would find a difference of "
            f"{value(one.detectable_now)} with a probability of {100 * one.power:.3g} %; "
            f"{value(one.difference)} is wanted ({share})."
        )
    yield from contributions(one.parts)
    for each in one.needed:
        at = f" at {counted(each.test_images, 'test image')}" if each.test_images else ""
        if each.seeds is None:
            yield (
                f"No number of seeds finds it{at}: the test images alone leave more doubt."
                if each.images_stand_in_the_way
                else f"More than {MOST_SEEDS} seeds{at} would be needed to find it."
            )
            continue
        cost = costs_in_words(one, each.seeds)
        span = f"{each.fewest or '?'} to {each.most or 'more than can be had'}"
        rough = f"({span}, as the spread is known from {counted(one.parts.seeds, 'seed')})"
        yield f"{counted(each.seeds, 'seed')}{at} would find it {rough}{cost}."


def costs_in_words(one: Forecast, seeds: int) -> str:
    """How many runs of either are still missing, and their hours where these are known."""
    missing, hours = one.missing(seeds), one.hours(seeds)
    if not any(missing):
        return ", which are there"
    runs = " and ".join(
        f"{count} of {name}" for count, name in zip(missing, (one.a, one.b), strict=True) if count
    )
    took = "" if hours is None else f" {number(hours)} hours for"
    return f",{took} {counted(sum(missing), 'run')} still missing ({runs})"


def contributions(parts: VarianceParts) -> Iterator[str]:
    """What each part makes of the variance of one seed's difference."""
    total = parts.seed + parts.both + (parts.images or 0.0)
    if total == 0:
        return
    shares = [("training seed", parts.seed)]
    if parts.images is not None:
        shares += [("seed and image together", parts.both), ("test images", parts.images)]
    told = ", ".join(f"{name} {part / total:.0%}" for name, part in shares)
    noise = ""
    if parts.noise is not None:
        noise = f"; the draw of the slots' noise makes {min(1.0, parts.noise / total):.1%} of it"
    unknown = "" if parts.images is not None else " (of the test images nothing is kept)"
    yield f"Variance of one seed's difference: {told}{unknown}{noise}."
