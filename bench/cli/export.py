"""`bench export`: a finished run in the formats of other programs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import HIGHEST_SEED, Plugin, load_plugins


class ExportFormat(StrEnum):
    """What to write."""

    ONNX = "onnx"
    HUB = "hub"


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    out: Annotated[Path, typer.Option("--out", metavar="PATH", help="File (onnx) or folder (hub) to write.")],
    format: Annotated[
        ExportFormat,
        typer.Option("--format", help="onnx: a graph of one direction; hub: a folder with a model card."),
    ] = ExportFormat.ONNX,
    direction: Annotated[str, typer.Option("--direction", help="A2B or B2A, of the graph.")] = "A2B",
    noise_seed: Annotated[
        int | None,
        typer.Option(
            "--noise-seed",
            min=0,
            max=HIGHEST_SEED,
            metavar="SEED",
            help="Fix the slot noise by a seed; default: it is an input.",
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option("--images", metavar="DIR", help="Images to check the graph with; default: the run's."),
    ] = None,
    plugin: Plugin = None,
) -> None:
    """Write a trained generator as an ONNX graph, or as a folder for a model hub, and check what was written.

    The graph takes images of any height and width that are multiples of 16, from 16 on (32 where the
    generator takes none of 16). It is held against torch on pictures of the run, at the size trained at, a
    higher one and the least, and kept only where they agree. The folder is read by variants.from_pretrained.

    Examples:

      bench export runs/smoke/toy-stripes/slot9/seed0 --out slot9.onnx

      bench export runs/smoke/toy-stripes/slot9/seed0 --noise-seed 0 --direction B2A --out slot9-B2A.onnx

      bench export runs/smoke/toy-stripes/slot9/seed0 --format hub --out slot9-toy-stripes
    """
    from bench.errors import UsageError, announce
    from bench.runs.folder import RunFolder
    from bench.runs.records import DIRECTIONS

    load_plugins(plugin)
    wanted = next((known for known in DIRECTIONS if known == direction), None)
    if wanted is None:
        raise UsageError(f"--direction {direction!r} is not a direction. Give A2B or B2A.")
    if format is ExportFormat.HUB and (noise_seed is not None or images is not None):
        raise UsageError("--noise-seed and --images are of a graph: give --format onnx.")

    from bench.exporting.graph import export_onnx
    from bench.exporting.hub import export_hub
    from bench.studies.identity import changed_since

    folder = RunFolder(run)
    if changed := changed_since(folder.read()):
        announce(f"note: {changed}. The weights of the run are exported in the generator of now.")
    if format is ExportFormat.HUB:
        print(export_hub(folder, out, announce))
        announce(f'Read it with: variants.from_pretrained("{out}")')
        return
    made = export_onnx(folder, out, direction=wanted, noise_seed=noise_seed, images=images, announce=announce)
    print(made.path)
    sizes = ", ".join(f"{width} x {height}" for height, width in made.sizes)
    announce(
        f"Largest difference from torch: {made.largest_difference:.2g} of images in [-1, 1], over "
        f"{made.images} pictures at {sizes}. Least height and width: {made.smallest}."
    )
