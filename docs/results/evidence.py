"""What the pages of docs/ ask of a study: its runs, scores, losses, and the differences that may be claimed.

Nothing is measured here. A number that no run gives is printed as "not run", so that a page of an unfinished
study is true as far as it goes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import variance
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from bench.runs.metrics import DEAD_DEVIATION
from bench.runs.records import DIRECTIONS
from bench.statistics.claims import Verdict
from bench.statistics.paired import ALPHA, PairedError, holm, smallest_detectable
from bench.studies.grid import Grid, expand
from bench.studies.study import load_study
from reports.comparisons import arrow_text
from reports.frame import sort_variants
from reports.numbers import fixed, significant
from reports.results import GroupResult, Results, RunResult, ScoreResult

NOT_RUN = "not run"


@dataclass(frozen=True)
class Pair:
    """The values of two variants in runs that share data set, direction and seed."""

    dataset: str
    direction: str
    a: float
    b: float


class Evidence:
    """The results of one study, asked by data set, variant, metric and direction."""

    def __init__(self, results: Results) -> None:
        self.groups: dict[str, GroupResult] = {group.dataset: group for group in results.groups}
        self._scores: dict[tuple[str, str, str, str], ScoreResult] = {
            (group.dataset, score.variant, score.metric, score.direction): score
            for group in results.groups
            for score in group.scores
            if score.selection == "last"
        }

    @property
    def datasets(self) -> list[str]:
        return list(self.groups)

    @property
    def variants(self) -> list[str]:
        """Every variant that has a score, in the order of the report."""
        kinds = {run.variant: run.kind or "variant" for group in self.groups.values() for run in group.runs}
        return sort_variants({variant for _, variant, _, _ in self._scores}, kinds)

    @property
    def with_masks(self) -> list[str]:
        """Those that have masks."""
        return [variant for variant in self.variants if self.dead_heads(variant) != "-"]

    def score(self, dataset: str, variant: str, metric: str, direction: str = "A2B") -> ScoreResult | None:
        """What was measured of the weights of the last step; None where nothing was."""
        return self._scores.get((dataset, variant, metric, direction))

    def values(self, dataset: str, variant: str, metric: str, direction: str = "A2B") -> dict[int, float]:
        """Seed -> value; empty where nothing was measured."""
        found = self.score(dataset, variant, metric, direction)
        return {} if found is None else {int(seed): value for seed, value in found.values.items()}

    def mean(self, dataset: str, variant: str, metric: str, direction: str = "A2B", digits: int = 3) -> str:
        """The mean over seeds."""
        found = self.score(dataset, variant, metric, direction)
        return NOT_RUN if found is None else significant(found.mean, digits)

    def both(self, dataset: str, variant: str, metric: str, digits: int = 3) -> str:
        """The means of both directions, `A2B / B2A`."""
        means = [self.mean(dataset, variant, metric, direction, digits) for direction in DIRECTIONS]
        return NOT_RUN if set(means) == {NOT_RUN} else " / ".join(means)

    def floor(self, dataset: str, metric: str, direction: str = "A2B") -> float | None:
        """Real against real; for measurements of single images the target domain's own value."""
        return next(self._references(dataset, metric, direction, "floor"), None)

    def ceiling(self, dataset: str, metric: str, direction: str = "A2B") -> float | None:
        """What copying the input gets."""
        return next(self._references(dataset, metric, direction, "ceiling"), None)

    def reference(self, dataset: str, metric: str, direction: str) -> str:
        """The floor as text: of a measurement of single images, the target domain's own value."""
        value = self.floor(dataset, metric, direction)
        return NOT_RUN if value is None else significant(value, 3)

    def _references(self, dataset: str, metric: str, direction: str, name: str) -> Iterator[float]:
        for variant in self.variants:
            found = self.score(dataset, variant, metric, direction)
            value = getattr(found, name, None)
            if value is not None:
                yield value

    def pairs(self, a: str, b: str, metric: str, datasets: Sequence[str] = ()) -> Iterator[Pair]:
        """Every pair of runs on the given data sets or on all, in both directions."""
        for dataset in datasets or self.datasets:
            for direction in DIRECTIONS:
                of_a, of_b = (self.values(dataset, variant, metric, direction) for variant in (a, b))
                for seed in sorted(of_a.keys() & of_b.keys()):
                    yield Pair(dataset, direction, of_a[seed], of_b[seed])

    def by_seed(self, a: str, b: str, metric: str, dataset: str, direction: str = "A2B") -> str:
        """`a` minus `b` for every seed, in the order of the seeds."""
        return ", ".join(map(signed, self._differences(a, b, metric, dataset, direction))) or NOT_RUN

    def detectable(
        self, a: str, b: str, metric: str, dataset: str, seeds: int, direction: str = "A2B"
    ) -> str:
        """The smallest true difference that so many seeds would find four times in five.

        From the variance of the paired differences so far, of which at least 3 are needed.
        """
        differences = self._differences(a, b, metric, dataset, direction)
        if len(differences) < 3:
            return NOT_RUN
        error = PairedError(variance(differences) / seeds, input_variance=None, seeds=seeds, images=None)
        return significant(smallest_detectable(error), 2)

    def _differences(self, a: str, b: str, metric: str, dataset: str, direction: str) -> list[float]:
        pairs = self.pairs(a, b, metric, [dataset])
        return [pair.a - pair.b for pair in pairs if pair.direction == direction]

    def lower(self, a: str, b: str, metric: str, datasets: Sequence[str] = ()) -> str:
        """In how many pairs of runs `a` is below `b`: `5 of 6`."""
        return count([pair.a < pair.b for pair in self.pairs(a, b, metric, datasets)])

    def higher(self, a: str, b: str, metric: str, datasets: Sequence[str] = ()) -> str:
        """In how many pairs of runs `a` is above `b`."""
        return count([pair.a > pair.b for pair in self.pairs(a, b, metric, datasets)])

    def nearer(self, a: str, b: str, metric: str, datasets: Sequence[str] = ()) -> str:
        """In how many pairs of runs `a` is nearer than `b` to the target domain's own value of the metric."""
        found = []
        for pair in self.pairs(a, b, metric, datasets):
            target = self.floor(pair.dataset, metric, pair.direction)
            if target is not None:
                found.append(abs(pair.a - target) < abs(pair.b - target))
        return count(found)

    def below_all(self, variant: str, others: Sequence[str], metric: str) -> str:
        """In how many data sets and directions the mean of a variant is below those of all others."""
        found = []
        for dataset in self.datasets:
            for direction in DIRECTIONS:
                own, *theirs = (self.score(dataset, name, metric, direction) for name in (variant, *others))
                if own is not None:
                    found.append(all(own.mean < score.mean for score in theirs if score is not None))
        return count(found)

    def of_copying(self, dataset: str, variant: str, metric: str) -> str:
        """The means of both directions as shares of what copying the input gets: 1 is a mere copy's."""
        shares = []
        for direction in DIRECTIONS:
            found, ceiling = (
                self.score(dataset, variant, metric, direction),
                self.ceiling(dataset, metric, direction),
            )
            if found is None or not ceiling:
                return NOT_RUN
            shares.append(fixed(found.mean / ceiling))
        return " / ".join(shares)

    def share(self, dataset: str, variant: str, metric: str, direction: str) -> str:
        """The mean over seeds as a share of a copy's, with the range of the seeds: `0.71 (0.66 to 0.75)`."""
        ceiling = self.ceiling(dataset, metric, direction)
        shares = [
            value / ceiling for value in self.values(dataset, variant, metric, direction).values() if ceiling
        ]
        if not shares:
            return NOT_RUN
        mean, low, high = map(fixed, (sum(shares) / len(shares), min(shares), max(shares)))
        return mean if low == high else f"{mean} ({low} to {high})"

    def floor_of_copying(self, dataset: str, metric: str) -> str:
        """The floor as a share of what copying the input gets."""
        both = [
            (self.floor(dataset, metric, direction), self.ceiling(dataset, metric, direction))
            for direction in DIRECTIONS
        ]
        return " / ".join(fixed(low / high) if low is not None and high else "-" for low, high in both)

    def dead_heads(self, variant: str, datasets: Sequence[str] = ()) -> str:
        """In how many runs and directions the mask head attends to nothing; a dash without masks."""
        found = [
            value
            for dataset in datasets or self.datasets
            for direction in DIRECTIONS
            for value in self.values(dataset, variant, "mask_spatial_deviation", direction).values()
        ]
        return count([value < DEAD_DEVIATION for value in found]) if found else "-"

    def by_run(self, dataset: str, variant: str, metric: str, direction: str = "A2B") -> str:
        """The value of every seed."""
        values = self.values(dataset, variant, metric, direction)
        return (
            ", ".join(f"{significant(values[seed], 3)} (seed {seed})" for seed in sorted(values)) or NOT_RUN
        )


