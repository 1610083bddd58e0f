"""Translating anybody's images with the generator of a finished run or of a published checkpoint."""

import contextlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import variants
from bench.data.dataset import Images
from bench.data.files import (
    kind_of_path,
    list_images,
    printable,
    refuse_output_over_input,
    what_it_is_instead,
)
from bench.data.pictures import BadImage, Looked, look_at, read_image_at, scaled
from bench.data.tensors import quantise, to_tensor
from bench.errors import BenchError, UsageError
from bench.progress import ProgressReport
from bench.runs.atomic import require_writable
from bench.runs.folder import RunFolder
from bench.runs.pictures import write_png
from bench.runs.records import Direction
from bench.streams import Streams
from bench.training.checkpoint import load_generators
from bench.training.memory import (
    MEASURED,
    available_on,
    bytes_of_a_translation,
    is_out_of_memory,
    memory_size,
)
from variants.contract import STRIDE
from variants.published import require_system
from variants.published.files import read_file

MADE_BY = "bench translate"
"""Stands in every PNG that is written here, so that nobody else's file is ever replaced."""
LONGEST_NAME = 255
"""Bytes in the name of a file."""


def generator_of_run(
    folder: RunFolder, direction: Direction, device: str, *, with_masks: bool = False
) -> tuple[variants.Generator, int]:
    """(generator in evaluation mode, image size) of a finished run.

    `with_masks`: whether the images come with the data set's masks. Raises BenchError when it has none,
    UsageError for one that needs more of an image than there is.
    """
    record = folder.read()
    if not folder.generator.is_file():
        raise BenchError(
            f"{folder.path} has no generator.safetensors (status {record.status}). Repeat the bench run that "
            "began it: it continues where that one stopped."
        )
    generator = load_generators(folder.generator)[direction]
    if generator.wants_masks is not None and not with_masks:
        raise UsageError(
            f"{record.cell.variant} translates by the foreground masks of its data set, and images from "
            f"elsewhere have none: the run in {folder.path} is of no use on them. Take another variant's."
        )
    return generator.to(device).eval(), int(record.protocol["images"]["size"])


def generator_of_checkpoint(system: str, file: Path, device: str) -> variants.Generator:
    """Our generator with the weights of a published system's checkpoint file.

    Nothing in the file is executed. Raises VariantError, with what it holds and what is wanted, for a file
    in which not exactly one generator of the system is found.
    """
    require_system(system)  # before a file that may be of gigabytes is read
    return variants.from_published(system, read_file(file), str(file)).to(device).eval()


@dataclass(frozen=True)
class Photograph:
    """One image to translate."""

    path: Path
    target: Path
    """The PNG that it becomes."""
    height: int
    """Height and width at which it is translated."""
    width: int

    @property
    def pixels(self) -> int:
        """Of what the generator is given."""
        return (self.height + -self.height % STRIDE) * (self.width + -self.width % STRIDE)


@dataclass(frozen=True)
class Work:
    """What is going to be translated, and what somebody who gave the inputs has to know."""

    photographs: tuple[Photograph, ...]
    notes: tuple[str, ...]


def look_at_images(
    inputs: Sequence[Path], out: Path, *, size: int | None, skip_bad_images: bool, progress: ProgressReport
) -> Work:
    """Look at everything before anything is translated: each image is decoded once.

    `size` is the shorter side of the translations, None keeps that of the images. Raises UsageError for an
    input that is not there, two that would become one file, and an output that would take the place of an
    input or of a file that was not made here; BenchError for an image that cannot be read, unless skipped,
    and for a folder that cannot be written to.
    """
    files, notes = image_files(inputs)
    targets = {file: out / f"{file.stem}.png" for file in files}
    refuse_output_over_input(out, [place for file in files for place in (file.parent, file.resolve().parent)])
    refuse_shared_targets(targets)
    for target in targets.values():
        refuse_foreign(target)
    if kind_of_path(out) not in ("folder", "nothing"):
        raise UsageError(f"--out: {what_it_is_instead(out, 'folder')}. Give another folder.")
    require_writable(out, "--out")
    looked, skipped = look_at_all(files, skip_bad_images, progress)
    photographs = tuple(
        Photograph(file, targets[file], *scaled(found.height, found.width, size))
        for file, found in looked.items()
    )
    return Work(photographs, (*notes, *skipped, *remarks(looked)))


