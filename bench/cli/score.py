"""`bench score` and `bench translate`: measure runs or images of any origin; use a trained generator."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.options import (
    DEFAULT_RUNS,
    HIGHEST_SEED,
    AsJson,
    Device,
    Plugin,
    Runs,
    SkipBadImages,
    Threads,
    Weights,
    load_plugins,
    print_json,
)

if TYPE_CHECKING:
    from bench.api.sheets import ScoreSheet
    from bench.runs.records import Score


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


def print_runs(folders: list[Path], options: dict[str, Any], as_json: bool) -> None:
    """Score finished runs again and print the scores of each: as JSON, one document for all of them."""
    from bench import api
    from bench.cli.console import print_scores
    from bench.errors import announce

    found = []
    for folder in folders:
        scores = api.score(run=folder, **options).scores
        assert scores is not None  # a run that was scored has some
        found.append({"run": str(folder), **scores.model_dump(mode="json")})
        if not as_json:
            announce(str(folder))
            print_scores(scores, subsets=True)
    if as_json:
        print_json(found if len(found) > 1 else {key: found[0][key] for key in found[0] if key != "run"})


def print_kept(kept: "ScoreSheet", as_json: bool) -> None:
    """The scores as a table with one block a direction, or as JSON; where they lie on stderr."""
    from bench.cli.console import Column, feet, lines, print_table, say
    from bench.data.files import printable
    from bench.errors import announce
    from bench.names import command

    assert kept.scores is not None  # what was scored has some
    if as_json:
        print_json(kept.scores.model_dump(mode="json"))
    else:
        for direction, scored in kept.scores.selections["last"].directions.items():
            counts = f"{scored.images_generated} images against {scored.images_real} real ones"
            rows = [line for key, score in scored.metrics.items() for line in lines(key, score)]
            columns = [Column("score", "name"), Column("value"), Column("floor"), Column("copying")]
            print_table(columns, rows, title=f"{direction}: {counts}")
            for sentence in why_missing(scored.metrics):
                say(sentence)
        for sentence in feet(kept.scores):
            say(sentence)
    if kept.folder is not None:
        look = command("report", kept.folder)
        announce(f"Kept in {printable(kept.folder)}. Look at it with: {look}")


def why_missing(metrics: "Mapping[str, Score]") -> Iterator[str]:
    """Why there is no value, and which option gives an empty floor or copy column."""
    from bench.cli.console import heading
    from bench.runs.metrics import is_distance

    reasons: dict[str, list[str]] = {}
    for key, score in metrics.items():
        if score.value is None:
            reasons.setdefault(str(score.reason), []).append(heading(key))
    yield from (f"No value of {', '.join(names)}: {reason}." for reason, names in reasons.items())
    distances = [score for key, score in metrics.items() if is_distance(key)]
    if all(score.floor is None for score in distances):
        yield "The floor is empty: give other real images of the target, best its training split: --floor DIR"
    if all(score.ceiling is None for score in distances):
        yield "Copying is empty: give the images that were translated: --source DIR"


def translate(
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Images or folders of images.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the translations.")],
    direction: Annotated[str, typer.Option("--direction", help="A2B or B2A.")] = "A2B",
    run: Annotated[
        Path | None, typer.Option("--run", metavar="RUN", help="Folder of a finished run.")
    ] = None,
    published: Annotated[
        str | None, typer.Option("--published", metavar="SYSTEM", help="Published system of --checkpoint.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", metavar="FILE", help="Its state dict, of one direction.")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option("--size", metavar="N", min=1, max=2**14, help="Scale the shorter side to N pixels."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=HIGHEST_SEED, help="Seed of the slot noise.")] = 0,
    skip_bad_images: SkipBadImages = False,
    device: Device = "auto",
    plugin: Plugin = None,
) -> None:
    """Translate images with a finished run, or with a checkpoint of a published system.

    Every image keeps its size unless --size is given; its translation is a PNG of the same name in --out.

    Examples:

      bench translate --run runs/smoke/toy-stripes/slot9/seed0 --direction A2B photos --out translated

      bench translate --published attentiongan --checkpoint latest_net_G_A.pth photo.jpg --out translated
    """
    from bench.data.files import printable
    from bench.errors import UsageError, announce
    from bench.names import counted
    from bench.progress import TerminalProgress
    from bench.runs.folder import RunFolder
    from bench.runs.records import DIRECTIONS
    from bench.setup import resolve_device
    from bench.studies.identity import changed_since
    from bench.translating import (
        generator_of_checkpoint,
        generator_of_run,
        look_at_images,
        refuse_images_beyond_memory,
        translate_into,
    )

    load_plugins(plugin)
    where = resolve_device(device)
    wanted = next((known for known in DIRECTIONS if known == direction), None)
    if wanted is None:
        raise UsageError(f"--direction {direction!r} is not a direction. Give A2B or B2A.")
    trained_at = None
    if run is not None and published is None and checkpoint is None:
        if changed := changed_since(RunFolder(run).read()):
            announce(f"note: {changed}. The weights of the run are used in the generator of now.")
        generator, trained_at = generator_of_run(RunFolder(run), wanted, where)
    elif run is None and published is not None and checkpoint is not None:
        generator = generator_of_checkpoint(published, checkpoint, where)
    else:
        raise UsageError("Give either --run RUN, or --published SYSTEM together with --checkpoint FILE.")
    with TerminalProgress() as progress:
        work = look_at_images(inputs, out, size=size, skip_bad_images=skip_bad_images, progress=progress)
        for note in (*work.notes, refuse_images_beyond_memory(generator, work.photographs)):
            if note:
                announce(f"note: {note}")
        translate_into(
            generator,
            work.photographs,
            seed=seed,
            device=where,
            trained_at=trained_at,
            progress=progress,
        )
    print(f"{counted(len(work.photographs), 'image')} translated {direction}: {printable(out)}")
