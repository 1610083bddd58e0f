"""`bench run` and `bench study`: train and score one variant, or a grid of them."""

import math
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.options import (
    DEFAULT_RUNS,
    MOST_THREADS,
    AsJson,
    Compile,
    Deterministic,
    Device,
    Plugin,
    PrecisionFallback,
    Runs,
    Seed,
    SkipBadImages,
    TensorBoard,
    Threads,
    Track,
    Unchecked,
    Weights,
    load_plugins,
    print_json,
)

if TYPE_CHECKING:
    from bench.runs.folder import RunFolder
    from bench.studies.conduct import Conducted, Prepared, RunOptions
    from bench.studies.expectation import Expectation
    from bench.studies.study import Declaration

Many = list[str] | None
SEEDS = "0..4 for the seeds 0 to 4, or 0,2,7."
MOST_CELLS = 40
"""Of a plan, that a dry run lists for people."""


def run(
    variant: Annotated[str, typer.Option("--variant", help="Name, or name[parameter=value,...].")],
    dataset: Annotated[
        str, typer.Option("--dataset", help="Name, or folder with trainA, ...")
    ] = "toy-stripes",
    protocol: Annotated[str, typer.Option("--protocol", help="Name, or .toml file.")] = "smoke",
    seed: Seed = 0,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a rule of the protocol; may be repeated."),
    ] = None,
    features: Annotated[
        str | None, typer.Option("--features", help="Feature network; short for --set score.features=NAME.")
    ] = None,
    weights: Weights = None,
    device: Device = "auto",
    threads: Threads = None,
    runs: Runs = DEFAULT_RUNS,
    plugin: Plugin = None,
    skip_bad_images: SkipBadImages = False,
    compile_networks: Compile = False,
    deterministic: Deterministic = False,
    precision_fallback: PrecisionFallback = False,
    unchecked: Unchecked = False,
    tensorboard: TensorBoard = False,
    track: Track = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be done; do nothing. All of it: --json.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a variant under a protocol, score it, and leave everything in a run folder.

    The same command continues an interrupted run and leaves a finished one as it is.

    Examples:

      bench run --variant slot9

      bench run --variant 'slot9[iterations=5]' --seed 1 --set train.images_seen=400

      bench run --variant spatial --dataset horse2zebra --protocol small --features squeezenet --weights FILE
    """
    from bench import api
    from bench.cli.console import print_plan, print_record

    sheet = api.run(
        variant,
        dataset,
        protocol,
        seed,
        set=change or (),
        features=features,
        weights=weights,
        device=device,
        threads=threads,
        runs=runs,
        plugin=plugin or (),
        skip_bad_images=skip_bad_images,
        compile=compile_networks,
        deterministic=deterministic,
        precision_fallback=precision_fallback,
        unchecked=unchecked,
        tensorboard=tensorboard,
        track=track or (),
        dry_run=dry_run,
    )
    if dry_run and sheet.folder is not None and sheet.record is not None:
        planned = sheet.record
        print_json(planned.model_dump(mode="json")) if as_json else print_plan(sheet.folder, planned)
    elif sheet.folder is not None:
        print_record(sheet.folder, as_json)


def study(
    study: Annotated[str | None, typer.Argument(help="Name of a shipped study, or .toml file.")] = None,
    variant: Annotated[
        Many, typer.Option("--variant", help="Name, 'slot*' or 'slot9[iterations=1|3|5]'; may be repeated.")
    ] = None,
    dataset: Annotated[Many, typer.Option("--dataset", help="Name or folder; may be repeated.")] = None,
    seed: Annotated[Many, typer.Option("--seed", help=SEEDS)] = None,
    protocol: Annotated[str | None, typer.Option("--protocol", help="Name, or .toml file.")] = None,
    change: Annotated[
        Many, typer.Option("--set", metavar="KEY=VALUE", help="Change a rule of the protocol.")
    ] = None,
    compare: Annotated[
        Many, typer.Option("--compare", metavar="A:B", help="Declare a comparison; may be repeated.")
    ] = None,
    control: Annotated[
        str | None,
        typer.Option("--control", metavar="NAME", help="Run it again with further seeds: the A/A control."),
    ] = None,
    engine: Annotated[str | None, typer.Option("--engine", help="local, ray or a plugin's.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=MOST_THREADS, help="Cells at a time.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, max=MOST_THREADS, help="CPU threads of a cell.")
    ] = None,
    address: Annotated[str | None, typer.Option("--address", help="Address of a Ray cluster.")] = None,
    max_hours: Annotated[
        float | None, typer.Option("--max-hours", min=0, max=10**5, help="Stop after this long.")
    ] = None,
    max_failures: Annotated[
        int | None,
        typer.Option("--max-failures", min=1, max=10**6, help="Stop after this many failed cells."),
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run failed cells again.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print every cell; execute nothing.")] = False,
    check: Annotated[
        Path | None, typer.Option("--check", metavar="FILE", help="Fail where scores drift from these.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", metavar="FILE", help="Write the scores for --check.")
    ] = None,
    weights: Weights = None,
    device: Device = "auto",
    runs: Runs = DEFAULT_RUNS,
    plugin: Plugin = None,
    skip_bad_images: SkipBadImages = False,
    compile_networks: Compile = False,
    deterministic: Deterministic = False,
    precision_fallback: PrecisionFallback = False,
    unchecked: Unchecked = False,
    tensorboard: TensorBoard = False,
    track: Track = None,
    as_json: AsJson = False,
) -> None:
    """Train and score a grid of variants, data sets and seeds, declared in a file or by options.

    Finished cells are skipped and interrupted ones continue, so the same command goes on after anything.

    Examples:

      bench study smoke

      bench study --variant 'slot*' --variant spatial --dataset toy-stripes --seed 0..2 --workers 2

      bench study nine-slots --engine ray --address auto --dry-run
    """
    from bench.runs.atomic import require_writable
    from bench.setup import Execution
    from bench.studies.conduct import RunOptions
    from bench.tracking import tracker_names

    load_plugins(plugin)
    grid = {
        "variants": variant,
        "datasets": dataset,
        "seeds": seed,
        "protocol": protocol,
        "changes": change,
        "comparisons": compare,
        "control": control,
    }
    places = {
        "kind": engine,
        "workers": workers,
        "threads": threads,
        "address": address,
    }
    if not dry_run:
        require_writable(runs, "--runs", locks=True)
    execution = Execution(
        compile=compile_networks,
        deterministic=deterministic,
        precision_fallback=precision_fallback,
        unchecked=unchecked,
        trackers=tracker_names(tensorboard, track or ()),
    )
    where = RunOptions(runs, device, weights, skip_bad_images, tuple(plugin or ()), execution)
    request = StudyRequest(
        study, grid, places, where, max_hours, max_failures, retry_failed, dry_run, check, record, as_json
    )
    raise typer.Exit(answer(request))


@dataclass(frozen=True)
class StudyRequest:
    """The options of one call."""

    study: str | None
    grid: dict[str, Any]
    """Options that declare a study; None where not given."""
    engine: dict[str, Any]
    """Options that stand in for the study's [engine]; None where not given."""
    where: "RunOptions"
    max_hours: float | None
    max_failures: int | None
    retry_failed: bool
    dry_run: bool
    check: Path | None
    record: Path | None
    as_json: bool


