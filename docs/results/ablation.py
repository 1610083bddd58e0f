"""Runs an ablation of the rules of training that a TOML file declares, and keeps what its validations say.

    python docs/results/ablation.py run --runs runs --weights squeezenet1_1.pth
    python docs/results/ablation.py keep --runs runs
    python docs/results/ablation.py table
    python docs/results/ablation.py curve       # docs/figures/fast-ablation.png

`run` executes one `bench run` after the other in the declared order, of `--stage` and `--arms` alone where
they are given; a run that was stopped goes on, one that is finished or kept as finished is left out. `keep`
writes NAME.json beside NAME.toml, of every run with a validation; what is kept of a run whose folder is not
at hand stays. `table` and `curve` are made of that file alone.
"""

import argparse
import csv
import json
import math
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import matplotlib.pyplot as plt
from pydantic import BaseModel, ConfigDict

from bench.cell import Cell
from bench.protocol import load_protocol
from bench.runs.folder import RunFolder
from bench.runs.records import DIRECTIONS
from bench.statistics.copying import images_until_better

HERE = Path(__file__).parent
MEASURED = ("kd", "copy_kd", "kd_from_copy", "kd_from_copy_low", "kd_from_copy_high", "unchanged")
COLUMNS = ("images_seen", *(f"{name}_{direction}" for direction in DIRECTIONS for name in MEASURED))
"""What is kept of validation.csv."""


class Stage(BaseModel):
    """Runs of one length; stages are run one after the other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    images_seen: int
    seeds: tuple[int, ...]
    pairs: tuple[tuple[str, str], ...]
    """(data set, variant) in the order in which they are run."""
    arms: tuple[str, ...] = ()
    """Those that are run; without, all."""


class Declared(BaseModel):
    """An ablation as its file declares it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    summary: str
    protocol: str
    changes: tuple[str, ...]
    arms: dict[str, tuple[str, ...]]
    stages: tuple[Stage, ...]

    def changes_of(self, arm: str, stage: Stage) -> tuple[str, ...]:
        """What is changed of the protocol."""
        return (*self.changes, f"train.images_seen={stage.images_seen}", *self.arms[arm])

    def planned(self) -> Iterator["Planned"]:
        """Every run, in order."""
        for number, stage in enumerate(self.stages, 1):
            changes = {arm: self.changes_of(arm, stage) for arm in stage.arms or self.arms}
            protocols = {arm: load_protocol(self.protocol, changed) for arm, changed in changes.items()}
            for dataset, variant in stage.pairs:
                for seed in stage.seeds:
                    for arm, protocol in protocols.items():
                        yield Planned(number, arm, changes[arm], Cell(protocol, dataset, variant, seed))


Key = tuple[int, str, str, str, int]
"""Stage, arm, data set, variant and seed."""


@dataclass(frozen=True)
class Planned:
    """One run of the ablation."""

    stage: int
    """From 1."""
    arm: str
    changes: tuple[str, ...]
    cell: Cell

    @property
    def key(self) -> Key:
        """What no other planned run has."""
        return self.stage, self.arm, self.cell.dataset, self.cell.variant, self.cell.seed


class ArmRun(BaseModel):
    """What is kept of one run."""

    stage: int
    arm: str
    dataset: str
    variant: str
    seed: int
    status: str
    images_to_see: int
    seconds_per_step: float | None
    """Median by the wall clock; None of a run that is not finished."""
    validations: list[dict[str, float | None]]
    """Rows of validation.csv."""

    @property
    def key(self) -> Key:
        """Which of the planned runs it is."""
        return self.stage, self.arm, self.dataset, self.variant, self.seed


def declared(file: Path) -> Declared:
    """What the file declares."""
    return Declared.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))


def execute(protocol: str, planned_runs: Iterable[Planned], options: list[str]) -> int:
    """Run every cell; the exit code of the first that failed, or 0."""
    for planned in planned_runs:
        cell = planned.cell
        changes = [part for change in planned.changes for part in ("--set", change)]
        command = ["run", "--variant", cell.variant, "--dataset", cell.dataset, "--seed", str(cell.seed)]
        command += ["--protocol", protocol, *changes, *options]
        print(f"\n== stage {planned.stage}, {planned.arm}: {cell}", flush=True)
        code = subprocess.run([sys.executable, "-m", "bench", *command]).returncode
        if code:
            return code
    return 0


def read_kept(file: Path) -> dict[Key, ArmRun]:
    """What an earlier `keep` wrote."""
    if not file.is_file():
        return {}
    found = [ArmRun.model_validate(each) for each in json.loads(file.read_text(encoding="utf-8"))["runs"]]
    return {run.key: run for run in found}


