"""Which run's pictures stand for a variant, and the numbers of one image."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from bench.scoring.pairing import matches
from reports import metrics
from reports.comparability import Group
from reports.frame import records
from reports.numbers import fixed
from reports.run_files import read_images, read_samples
from reports.tables.scores import DIRECTIONS

CAPTIONED = ("edge_correlation", "mean_change", "colourfulness", "foreground_iou", "counterfactual_psnr")
MOST_NUMBERS = 3


@dataclass(frozen=True)
class Shown:
    """One variant's run whose pictures are shown."""

    variant: str
    seed: int | None
    folder: Path
    samples: tuple[dict[str, Any], ...]
    images: pd.DataFrame
    translations: frozenset[str] = frozenset()
    """Names that another program gave its translations, where no run tells what their sources are called."""

    def source_name(self, file: str) -> str:
        """What the source of a picture is called; empty where its translation alone has a name."""
        return "" if file in self.translations else file

    def final(self, direction: str) -> dict[str, dict[str, Any]]:
        """File -> entry of the last pictures; those of the running training where there are none yet."""
        found = [entry for entry in self.samples if entry.get("direction") == direction]
        last = {str(entry.get("file")): entry for entry in found if entry.get("kind") == "final"}
        if last:
            return last
        progress = [entry for entry in found if entry.get("kind") == "progress"]
        return {str(entry.get("file")): entry for entry in sorted(progress, key=step_of)}

    def numbers(self, direction: str, file: str, keys: tuple[str, ...] = CAPTIONED) -> str:
        """The measurements of this very image, in a few words."""
        if "file" not in self.images.columns:
            return ""
        rows = self.images[(self.images["direction"] == direction) & (self.images["file"] == file)]
        if rows.empty:
            return ""
        values = pd.to_numeric(rows.iloc[0].reindex(list(keys)), errors="coerce").dropna()
        parts = [f"{metrics.title(str(key))} {fixed(float(value), 2)}" for key, value in values.items()]
        return " · ".join(parts[:MOST_NUMBERS])


def step_of(entry: dict[str, Any]) -> int:
    """The step of an entry; 0 where it is not a number."""
    step = entry.get("step")
    return step if isinstance(step, int) else 0


def shown_runs(group: Group) -> list[Shown]:
    """One run per variant, in the stated order: that of the lowest seed that has pictures."""
    found = []
    for variant in group.variants:
        for run in records(group.runs_of(variant)[["seed", "folder"]].sort_values(["seed", "folder"])):
            samples = read_samples(str(run.folder))
            if samples:
                seed = None if pd.isna(run.seed) else int(run.seed)
                found.append(
                    Shown(variant, seed, Path(str(run.folder)), tuple(samples), read_images(str(run.folder)))
                )
                break
    ours = [run for run in found if run.variant not in group.external]
    return [_named_alike(run, ours) if run.variant in group.external else run for run in found]


def _named_alike(images: Shown, runs: list[Shown]) -> Shown:
    """Images of another program, the test images called as the runs call them: `x_fake.png` is `x.jpg`."""
    called: dict[tuple[str, str], str] = {}
    for direction in DIRECTIONS:
        theirs = sorted(images.final(direction))
        files = sorted({file for run in runs for file in run.final(direction)})
        called |= {(direction, theirs[at]): files[other] for at, other in matches(theirs, files)}

    def name(direction: object, file: object) -> str:
        return called.get((str(direction), str(file)), str(file))

    samples = tuple(
        entry | {"file": name(entry.get("direction"), entry.get("file"))} for entry in images.samples
    )
    table = images.images
    if {"direction", "file"} <= set(table.columns):
        pairs = zip(table["direction"], table["file"], strict=True)
        table = table.assign(file=[name(*pair) for pair in pairs])
    given = {str(entry.get("file")) for entry in images.samples}
    unknown = frozenset(given - {theirs for _, theirs in called})
    return replace(images, samples=samples, images=table, translations=unknown)


def seeds_shown(shown: list[Shown]) -> str:
    """`seed 0 of every variant`, or which seed of which variant."""
    seeded = [run for run in shown if run.seed is not None]
    seeds = {run.seed for run in seeded}
    if not seeds:
        return "images of other programs"
    if len(seeds) == 1:
        return f"seed {next(iter(seeds))}"
    return "the lowest seed with pictures: " + ", ".join(f"{run.variant} seed {run.seed}" for run in seeded)
