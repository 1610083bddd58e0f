"""The numbers of `results.json` as the pages of docs/ print them: means, differences seed by seed, counts.

Nothing is measured here. A number that no run gives is printed as "not run", so that a page of an unfinished
study is true as far as it goes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import variance

from bench.runs.scores import DIRECTIONS
from bench.scoring.catalogue_masks import DEAD_DEVIATION
from bench.statistics.detectable import smallest_detectable
from bench.statistics.paired import PairedError
from reports.numbers import fixed, significant
from reports.order import sort_variants
from reports.results import GroupResult, Results, ScoreResult

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