def answer(request: StudyRequest) -> int:
    """Do what was asked; the exit code: 0 all well, 1 a cell failed or a score drifted, 128 + signal."""
    from bench.errors import UsageError, announce
    from bench.names import counted
    from bench.progress import TerminalProgress
    from bench.studies import expectation, summary
    from bench.studies.conduct import Budget, conduct, engine_settings, make_engine, prepare_study
    from bench.studies.grid import expand, run_folders

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
            print_cells(prepared, declaration, request.where.runs)
        return 0
    grid = expand(declaration)  # a wrong name is told before an engine is started
    if request.record and len(grid.seeds) < 2:
        raise UsageError("--record writes down the noise of seeds too: give the study at least two seeds.")
    with make_engine(settings, request.where.device) as engine:
        with TerminalProgress() as progress:
            prepared = prepare_study(declaration, request.where, progress, settings)
        announce(f"{declaration.study.name}: {counted(len(prepared.plan), 'cell')} -> {request.where.runs}")
        budget = Budget(request.max_hours, request.max_failures)
        with summary.StudyBoard(declaration.study.name, len(prepared.plan), engine.capacity()) as board:
            conducted = conduct(
                prepared.plan, prepared.orders, engine, board, budget, retry_failed=request.retry_failed
            )
    show_skipped(conducted, request.where.execution.trackers)
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


def show_skipped(conducted: "Conducted", trackers: tuple[str, ...]) -> None:
    """Show the cells that were finished before to the trackers that were asked for."""
    from bench.errors import announce
    from bench.runs.folder import RunFolder
    from bench.tracking import show_finished

    for result in conducted.results:
        if result.end == "skipped" and trackers:
            show_finished(trackers, RunFolder(result.planned.folder), announce)


def print_cells(prepared: "Prepared", declaration: "Declaration", runs: Path) -> None:
    """A line for each of the first cells, then the sums over all of them."""
    from bench.cli.console import Column, print_table
    from bench.studies import summary

    columns = [Column("state", "name"), Column("schedule", "name"), Column("hours"), Column("GiB")]
    shown = prepared.plan[:MOST_CELLS]
    print_table([*columns, Column("folder", "name")], [summary.plan_cells(planned) for planned in shown])
    if len(prepared.plan) > len(shown):
        print(f"and {len(prepared.plan) - len(shown)} more cells; all of them: --dry-run --json")
    for line in summary.plan_sums(prepared.plan, declaration.study, runs):
        print(line)


def declared(request: StudyRequest) -> "Declaration":
    """The study of the file, or of the options. Raises UsageError where both or neither are given."""
    from bench.errors import UsageError
    from bench.studies.study import StudySource, declare, load_study

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
    return declare({"name": "study", **given}, StudySource("command line"))


def tell(request: StudyRequest, prepared: "Prepared", conducted: "Conducted") -> None:
    """Print the results: JSON or text."""
    from bench.studies import summary

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


def compare_scores(expected: "Expectation", folders: "list[RunFolder]") -> int:
    """Say which scores drifted; returns the exit code."""
    from bench.studies import expectation

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