@dataclass(frozen=True)
class Difference:
    """The mean of `a` minus `b` over seeds; an interval where there are five."""

    dataset: str
    direction: str
    metric: str
    a: str
    b: str
    mean: float
    interval: tuple[float, float] | None
    verdict: Verdict
    p_value: float | None = None
    """Before any correction; None where that was not kept."""

    @property
    def supported(self) -> bool:
        return self.verdict is Verdict.SUPPORTED

    def turned(self) -> "Difference":
        """The same as `b` minus `a`."""
        bounds = None if self.interval is None else (-self.interval[1], -self.interval[0])
        return replace(self, a=self.b, b=self.a, mean=-self.mean, interval=bounds)


class Kept(BaseModel):
    """What is kept of a study: of its report's results.json, and of what `bench compare --json` printed."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    COMPARED: ClassVar = (
        "dataset",
        "direction",
        "metric",
        "a",
        "b",
        "mean_difference",
        "interval",
        "verdict",
        "p_value",
    )

    results: Results
    compared: list[dict[str, Any]] = []
    """Comparisons of further metrics; where nearer to a target is better, of distances from it."""

    def differences(self) -> list["Difference"]:
        """What the study declared, as its report compared it (the headline distance), and the rest."""
        directions = {arrow_text(direction): direction for direction in DIRECTIONS}
        declared = [
            Difference(
                dataset=group.dataset,
                direction=directions[each.direction],
                metric=each.metric.lower(),
                a=each.a,
                b=each.b,
                mean=each.mean_difference,
                interval=each.interval,
                verdict=Verdict(each.verdict),
            )
            for group in self.results.groups
            for each in group.comparisons
        ]
        further = [
            Difference(
                dataset=each["dataset"],
                direction=each["direction"],
                metric=each["metric"],
                a=each["a"],
                b=each["b"],
                mean=each["mean_difference"],
                interval=each["interval"] and tuple(each["interval"]),
                verdict=Verdict(each["verdict"]),
                p_value=each.get("p_value"),
            )
            for each in self.compared
        ]
        return declared + further


class Claims:
    """Asked by metric, two variants, data set and direction."""

    def __init__(self, differences: Iterable[Difference]) -> None:
        found = list(differences)
        self._given = found
        self._found = {
            (each.metric, each.a, each.b, each.dataset, each.direction): each
            for difference in found
            for each in (difference, difference.turned())
        }
        self.datasets = list(dict.fromkeys(each.dataset for each in found))

    @property
    def tests(self) -> int:
        """How many differences were tested."""
        return len(self._given)

    def corrected_together(self) -> "Claims":
        """Those that have a p value, after Holm's correction over all of them, not over one command alone."""
        tested = [each for each in self._given if each.p_value is not None]
        adjusted = holm([each.p_value for each in tested if each.p_value is not None])
        verdicts = [Verdict.SUPPORTED if p <= ALPHA else Verdict.NOT_FOUND for p in adjusted]
        return Claims(replace(each, verdict=verdict) for each, verdict in zip(tested, verdicts, strict=True))

    def tested(self, metric: str, a: str, b: str, dataset: str, direction: str = "A2B") -> str:
        """`−160 [−181, −139]`: mean difference and 95 % interval, in bold where it is supported."""
        found = self._found.get((metric, a, b, dataset, direction))
        if found is None:
            return NOT_RUN
        if found.interval is None:
            return signed(found.mean)
        text = f"{signed(found.mean)} [{signed(found.interval[0])}, {signed(found.interval[1])}]"
        return f"**{text}**" if found.supported else text

    def lower(self, metric: str, a: str, b: str, datasets: Sequence[str] = ()) -> str:
        """In how many data sets and directions `a` is below `b` by a supported difference: `2 of 6`."""
        places = ((dataset, direction) for dataset in datasets or self.datasets for direction in DIRECTIONS)
        asked = [self._found.get((metric, a, b, *place)) for place in places]
        tested = [each for each in asked if each is not None and each.interval is not None]
        return count([each.supported and each.mean < 0 for each in tested])


