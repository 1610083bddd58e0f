"""A finished run's generator as an ONNX graph, held against torch by onnxruntime before it is kept."""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bench import __version__
from bench.data.files import list_images
from bench.data.pictures import read_image_at
from bench.data.tensors import to_tensor
from bench.errors import BenchError, UsageError
from bench.exporting import refuse_standing, seeded, smallest, whole_or_nothing
from bench.runs.folder import RunFolder
from bench.runs.pictures import read_entries
from bench.runs.records import Direction
from bench.training.checkpoint import read_origin
from bench.translating import generator_of_run
from variants.contract import STRIDE, Generator

LARGEST_DIFFERENCE = 1e-3
"""Between onnxruntime and torch, for images in [-1, 1]: an eighth of a level of 255."""
CHECKED_SIZES = 3
OPSET = 18


@dataclass(frozen=True)
class OnnxExport:
    """A graph that was written and checked."""

    path: Path
    largest_difference: float
    """Between onnxruntime and torch, over all pictures and sizes, for images in [-1, 1]."""
    images: int
    sizes: tuple[tuple[int, int], ...]
    """Heights and widths that it was checked at, the least among them."""
    smallest: int
    """Least height and width."""
    noise: tuple[int, int] | None
    """(slots, features) of the input `noise` of each image; None where there is no such input."""


