"""`bench translate`: use a trained generator."""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import HIGHEST_SEED, Device, Plugin, load_plugins


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
    skip_bad_images: Annotated[
        bool, typer.Option("--skip-bad-images", help="Leave unreadable images out and say which.")
    ] = False,
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
    from bench.progress import TerminalProgress
    from bench.runs.folder import RunFolder
    from bench.runs.records import DIRECTIONS
    from bench.setup import resolve_device
    from bench.studies.identity import changed_since
    from bench.translating import (
        generator_of_checkpoint,
        generator_of_run,
        prepare,
        refuse_what_does_not_fit,
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
        work = prepare(inputs, out, size=size, skip_bad_images=skip_bad_images, progress=progress)
        for note in (*work.notes, refuse_what_does_not_fit(generator, work.photographs)):
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
    print(f"{len(work.photographs)} images translated {direction}: {printable(out)}")
