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
    TensorBoard,
    Threads,
    Track,
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
