"""`bench study`: a grid of runs."""

from pathlib import Path
from typing import Annotated

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
    TensorBoard,
    Track,
    Unchecked,
    Weights,
)

Many = list[str] | None
SEEDS = "0..4 for the seeds 0 to 4, or 0,2,7."


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
    skip_bad_images: Annotated[
        bool, typer.Option("--skip-bad-images", help="Leave unreadable images out and record which.")
    ] = False,
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
    from bench.cli.options import load_plugins
    from bench.cli.studying import StudyRequest, answer
    from bench.runs.atomic import require_writable
    from bench.setup import Execution
    from bench.studies.conduct import Circumstances
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
    where = Circumstances(runs, device, weights, skip_bad_images, tuple(plugin or ()), execution)
    request = StudyRequest(
        study, grid, places, where, max_hours, max_failures, retry_failed, dry_run, check, record, as_json
    )
    raise typer.Exit(answer(request))
