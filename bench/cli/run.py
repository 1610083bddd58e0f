"""`bench run`: train and score one variant."""

from typing import Annotated

import typer

from bench.cli.options import (
    DEFAULT_RUNS,
    AsJson,
    Compile,
    Deterministic,
    Device,
    Plugin,
    PrecisionFallback,
    Runs,
    Seed,
    Threads,
    Unchecked,
    Weights,
    print_json,
)


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
    skip_bad_images: Annotated[
        bool, typer.Option("--skip-bad-images", help="Leave unreadable images out and record which.")
    ] = False,
    compile_networks: Compile = False,
    deterministic: Deterministic = False,
    precision_fallback: PrecisionFallback = False,
    unchecked: Unchecked = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be recorded; do nothing.")
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
    from bench.cli.console import announce, print_record
    from bench.cli.options import load_plugins
    from bench.runs.atomic import require_writable
    from bench.studies.grid import make_cell

    load_plugins(plugin)
    changes = [*(change or []), *([f"score.features={features}"] if features else [])]
    cell = make_cell(protocol, dataset, variant, seed, tuple(changes))
    announce(f"{cell} -> {cell.folder(runs)}")
    if not dry_run:
        require_writable(runs, "--runs", locks=True)

    from bench.progress import TerminalProgress
    from bench.runs.folder import RunFolder
    from bench.setup import Execution, describe_environment, resolve_device, use_threads
    from bench.studies.execute import Machine, execute, preview
    from bench.studies.identity import finished_remarks

    execution = Execution(
        compile=compile_networks,
        deterministic=deterministic,
        precision_fallback=precision_fallback,
        unchecked=unchecked,
    )
    machine = Machine(resolve_device(device), use_threads(threads), weights, skip_bad_images, execution)
    with TerminalProgress() as progress:
        if dry_run:
            print_json(preview(cell, machine, progress).model_dump(mode="json"))
            return
        finished_before = RunFolder(cell.folder(runs)).is_done()
        record = execute(cell, runs, machine, progress)
    if finished_before:
        for remark in finished_remarks(record, describe_environment(machine.device, machine.threads)):
            announce(remark)
    print_record(cell.folder(runs), as_json)
