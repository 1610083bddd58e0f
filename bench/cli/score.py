"""`bench score`: measure runs again, or images of any origin."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bench.cli.options import DEFAULT_RUNS, AsJson, Device, Plugin, Runs, Threads, Weights


def score(
    run: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN", help="Folders of finished runs to score again.")
    ] = None,
    real: Annotated[
        Path | None, typer.Option("--real", metavar="DIR", help="Real images of the target: its test split.")
    ] = None,
    fake: Annotated[
        Path | None, typer.Option("--fake", metavar="DIR", help="Translations, by whatever program.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--source",
            metavar="DIR",
            help="What they are translations of, paired by name: x_fake.png with x.jpg or x_real.png.",
        ),
    ] = None,
    floor: Annotated[
        Path | None,
        typer.Option("--floor", metavar="DIR", help="Other real images of the target: its training split."),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option("--pattern", metavar="GLOB", help="Only translations of such names: '*_fake.png'."),
    ] = None,
    source_pattern: Annotated[
        str | None, typer.Option("--source-pattern", metavar="GLOB", help="Only sources of such names.")
    ] = None,
    real_pattern: Annotated[
        str | None, typer.Option("--real-pattern", metavar="GLOB", help="Only real images of such names.")
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Take the images of the folders below, too.")
    ] = False,
    published: Annotated[
        str | None,
        typer.Option("--published", metavar="SYSTEM", help="Published system whose --checkpoint is scored."),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="FILE", help="State dict of its generator, of one direction."),
    ] = None,
    direction: Annotated[
        str, typer.Option("--direction", help="Direction of the translations, A2B or B2A.")
    ] = "A2B",
    features: Annotated[
        str | None,
        typer.Option(
            "--features",
            metavar="NAME",
            help="Feature network: inception, squeezenet, efficientnet-lite0, tiny or one of torch-fidelity. "
            "Default: the protocol's; for folders inception.",
        ),
    ] = None,
    weights: Weights = None,
    size: Annotated[
        int | None,
        typer.Option(
            "--size", min=8, max=2**14, help="Resize all images of the folders to N x N.", metavar="N"
        ),
    ] = None,
    subset_size: Annotated[
        int | None,
        typer.Option(
            "--subset-size", min=2, max=10**6, help="Images in a subset of the subset kernel distance."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the system in tables; keeps the scores.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", help="Data set: to translate (--published), or whose table to stand in."),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option("--protocol", help="Protocol: of size and scoring (--published), or of the table."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Folder that keeps the scores.")
    ] = None,
    device: Device = "auto",
    threads: Threads = None,
    runs: Runs = DEFAULT_RUNS,
    plugin: Plugin = None,
    as_json: AsJson = False,
) -> None:
    """Score finished runs again, folders of images of any origin, or a published checkpoint.

    All three get the same distances and the same card. With --source every image is also measured against
    its source. --name or --out keeps the scores in a folder that bench report reads.

    Examples:

      bench score runs/smoke/toy-stripes/slot9/seed0 --features squeezenet --weights squeezenet.pth

      bench score --real horse2zebra/testB --fake results/fake_B --source horse2zebra/testA --name theirs

      bench score --real testB --fake results --pattern '*_fake.png' --source results --size 256 --json

      bench score --published attentiongan --checkpoint latest_net_G_A.pth --dataset horse2zebra --name v2
    """
    from bench import api
    from bench.cli.scoring import print_kept, print_runs

    options: dict[str, Any] = {
        "real": real,
        "fake": fake,
        "source": source,
        "floor": floor,
        "pattern": pattern,
        "source_pattern": source_pattern,
        "real_pattern": real_pattern,
        "recursive": recursive,
        "published": published,
        "checkpoint": checkpoint,
        "direction": direction,
        "features": features,
        "weights": weights,
        "size": size,
        "subset_size": subset_size,
        "name": name,
        "dataset": dataset,
        "protocol": protocol,
        "out": out,
        "device": device,
        "threads": threads,
        "runs": runs,
        "plugin": plugin or (),
    }
    if run:
        print_runs(run, options, as_json)
    else:
        print_kept(api.score(**options), as_json)
