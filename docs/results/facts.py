"""What a study did, from its results.json: its runs, what they were fed, how long they took."""

from collections.abc import Iterator, Sequence

from reports.numbers import significant
from reports.results import Results, RunResult

DATASETS = 5
"""Of the study."""


class Facts:
    """Of the runs of a study; those of its A/A control are not among them."""

    def __init__(self, results: Results) -> None:
        self.groups = {group.dataset: group for group in results.groups}
        self.control = results.control

    @property
    def variants(self) -> list[str]:
        """Every variant that has begun anywhere."""
        return sorted({run.variant for group in self.groups.values() for run in group.runs})

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
        return significant(seeds * DATASETS * sum(per_run.values()) / 3600, 2)

    def runs_done(self) -> list[RunResult]:
        """Every finished run."""
        return [run for group in self.groups.values() for run in group.runs if run.status == "done"]

    @staticmethod
    def _seconds(runs: Sequence[RunResult]) -> float:
        return sum(run.seconds_training or 0.0 for run in runs)

    def seeds(self) -> dict[str, int]:
        """Data set -> seeds that every variant has finished there."""
        return {
            dataset: min(
                sum(run.variant == variant and run.status == "done" for run in group.runs)
                for variant in self.variants
            )
            for dataset, group in self.groups.items()
        }

    def runs(self, status: str | None = None) -> int:
        """Runs of the study, or those of one status."""
        all_runs = [run for group in self.groups.values() for run in group.runs]
        return sum(status in (None, run.status) for run in all_runs)

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
        for group in self.groups.values():
            of_seed: dict[int | None, set[str]] = {}
            for run in group.runs:
                if run.trace_hash:
                    of_seed.setdefault(run.seed, set()).add(run.trace_hash)
            if any(len(hashes) > 1 for hashes in of_seed.values()):
                return False
        return True
