"""What the statistics claim of differences between variants: of a report, or of `bench compare --json`."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evidence import NOT_RUN, count, signed

from bench.runs.scores import DIRECTIONS
from bench.statistics.claims import Verdict
from reports.comparisons import arrow_text
from reports.results import Results


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

    @property
    def supported(self) -> bool:
        return self.verdict is Verdict.SUPPORTED

    def turned(self) -> "Difference":
        """The same as `b` minus `a`."""
        bounds = None if self.interval is None else (-self.interval[1], -self.interval[0])
        return replace(self, a=self.b, b=self.a, mean=-self.mean, interval=bounds)


def of_report(results: Results) -> Iterator[Difference]:
    """What a study declared, as its report compared it: the headline distance."""
    directions = {arrow_text(direction): direction for direction in DIRECTIONS}
    for group in results.groups:
        for each in group.comparisons:
            yield Difference(
                dataset=group.dataset,
                direction=directions[each.direction],
                metric=each.metric.lower(),
                a=each.a,
                b=each.b,
                mean=each.mean_difference,
                interval=each.interval,
                verdict=Verdict(each.verdict),
            )


def of_comparison(path: Path) -> Iterator[Difference]:
    """What `bench compare --json` printed; where nearer to a target is better, of distances from it."""
    for each in json.loads(path.read_text(encoding="utf-8"))["comparisons"]:
        yield Difference(
            dataset=each["dataset"],
            direction=each["direction"],
            metric=each["metric"],
            a=each["a"],
            b=each["b"],
            mean=each["mean_difference"],
            interval=each["interval"] and tuple(each["interval"]),
            verdict=Verdict(each["verdict"]),
        )


class Claims:
    """Asked by metric, two variants, data set and direction."""

    def __init__(self, differences: Iterable[Difference]) -> None:
        found = list(differences)
        self._found = {
            (each.metric, each.a, each.b, each.dataset, each.direction): each
            for difference in found
            for each in (difference, difference.turned())
        }
        self.datasets = list(dict.fromkeys(each.dataset for each in found))

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
