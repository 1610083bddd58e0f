"""The table of docs/statistics.md: `python -m bench.statistics.coverage_table` (about two minutes)."""

import numpy as np

from bench.statistics.coverage import (
    Effects,
    FeatureWorld,
    Rate,
    claims_of_alike,
    coverage_of_distances,
    coverage_of_means,
    error_ratio,
    family_claims,
    heavy,
    percentile_coverage,
)
from bench.statistics.frechet import frechet_leave_one_out
from bench.statistics.kernel import kernel_leave_one_out

SEED = 9
SITUATIONS = {
    "seeds alone": Effects(seed=1.0, image=0.0, both=1.0),
    "seeds vary most": Effects(seed=1.0, image=1.0, both=1.0),
    "seeds and images alike": Effects(seed=1.0, image=3.0, both=1.0),
    "images alone": Effects(seed=0.0, image=3.0, both=0.0),
    "only both at once": Effects(seed=0.0, image=0.0, both=3.0),
}
MEASURES = {"kernel distance": kernel_leave_one_out, "Frechet distance": frechet_leave_one_out}


def main() -> None:
    """Print one row for every situation."""
    generator = np.random.default_rng(SEED)
    print("| situation | seeds | rate | promised | trials |\n|---|---|---|---|---|")
    for name, effects in SITUATIONS.items():
        for seeds in (5, 10):
            rate = coverage_of_means(effects, seeds, 60, 10_000, generator)
            _row(f"mean over images, {name}: covers", seeds, rate, "95 %")
    rate = coverage_of_means(SITUATIONS["seeds vary most"], 5, 60, 10_000, generator, heavy)
    _row("the same, seeds vary most, heavy tails: covers", 5, rate, "95 %")
    for seeds in (5, 10):
        rate = percentile_coverage(SITUATIONS["seeds vary most"], seeds, 60, 2_000, generator)
        _row("percentile bootstrap in its place (not used): covers", seeds, rate, "95 %")
    for name, measure in MEASURES.items():
        for spread in (0.1, 0.0):
            world = FeatureWorld(images=60, dimension=64, seed=spread, shift_a=0.1)
            rate = coverage_of_distances(measure, world, 5, 2_000, generator)
            _row(f"{name}, seeds' offset {spread:g}: covers", 5, rate, "95 %")
        alike = FeatureWorld(images=60, dimension=64, seed=0.1)
        rate = claims_of_alike(measure, alike, 5, 2_000, generator)
        _row(f"{name}, A/A: claims a difference", 5, rate, "at most 5 %")
    plain, corrected = family_claims(8, 5, 0.5, 5_000, generator)
    _row("8 true nulls, no correction: claims any", 5, plain, "-")
    _row("8 true nulls, Holm: claims any", 5, corrected, "at most 5 %")
    for name, measure in MEASURES.items():
        for shift in (0.5, 0.1):
            world = FeatureWorld(images=120, dimension=64, seed=0.0, shift_a=shift)
            ratio = error_ratio(measure, world, 1_000, np.random.default_rng(SEED))
            what = f"{name}, variants {shift:g} apart: jackknife error / true spread"
            print(f"| {what} | 1 | {ratio:.2f} | 1 | 1,000 |", flush=True)


def _row(what: str, seeds: int, rate: Rate, promised: str) -> None:
    print(f"| {what} | {seeds} | {100 * rate.share:.1f} % | {promised} | {rate.trials:,} |", flush=True)


if __name__ == "__main__":
    main()