class ImageAlone(nn.Module):
    """A generator as other programs know them: image in, image out, and its masks where it has some."""

    def __init__(self, generator: Generator, fixed: Tensor | None) -> None:
        super().__init__()
        self.generator = generator
        self.masked = False
        """Whether masks are a second output."""
        self.register_buffer("fixed", fixed)

    def forward(self, image: Tensor, noise: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        if isinstance(self.fixed, Tensor):
            noise = self.fixed.expand(image.shape[0], -1, -1)
        made = self.generator(image, noise)
        return (made.image, made.masks) if self.masked and made.masks is not None else made.image


def export_onnx(
    folder: RunFolder,
    out: Path,
    *,
    direction: Direction = "A2B",
    noise_seed: int | None = None,
    images: Path | None = None,
    announce: Callable[[str], None] = lambda text: None,
) -> OnnxExport:
    """Write one direction of a finished run as an ONNX graph for images of any size that is a multiple of 16,
    from the least on that the generator takes.

    Inputs `image` [b, 3, h, w] in [-1, 1] and, unless `noise_seed` fixes it, `noise` [b, slots, features] for
    a generator that draws some; outputs `translation` and, where there are any, `masks` [b, k, h, w]. It is
    checked on the images in the folder `images`, else on the run's own pictures. Raises UsageError where onnx
    is not installed, BenchError where the graph cannot be made or its results differ by more than 1e-3.
    """
    require_onnx()
    refuse_standing(out, "file")
    generator, size = generator_of_run(folder, direction, "cpu")
    pictures = trial_pictures(folder, direction, images, size)
    shape = generator.noise_shape
    if noise_seed is not None and shape is None:
        announce(f"note: {folder.read().cell.variant} draws no noise, so there is none to fix")
    fixed = shape is not None and noise_seed is not None
    drawn = torch.randn(1, *shape, generator=seeded(noise_seed)) if shape is not None and fixed else None
    wrapped = ImageAlone(generator, drawn).eval()
    with torch.no_grad():
        first = generator(torch.zeros(1, 3, size, size), None if shape is None else torch.zeros(1, *shape))
    wrapped.masked = first.masks is not None
    wants_noise = shape if shape is not None and not fixed else None
    least = smallest(generator)
    origin = read_origin(folder.generator)
    about = {
        "variant": origin.variant,
        "direction": direction,
        "trained_at": str(size),
        "steps": str(origin.step),
        "image": f"RGB, [-1, 1], height and width multiples of {STRIDE} from {least} on",
        "smallest": str(least),
        "noise": "none" if shape is None else "an input" if wants_noise else f"fixed by seed {noise_seed}",
        "made_by": f"bench {__version__}",
    }
    with whole_or_nothing(out) as draft:
        write_graph(wrapped, wants_noise, size, draft, about)
        sizes = checked_sizes(size, least)
        largest = max(difference(wrapped, draft, pictures, each, wants_noise) for each in sizes)
        if not largest <= LARGEST_DIFFERENCE:
            raise BenchError(
                f"The graph of {origin.variant} differs from torch by up to {largest:.2g} (at most "
                f"{LARGEST_DIFFERENCE:g} is allowed for images in [-1, 1]), so it is not kept. Its forward "
                "does something that ONNX does otherwise; --format hub keeps the weights themselves."
            )
    return OnnxExport(out, largest, len(pictures), sizes, least, wants_noise)


def write_graph(
    module: ImageAlone, noise: tuple[int, int] | None, size: int, path: Path, about: dict[str, str]
) -> None:
    """Write the graph of a wrapped generator. Raises BenchError, with its reason, where torch cannot."""
    import onnx

    batch, height, width = (torch.export.Dim(name, min=1) for name in ("batch", "h", "w"))
    # Sizes that are no special case of the generator's, such as the one it was trained at.
    example = torch.rand(2, 3, size + STRIDE, size + 2 * STRIDE) * 2 - 1
    inputs = (example,) if noise is None else (example, torch.randn(2, *noise))
    shapes: dict[str, Any] = {"image": {0: batch, 2: STRIDE * height, 3: STRIDE * width}}
    if noise is not None:
        shapes["noise"] = {0: batch}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on names of axes and on what torch is going to change
            torch.onnx.export(
                module,
                inputs,
                str(path),
                input_names=list(shapes),
                output_names=["translation", "masks"] if module.masked else ["translation"],
                dynamic_shapes=shapes,
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        graph = onnx.load(str(path))
        graph.doc_string = f"{about['variant']}, {about['direction']}, by bench export"
        onnx.helper.set_model_props(graph, about)
        onnx.save(graph, str(path))
    except BenchError:
        raise
    except Exception as error:  # anybody's generator, and an exporter with many ways to fail
        first: BaseException = error
        while first.__cause__ is not None:  # the exporter's own words only say at which of its steps it was
            first = first.__cause__
        reason = f"{type(first).__name__}: {first}".splitlines()[0]
        raise BenchError(
            f"{about['variant']} cannot be written as ONNX ({reason}). --format hub keeps it for torch."
        ) from error


def difference(
    module: ImageAlone,
    path: Path,
    pictures: Sequence[Path],
    size: tuple[int, int],
    noise: tuple[int, int] | None,
) -> float:
    """The largest difference of the graph's image from torch's, over pictures at one size, in [-1, 1]."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    largest = 0.0
    for number, picture in enumerate(pictures):
        image = to_tensor(read_image_at(picture, *size)[None])
        given = {"image": image.numpy()}
        if noise is not None:
            given["noise"] = torch.randn(1, *noise, generator=seeded(number)).numpy()
        theirs = results_of(session, given)
        with torch.no_grad():
            made = module(image, None if noise is None else torch.from_numpy(given["noise"]))
        ours = (made[0] if isinstance(made, tuple) else made).numpy()
        apart = np.abs(ours - theirs)
        largest = max(largest, float(apart.max()) if np.isfinite(apart).all() else math.inf)
    return largest


def results_of(session: Any, given: dict[str, Any]) -> Any:
    """The translation that a graph gives. Raises BenchError where it does not run on such images."""
    try:
        return session.run(["translation"], given)[0]
    except Exception as error:  # onnxruntime has a dozen of its own, one for every kind of failure
        shape = " x ".join(map(str, given["image"].shape))
        reason = " ".join(str(error).split())
        raise BenchError(
            f"The graph does not run on an image of {shape} ({reason}), so it is not kept. Where the "
            "generator's forward takes a size for fixed, as len(image) does, write image.shape[0]; --format "
            "hub keeps the weights themselves."
        ) from error


def trial_pictures(folder: RunFolder, direction: Direction, images: Path | None, size: int) -> list[Path]:
    """Pictures to check with: those of a folder, else the sources that the run keeps. BenchError for none."""
    if images is not None:
        return list(list_images(images).require_images().paths)
    found = [
        folder.path / entry["folder"] / "source.png"
        for entry in read_entries(folder)
        if entry.get("direction") == direction and entry.get("kind") in ("final", "extreme")
    ]
    there = list(dict.fromkeys(path for path in found if path.is_file()))
    if not there:
        raise BenchError(
            f"{folder.path} keeps no pictures of its test images to check the export with. Give some: "
            "--images DIR"
        )
    return there


def require_onnx() -> None:
    """Raise UsageError where the packages of the extra are missing."""
    from importlib.util import find_spec

    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"--format onnx needs {', '.join(missing)}. Install what it takes: pip install "
            "'bench-unpaired[onnx]'"
        )


def checked_sizes(size: int, least: int) -> tuple[tuple[int, int], ...]:
    """Three (height, width) to check at: as trained, higher than wide, and the least; others where these are
    the same."""
    taller = round(1.5 * size / STRIDE) * STRIDE
    wanted = [(size, size), (taller, size), (least, least), (least, least + STRIDE), (least + STRIDE, least)]
    return tuple(dict.fromkeys(wanted))[:CHECKED_SIZES]
