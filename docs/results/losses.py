"""How far the losses of a study fell, from its results.json."""

from evidence import NOT_RUN, count

from reports.numbers import significant
from reports.results import Results


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
