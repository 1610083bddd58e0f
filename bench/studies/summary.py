"""What is said of a plan before, and of a study after: text for people, plain values for machines."""

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.cell import Cell
from bench.protocol import LENGTHS, key_of
from bench.studies.conduct import Conducted, End, Result
from bench.studies.orders import Order
from bench.studies.planning import Planned
from bench.studies.study import Study

GIB = 1 << 30
WORDS: dict[End, str] = {
    "done": "done",
    "skipped": "done before",
    "failed": "failed",
    "stopped": "stopped",
    "waiting": "to do",
}


def plan_rows(plan: Sequence[Planned]) -> list[dict[str, Any]]:
    """One flat object for every cell of a plan."""
    return [
        {
            "protocol": planned.cell.protocol.name,
            "dataset": planned.cell.dataset,
            "variant": planned.cell.variant,
            "seed": planned.cell.seed,
            "folder": str(planned.folder),
            "state": planned.standing.state,
            "reason": planned.standing.reason or None,
            "schedule_hash": planned.wanted.schedule_hash,
            "hours": planned.hours,
            "memory_bytes": planned.memory_bytes,
            "measured_on": planned.measured_on,
        }
        for planned in plan
    ]


def plan_text(plan: Sequence[Planned], study: Study) -> str:
    """Every cell in a line, then the sums, then what could not be estimated and how to measure it."""
    lines = [f"{'state':<11}{'schedule':<18}{'hours':>8}{'GiB':>7}  folder"]
    for planned in plan:
        hours = "-" if planned.hours is None else f"{planned.hours:.3g}"
        memory = "-" if planned.memory_bytes is None else f"{planned.memory_bytes / GIB:.2f}"
        schedule = planned.wanted.schedule_hash or "-"
        lines.append(f"{planned.standing.state:<11}{schedule:<18}{hours:>8}{memory:>7}  {planned.folder}")
    counts = Counter(planned.standing.state for planned in plan)
    states = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    lines.append(f"{len(plan)} cells: {states}")
    return "\n".join([*lines, *remarks(plan, study)])


def remarks(plan: Sequence[Planned], study: Study) -> list[str]:
    """The hours that are left, on which device they were measured, and the command that measures the rest."""
    left = [planned for planned in plan if planned.standing.state != "done"]
    known = [planned.hours for planned in left if planned.hours is not None]
    found = []
    if known:
        devices = sorted({str(planned.measured_on) for planned in left if planned.measured_on})
        found.append(
            f"{sum(known):.3g} hours of work in {len(known)} cells, measured on {'; '.join(devices)}"
        )
    unknown = next((planned.cell for planned in left if planned.hours is None), None)
    if unknown is not None:
        others = [change for change in study.changes if key_of(change) not in LENGTHS]
        few_steps = study.model_copy(update={"changes": (*others, "train.images_seen=40")})
        found.append(
            f"- for {len(left) - len(known)} cells: no run of equal steps is there yet. Measure one, for "
            f"example: {shlex.join(run_words(unknown, few_steps))}"
        )
    return found


def run_words(cell: Cell, study: Study) -> list[str]:
    """`bench run` and the options that name a cell of a study."""
    words = ["bench", "run", "--variant", cell.variant, "--dataset", cell.dataset]
    words += ["--protocol", study.protocol, "--seed", str(cell.seed)]
    for change in study.changes:
        words += ["--set", change]
    return words


def repeat_command(order: Order, study: Study) -> str:
    """The whole `bench run` command that executes one cell of a study again."""
    words = run_words(order.cell(), study)
    if order.device != "auto":
        words += ["--device", order.device]
    if order.weights is not None:
        words += ["--weights", str(order.weights)]
    for plugin in order.plugins:
        words += ["--plugin", str(plugin)]
    if order.skip_bad_images:
        words.append("--skip-bad-images")
    if order.execution.unchecked:
        words.append("--unchecked")
    return shlex.join([*words, "--runs", str(order.runs)])


def study_command(command: str, study: str, runs: Path, plugins: Sequence[Path]) -> str:
    """`bench study` or `bench report` of a study file, or of a shipped study, which `report` knows by its
    file's name alone."""
    words = ["bench", command, study if study.endswith(".toml") else f"{study}.toml", "--runs", str(runs)]
    for plugin in plugins:
        words += ["--plugin", str(plugin)]
    return shlex.join(words)


def result_rows(conducted: Conducted, commands: Sequence[str]) -> dict[str, Any]:
    """The outcome of a study as one object."""
    return {
        "stopped": conducted.stopped or None,
        "seconds": conducted.seconds,
        "counts": dict(Counter(result.end for result in conducted.results)),
        "cells": [
            {
                "variant": result.planned.cell.variant,
                "dataset": result.planned.cell.dataset,
                "seed": result.planned.cell.seed,
                "folder": str(result.planned.folder),
                "end": result.end,
                "reason": result.reason or None,
                "command": command if result.end == "failed" else None,
            }
            for result, command in zip(conducted.results, commands, strict=True)
        ],
    }


def result_text(conducted: Conducted, commands: Sequence[str], again: str) -> str:
    """Counts, every failure with its reason and the command to repeat it, and how to go on."""
    counts = Counter(result.end for result in conducted.results)
    parts = [f"{counts[end]} {word}" for end, word in WORDS.items() if counts[end]]
    lines = [f"{len(conducted.results)} cells: {', '.join(parts)}, in {conducted.seconds:.0f} s"]
    for result, command in zip(conducted.results, commands, strict=True):
        if result.end == "failed":
            lines += failure_lines(result, command)
    if conducted.stopped:
        lines.append(f"{conducted.stopped}. Nothing is lost; go on with: {again}")
    if any(result.end == "failed" for result in conducted.results):
        lines.append(f"Try all failed ones again with: {again} --retry-failed")
    return "\n".join(lines)


def failure_lines(result: Result, command: str) -> list[str]:
    """Which cell failed, why, and what repeats it."""
    reason = " ".join(result.reason.split())
    return [f"failed: {result.planned.cell}", f"  {reason}", f"  again: {command}"]