class Losses:
    """Asked by data set, variant and loss."""

    def __init__(self, results: Results) -> None:
        self.groups = {group.dataset: group for group in results.groups}

    def ends(self, dataset: str, variant: str, loss: str) -> dict[int, tuple[float, float]]:
        """Seed -> (mean over the first tenth of training, over the last)."""
        group, wanted = self.groups.get(dataset), f"/{dataset}/{variant}/seed"
        return {
            int(each.run.partition(wanted)[2]): (each.first_tenth, each.last_tenth)
            for each in (group.losses if group else [])
            if wanted in each.run and each.loss == loss
            if each.first_tenth is not None and each.last_tenth is not None
        }

    def fell(self, loss: str, variant: str) -> str:
        """In how many runs of a variant a loss was lower in the last tenth of training than in the first."""
        ends = [pair for dataset in self.groups for pair in self.ends(dataset, variant, loss).values()]
        return count([last < first for first, last in ends])

    def from_to(self, dataset: str, variant: str, loss: str) -> str:
        """First and last tenth of a loss, means over seeds: `3.1 to 0.9`."""
        ends = self.ends(dataset, variant, loss).values()
        if not ends:
            return NOT_RUN
        first, last = (sum(pair[at] for pair in ends) / len(ends) for at in (0, 1))
        return f"{significant(first, 3)} to {significant(last, 3)}"

    def ends_above(self, a: str, b: str, loss: str) -> str:
        """In how many pairs of runs a loss of `a` ended above that of `b`, by their last tenths."""
        found = []
        for dataset in self.groups:
            of_a, of_b = (self.ends(dataset, variant, loss) for variant in (a, b))
            found += [of_a[seed][1] > of_b[seed][1] for seed in sorted(of_a.keys() & of_b.keys())]
        return count(found)


