"""What `bench study` does with its options: declare, plan, execute, check, tell."""

import math
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.cli.console import Column, print_table
from bench.cli.options import print_json
from bench.errors import UsageError, announce
from bench.progress import TerminalProgress
from bench.runs.folder import RunFolder
from bench.studies import expectation, summary
from bench.studies.conduct import (
    Budget,
    Circumstances,
    Conducted,
    Prepared,
    conduct,
    engine_settings,
    make_engine,
    prepare_study,
)
from bench.studies.grid import expand, run_folders
from bench.studies.study import Declaration, Origin, declare, load_study
from bench.tracking import show_finished

MOST_CELLS = 40
"""Of a plan, that a dry run lists for people."""


@dataclass(frozen=True)
class StudyRequest:
    """The options of one call."""

    study: str | None
    grid: dict[str, Any]
    """Options that declare a study; None where not given."""
    engine: dict[str, Any]
    """Options that stand in for the study's [engine]; None where not given."""
    where: Circumstances
    max_hours: float | None
    max_failures: int | None
    retry_failed: bool
    dry_run: bool
    check: Path | None
    record: Path | None
    as_json: bool


def answer(request: StudyRequest) -> int:
    """Do what was asked; the exit code: 0 all well, 1 a cell failed or a score drifted, 128 + signal."""
    if request.max_hours is not None and math.isnan(request.max_hours):
        raise UsageError("--max-hours nan is no number of hours. Write for example --max-hours 12")
    declaration = declared(request)
    expected = expectation.read_expectation(request.check) if request.check else None
    given = {key: value for key, value in request.engine.items() if value is not None}
    settings = engine_settings(declaration, given)
    if request.dry_run:
        with TerminalProgress() as progress:
            prepared = prepare_study(declaration, request.where, progress, settings)
        rows = summary.plan_rows(prepared.plan)
        if request.as_json:
            print_json(rows)
        else:
            print_plan(prepared, declaration)
        return 0
    expand(declaration)  # a wrong name is told before an engine is started
    with make_engine(settings, request.where.device) as engine:
        with TerminalProgress() as progress:
            prepared = prepare_study(declaration, request.where, progress, settings)
        announce(f"{declaration.study.name}: {len(prepared.plan)} cells -> {request.where.runs}")
        budget = Budget(request.max_hours, request.max_failures)
        with summary.StudyBoard(declaration.study.name, len(prepared.plan), engine.capacity()) as board:
            conducted = conduct(
                prepared.plan, prepared.orders, engine, board, budget, retry_failed=request.retry_failed
            )
    for result in conducted.results:
        if result.end == "skipped" and request.where.execution.trackers:
            show_finished(request.where.execution.trackers, RunFolder(result.planned.folder), announce)
    tell(request, prepared, conducted)
    if conducted.signal_number is not None:
        return 128 + conducted.signal_number
    if any(result.end == "failed" for result in conducted.results):
        return 1
    if conducted.stopped:
        return 0
    folders = run_folders(prepared.grid, request.where.runs)
    if request.record:
        expectation.write_expectation(request.record, declaration.study.name, folders)
        announce(f"recorded: {request.record}")
    return compare_scores(expected, folders) if expected else 0


def print_plan(prepared: Prepared, declaration: Declaration) -> None:
    """A line for each of the first cells, then the sums over all of them."""
    columns = [Column("state", "name"), Column("schedule", "name"), Column("hours"), Column("GiB")]
    shown = prepared.plan[:MOST_CELLS]
    print_table([*columns, Column("folder", "name")], [summary.plan_cells(planned) for planned in shown])
    if len(prepared.plan) > len(shown):
        print(f"and {len(prepared.plan) - len(shown)} more cells; all of them: --dry-run --json")
    for line in summary.plan_sums(prepared.plan, declaration.study):
        print(line)


def declared(request: StudyRequest) -> Declaration:
    """The study of the file, or of the options. Raises UsageError where both or neither are given."""
    given = {key: value for key, value in request.grid.items() if value}
    if request.study is not None:
        if given:
            raise UsageError(
                "A study file says what is run; --variant, --dataset, --seed, --protocol, --set, --compare, "
                "--control are for studies without a file. Change the file, or leave it out."
            )
        return load_study(request.study)
    if "variants" not in given:
        raise UsageError(
            "Say what to run: bench study STUDY.toml, or bench study --variant 'slot*' --seed 0..4"
        )
    if "seeds" in given:
        given["seeds"] = ",".join(given["seeds"])
    if "comparisons" in given:
        given["comparisons"] = [pair.split(":") for pair in given["comparisons"]]
    return declare({"name": "study", **given}, Origin("command line"))


def tell(request: StudyRequest, prepared: Prepared, conducted: Conducted) -> None:
    """Print the results: JSON or text."""
    study = prepared.declaration.study
    commands = [summary.repeat_command(order, study) for order in prepared.orders]
    if request.as_json:
        print_json(summary.result_rows(conducted, commands))
        return
    again = shlex.join(["bench", *(word for word in sys.argv[1:] if word != "--retry-failed")])
    print(summary.result_text(conducted, commands, again))
    if request.study is not None:
        where = request.where
        print(f"Look at it with: {summary.study_command('report', request.study, where.runs, where.plugins)}")


def compare_scores(expected: expectation.Expectation, folders: list[Any]) -> int:
    """Say which scores drifted; returns the exit code."""
    drifted = expectation.drifts(expected, folders)
    for sentence in drifted:
        print(f"drift: {sentence}")
    total = len(expected.scores)
    print(
        f"{total - len(drifted)} of {total} scores are as expected."
        if drifted
        else f"All {total} scores are as expected."
    )
    return 1 if drifted else 0
