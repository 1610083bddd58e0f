"""Translating anybody's images with the generator of a finished run or of a published checkpoint."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch

import variants
from bench.data.files import list_images
from bench.data.pictures import read_image
from bench.data.tensors import quantise, to_tensor
from bench.errors import BenchError, UsageError
from bench.progress import ProgressReport
from bench.runs.folder import RunFolder
from bench.runs.pictures import write_png
from bench.runs.scores import Direction
from bench.streams import Streams
from bench.training.weights import load_generators


def generator_of_run(folder: RunFolder, direction: Direction, device: str) -> tuple[variants.Generator, int]:
    """(generator in evaluation mode, image size) of a finished run. Raises BenchError when it has none."""
    record = folder.read()
    if not folder.generator.is_file():
        raise BenchError(
            f"{folder.path} has no generator.safetensors (status {record.status}). Finish it with: bench run "
            f"--variant '{record.cell.variant}' --dataset {record.cell.dataset} --seed {record.cell.seed}"
        )
    generator = load_generators(folder.generator)[direction]
    return generator.to(device).eval(), int(record.protocol["images"]["size"])


def generator_of_checkpoint(system: str, file: Path, device: str) -> variants.Generator:
    """Our generator with the weights of a published system's checkpoint file.

    The file is read without unpickling code. Raises UsageError for a file that holds no state dict.
    """
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise UsageError(f"{file} cannot be read as a checkpoint of plain tensors: {error}") from None
    if not isinstance(state, dict):
        raise UsageError(f"{file} holds a {type(state).__name__}; give the state dict of one generator.")
    return variants.from_published(system, state).to(device).eval()


def image_files(inputs: Sequence[Path]) -> list[Path]:
    """The images named directly, and those in the named folders, in the order of their names."""
    files: list[Path] = []
    for given in inputs:
        if given.is_dir():
            files += list_images(given).require_images().paths
        elif given.is_file():
            files.append(given)
        else:
            raise UsageError(f"There is no image and no folder {given}.")
    return files


def translate_files(
    generator: variants.Generator, files: Iterable[Path], size: int, seed: int, device: str
) -> Iterator[tuple[Path, torch.Tensor]]:
    """(file, translation [3, size, size]) one by one; the slot noise of an image follows from its name."""
    streams = Streams(seed)
    for file in files:
        image = to_tensor(read_image(file, size)[None]).to(device)
        noise = streams.torch("scoring", "translate", file.name)
        with torch.inference_mode():
            yield file, generator(image, noise).image[0].cpu()


def translate_into(
    folder: Path,
    generator: variants.Generator,
    files: Sequence[Path],
    *,
    size: int,
    seed: int,
    device: str,
    progress: ProgressReport,
) -> list[Path]:
    """Write every translation as a PNG of the same stem; returns the new files.

    Raises UsageError when two inputs would be written to one name, BenchError for a non-finite output.
    """
    stems = [file.stem for file in files]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise UsageError(
            f"Several inputs would be written to {twice[0]}.png. Translate them into separate folders."
        )
    progress.start("translating", len(files))
    written = []
    for file, image in translate_files(generator, files, size, seed, device):
        target = folder / f"{file.stem}.png"
        write_png(target, quantise(image[None])[0])
        written.append(target)
        progress.advance()
    return written