class Facts:
    """Of the runs of a study; those of its A/A control are not among them."""

    def __init__(self, results: Results, study: Path) -> None:
        self.groups = {group.dataset: group for group in results.groups}
        self.control = results.control
        self.declared: Grid = expand(load_study(study))

    @property
    def variants(self) -> list[str]:
        """Every variant that has begun anywhere, in the order of the report."""
        kinds = {run.variant: run.kind or "variant" for group in self.groups.values() for run in group.runs}
        return sort_variants(kinds, kinds)

    @property
    def rendered(self) -> list[str]:
        """The data sets whose true translations are known, in the order of the study."""
        return [name for name in self.declared.datasets if name.startswith("toy-")]

    @property
    def trained(self) -> list[str]:
        """Those that were trained."""
        seen = {run.variant for group in self.groups.values() for run in group.runs if run.images_seen}
        return [variant for variant in self.variants if variant in seen]

    def core_hours(self) -> str:
        """Training of all finished runs together, each on one thread."""
        return significant(self._seconds(self.runs_done()) / 3600, 2)

    def core_hours_for(self, seeds: int) -> str:
        """The same for every trained variant on every data set with so many seeds, at its mean so far."""
        done = self.runs_done()
        per_run = {
            variant: self._seconds(mine) / len(mine)
            for variant in self.trained
            if (mine := [run for run in done if run.variant == variant])
        }
        return significant(seeds * len(self.declared.datasets) * sum(per_run.values()) / 3600, 2)

    def runs_done(self) -> list[RunResult]:
        """Every finished run."""
        return [run for group in self.groups.values() for run in group.runs if run.status == "done"]

    @staticmethod
    def _seconds(runs: Sequence[RunResult]) -> float:
        return sum(run.seconds_training or 0.0 for run in runs)

    def seeds(self) -> dict[str, int]:
        """Data set -> seeds that every variant has finished there."""
        done = [
            (dataset, run.variant)
            for dataset in self.groups
            for run in self.groups[dataset].runs
            if run.status == "done"
        ]
        return {
            dataset: min(done.count((dataset, variant)) for variant in self.variants)
            for dataset in self.declared.datasets
        }

    def traces(self) -> Iterator[tuple[str, str]]:
        """(`horse2zebra, seed 0: 935bfb2e`, who was fed that) of every trace."""
        for dataset, group in self.groups.items():
            for seed in sorted({run.seed for run in group.runs if run.seed is not None}):
                mine = [run for run in group.runs if run.seed == seed and run.trace_hash]
                for trace in dict.fromkeys(run.trace_hash for run in mine):
                    fed = [f"`{run.variant}`" for run in mine if run.trace_hash == trace]
                    yield f"{dataset}, seed {seed}: `{str(trace)[:12]}`", ", ".join(fed)

    def traces_agree(self) -> bool:
        """Whether within every data set all trained runs of one seed were fed exactly the same."""
        seeds = [place.partition(":")[0] for place, _ in self.traces()]
        return len(seeds) == len(set(seeds))


def count(happened: Sequence[bool]) -> str:
    """How many of how many: `5 of 6`."""
    return f"{sum(happened)} of {len(happened)}" if happened else NOT_RUN


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign: `+12`, `−0.31`."""
    text = significant(value, digits)
    return text if text.startswith("−") else f"+{text}"


def verdict_of_every(*counts: str) -> str:
    """Of a statement of what happens, by in how many runs it did: `5 of 5`."""
    parts = [text.split(" of ") for text in counts if text != NOT_RUN]
    happened, all_runs = (sum(int(part[at]) for part in parts) for at in (0, 1))
    if not all_runs:
        return "Not run"
    return "Confirmed" if happened == all_runs else "Contradicted" if not happened else "Not always"
