"""What a study did, from its results.json: its runs, what they were fed, how long they took."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.studies.declaration import load_study
from bench.studies.grid import Grid, expand
from reports.numbers import significant
from reports.order import sort_variants
from reports.results import Results, RunResult


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