def at_hand(ablation: Declared, runs: Path) -> Iterator[ArmRun]:
    """Of every run that has begun and was validated at least once."""
    for planned in ablation.planned():
        cell = planned.cell
        folder = RunFolder(cell.folder(runs))
        if not (folder.run_json.is_file() and folder.validation_csv.is_file()):
            continue
        record = folder.read()
        with folder.validation_csv.open(newline="", encoding="utf-8") as file:
            rows = [{name: number(row.get(name)) for name in COLUMNS} for row in csv.DictReader(file)]
        if not rows:
            continue
        yield ArmRun(
            stage=planned.stage,
            arm=planned.arm,
            dataset=cell.dataset,
            variant=cell.variant,
            seed=cell.seed,
            status=record.status,
            images_to_see=record.images_to_see or 0,
            seconds_per_step=record.costs.seconds_per_step if record.costs else None,
            validations=rows,
        )


LAST = 4
"""Validations at the end of a run of which the endpoint is the mean."""


def endpoint(run: dict[str, Any]) -> float:
    """The kernel distance as a share of the copy's: the mean of both directions and the last validations."""
    rows, names = run["validations"][-LAST:], [f"kd_{direction}" for direction in DIRECTIONS]
    return fmean(row[name] / row[f"copy_{name}"] for row in rows for name in names)


def table(runs: list[dict[str, Any]]) -> str:
    """Of every run its endpoint, unless it is not finished, seconds a step, and images until better."""
    lines = ["| stage | data set, variant, seed | arm | of a copy's | s a step | until better, A2B / B2A |"]
    lines.append("|---|---|---|---|---|---|")
    for run in runs:
        seen = [row["images_seen"] for row in run["validations"]]
        until = (
            images_until_better(seen, [row[f"kd_from_copy_high_{direction}"] for row in run["validations"]])
            for direction in DIRECTIONS
        )
        better = " / ".join("never" if each is None else f"{each:.0f}" for each in until)
        done = run["status"] == "done"
        end = f"{endpoint(run):.3f}" if done else f"after {seen[-1]:.0f} images, not finished"
        step = f"{run['seconds_per_step']:.2f}" if done else "-"
        cell = f"{run['dataset']}, {run['variant']}, {run['seed']}"
        lines.append(f"| {run['stage']} | {cell} | {run['arm']} | {end} | {step} | {better} |")
    return "\n".join(lines)


def curve(runs: list[ArmRun], images_to_see: int, file: Path) -> None:
    """Draw the runs of one length: kernel distance over images seen, as a share of the copy's."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True, layout="constrained")
    shown = [run for run in runs if run.images_to_see == images_to_see and run.dataset == "horse2zebra"]
    for panel, direction in zip(panels, DIRECTIONS, strict=True):
        for run in shown:
            seen = [row["images_seen"] for row in run.validations]
            kd, copy = (
                [row[f"{name}_{direction}"] or math.nan for row in run.validations]
                for name in ("kd", "copy_kd")
            )
            shares = [own / copied for own, copied in zip(kd, copy, strict=True)]
            panel.plot(seen, shares, label=f"{run.arm}, seed {run.seed}")
        panel.axhline(1, color="0.4", linewidth=0.8, linestyle="--")
        panel.annotate("a copy", (images_to_see, 1), ha="right", va="bottom", color="0.4")
        panel.set(
            title="A to B" if direction == "A2B" else "B to A",
            xlabel="images of each domain seen",
            ylim=(0, 2),
        )
    panels[0].set_ylabel("kernel distance, share of a copy's")
    panels[0].legend(frameon=False)
    figure.savefig(file, dpi=120)
    plt.close(figure)


def number(text: str | None) -> float | None:
    """A field of a table; None of an empty one."""
    return float(text) if text else None


def main() -> int:
    """Run, or keep what was run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["run", "keep", "table", "curve"])
    parser.add_argument("--file", type=Path, default=HERE / "fast-ablation.toml")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--weights", type=Path, help="SqueezeNet's weights")
    parser.add_argument("--stage", type=int, help="of run: this stage alone, from 1")
    parser.add_argument("--arms", nargs="+", help="of run: these arms alone, as for a second process")
    given = parser.parse_args()
    ablation = declared(given.file)
    file = given.file.with_suffix(".json")
    earlier = read_kept(file)
    if given.action == "run":
        weights = ["--weights", str(given.weights)] if given.weights else []
        finished = {key for key, run in earlier.items() if run.status == "done"}
        wanted = [
            run
            for run in ablation.planned()
            if run.key not in finished
            and given.stage in (None, run.stage)
            and (given.arms is None or run.arm in given.arms)
        ]
        return execute(ablation.protocol, wanted, ["--threads", "1", "--runs", str(given.runs), *weights])
    if given.action == "keep":
        keep(ablation, earlier | {run.key: run for run in at_hand(ablation, given.runs)}, file)
        return 0
    if given.action == "curve":
        length = max(stage.images_seen for stage in ablation.stages)
        curve(list(earlier.values()), length, HERE.parent / "figures" / f"{file.stem}.png")
        return 0
    print(table([run.model_dump() for run in earlier.values()]))
    return 0


def keep(ablation: Declared, found: dict[Key, ArmRun], file: Path) -> None:
    """Write what is found of the declared runs, in their order."""
    runs = [found[planned.key].model_dump() for planned in ablation.planned() if planned.key in found]
    file.write_text(json.dumps({"runs": runs}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