def image_files(inputs: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """The images named and those in the named folders, in this order, each once; and what was left out."""
    files: dict[Path, Path] = {}
    notes: list[str] = []
    for given in inputs:
        found: Sequence[Path] = [given]
        if kind_of_path(given) == "folder":
            listing = list_images(given).require_images()
            found = listing.paths
            notes += [listing.note] if listing.note else []
        elif kind_of_path(given) != "file":
            raise UsageError(f"{what_it_is_instead(given, 'image and no folder')}.")
        for file in found:
            files.setdefault(file.parent.resolve() / file.name, file)
    return list(files.values()), list(dict.fromkeys(notes))


def look_at_all(
    files: Sequence[Path], skip_bad_images: bool, progress: ProgressReport
) -> tuple[dict[Path, Looked], list[str]]:
    """What is known of every readable image, and a sentence for every other one. Raises BadImage for one that
    may not be skipped, BenchError where nothing is left."""
    looked: dict[Path, Looked] = {}
    skipped: list[str] = []
    progress.start("reading", len(files))
    for file in files:
        try:
            looked[file] = look_at(file)
        except BadImage as error:
            if not skip_bad_images:
                raise
            skipped.append(f"Skipped {printable(file)}: {error.reason}.")
        progress.advance()
    if not looked:
        raise BenchError("\n".join(["None of the images can be read, so nothing is translated.", *skipped]))
    return looked, skipped


def remarks(looked: Mapping[Path, Looked]) -> list[str]:
    """What is not translated of the images as it stands in their files, one sentence each."""
    found = []
    animated = [printable(file.name) for file, each in looked.items() if each.images > 1]
    transparent = sum(each.transparent for each in looked.values())
    if animated:
        found.append(f"Several images are in {', '.join(animated)}: the first one is translated.")
    if transparent:
        found.append(f"Images with transparency, laid over white: {transparent}.")
    return found


def refuse_shared_targets(targets: Mapping[Path, Path]) -> None:
    """Raise UsageError where two inputs would be written to one file, or one to a name that is too long."""
    first: dict[Path, Path] = {}
    for file, target in targets.items():
        if target in first:
            raise UsageError(
                f"{printable(first[target])} and {printable(file)} would both be written to "
                f"{printable(target)}. Translate them into separate folders."
            )
        first[target] = file
        if len(os.fsencode(target.name)) > LONGEST_NAME:
            raise UsageError(
                f"The name {printable(target.name)} is too long for a file. Rename {printable(file)}."
            )


def refuse_foreign(target: Path) -> None:
    """Raise UsageError for a target that exists and that `bench translate` did not write."""
    kind, made_here = kind_of_path(target), False
    if kind == "nothing":
        return
    if kind == "file":
        with contextlib.suppress(Exception), Image.open(target) as picture:
            made_here = picture.info.get("Software") == MADE_BY
    if not made_here:
        raise UsageError(
            f"{printable(target)} is there already, and bench translate did not write it. Give another "
            "folder to --out, or move that file away."
        )


def translate_files(
    generator: variants.Generator, photographs: Iterable[Photograph], seed: int, device: str
) -> Iterator[tuple[Photograph, Images]]:
    """(photograph, translation uint8 [h, w, 3]) one by one; the slot noise of an image follows from its name.

    What is given to the generator is padded by reflection to multiples of 16 and cropped again.
    """
    streams = Streams(seed)
    for each in photographs:
        pixels = read_image_at(each.path, each.height, each.width)
        image = to_tensor(padded(pixels)[None]).to(device)
        noise = streams.torch("scoring", "translate", printable(each.path.name))
        with torch.inference_mode():
            made = generator(image, noise).image
        yield each, quantise(made[:, :, : each.height, : each.width])[0]


def padded(pixels: Images) -> Images:
    """An image [h, w, 3] reflected at its lower and right border until its sides are multiples of 16."""
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0)), mode="reflect")


def refuse_images_beyond_memory(
    generator: variants.Generator, photographs: Sequence[Photograph]
) -> str | None:
    """A remark where the largest image may not fit in memory; BenchError where it certainly does not."""
    largest = max(photographs, key=lambda each: each.pixels)
    height, width = largest.height, largest.width
    try:
        needed = bytes_of_a_translation(generator, height + -height % STRIDE, width + -width % STRIDE)
    except Exception:  # anybody's generator: what runs on data need not run without
        return None
    available = available_on(next(generator.parameters(), torch.empty(0)).device)
    if MEASURED * needed <= available.bytes:
        return None
    said = (
        f"Translating {printable(largest.path)} at {width} x {height} pixels needs "
        f"{memory_size(needed)} or more of memory; {memory_size(available.bytes)} are available "
        f"({available.where})."
    )
    if needed <= available.bytes:
        return said
    shorter_side = (
        int(min(height, width) * math.sqrt(available.bytes / (MEASURED * needed))) // STRIDE * STRIDE
    )
    raise BenchError(
        f"{said} Less is needed with --size {max(shorter_side, STRIDE)}, which scales the shorter side."
    )


def translate_into(
    generator: variants.Generator,
    photographs: Sequence[Photograph],
    *,
    seed: int,
    device: str,
    trained_at: int | None,
    progress: ProgressReport,
) -> None:
    """Write every translation as a PNG. Raises BenchError for one that is not finite or cannot be made.

    `trained_at` is the size of the images that the generator was trained on, for the error's remedy.
    """
    progress.start("translating", len(photographs))
    made = translate_files(generator, photographs, seed, device)
    for each in photographs:
        try:
            _, pixels = next(made)
        except BenchError:
            raise
        except Exception as error:
            raise BenchError(explain_failure(error, each, trained_at)) from error
        write_png(each.target, pixels, MADE_BY)
        progress.advance()


def explain_failure(error: Exception, photograph: Photograph, trained_at: int | None) -> str:
    """What to say and to advise where a generator failed on an image."""
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    said = (
        f"{printable(photograph.path)} could not be translated at {photograph.width} x {photograph.height} "
        f"pixels ({reason})."
    )
    if is_out_of_memory(error):
        return f"{said} The memory does not suffice. Scale the shorter side down with --size."
    if trained_at is None:
        return f"{said} Try another --size."
    return (
        f"{said} The generator was trained on images of {trained_at} x {trained_at}; if it takes no others, "
        f"crop the images to squares and give --size {trained_at}."
    )
