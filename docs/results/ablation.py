"""Runs an ablation of the rules of training that a TOML file declares, and keeps what its validations say.

    python docs/results/ablation.py run --runs runs --weights squeezenet1_1.pth
    python docs/results/ablation.py keep --runs runs
    python docs/results/ablation.py table

`run` executes one `bench run` after the other in the declared order; a run that was stopped goes on, a
finished one is left as it is. `keep` writes NAME.json beside NAME.toml, of every run with a validation: the
table, the curve and the choice are made of that file alone.
"""

import argparse
import csv
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

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


@dataclass(frozen=True)
class Planned:
    """One run of the ablation."""

    stage: int
    """From 1."""
    arm: str
    changes: tuple[str, ...]
    cell: Cell


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


def declared(file: Path) -> Declared:
    """What the file declares."""
    return Declared.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))


def execute(ablation: Declared, options: list[str]) -> int:
    """Run every cell; the exit code of the first that failed, or 0."""
    for planned in ablation.planned():
        cell = planned.cell
        changes = [part for change in planned.changes for part in ("--set", change)]
        command = ["run", "--variant", cell.variant, "--dataset", cell.dataset, "--seed", str(cell.seed)]
        command += ["--protocol", ablation.protocol, *changes, *options]
        print(f"\n== stage {planned.stage}, {planned.arm}: {cell}", flush=True)
        code = subprocess.run([sys.executable, "-m", "bench", *command]).returncode
        if code:
            return code
    return 0


def kept(ablation: Declared, runs: Path) -> Iterator[ArmRun]:
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


def number(text: str | None) -> float | None:
    """A field of a table; None of an empty one."""
    return float(text) if text else None


def main() -> int:
    """Run, or keep what was run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["run", "keep", "table"])
    parser.add_argument("--file", type=Path, default=HERE / "fast-ablation.toml")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--weights", type=Path, help="SqueezeNet's weights")
    given = parser.parse_args()
    ablation = declared(given.file)
    if given.action == "run":
        weights = ["--weights", str(given.weights)] if given.weights else []
        return execute(ablation, ["--threads", "1", "--runs", str(given.runs), *weights])
    file = given.file.with_suffix(".json")
    if given.action == "table":
        print(table(json.loads(file.read_text(encoding="utf-8"))["runs"]))
        return 0
    found: list[dict[str, Any]] = [each.model_dump() for each in kept(ablation, given.runs)]
    text = json.dumps({"runs": found}, indent=1)
    file.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
