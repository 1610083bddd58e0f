"""A finished run in the formats of other programs: one ONNX graph, or a folder as model hubs want it.

Whatever is written was run first: the ONNX graph by onnxruntime against torch, on pictures of the run's test
images and at several sizes; the hub folder by building the generators from it again. Only then does it take
its place.
"""

import json
import math
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bench import __version__
from bench.data.catalogue import licence_note
from bench.data.files import kind_of, list_images, misfit, printable
from bench.data.pictures import read_image_at
from bench.data.tensors import to_tensor
from bench.errors import BenchError, UsageError
from bench.names import folder_name
from bench.runs.folder import RunFolder
from bench.runs.metrics import described
from bench.runs.pictures import read_entries
from bench.runs.records import DIRECTIONS, Direction, RunRecord, Scores, read_scores
from bench.training.weights import read_origin
from bench.translating import generator_of_run
from variants.contract import STRIDE, Generator
from variants.pretrained import CARD, CONFIG, SCHEMA_VERSION, WEIGHTS, from_pretrained
from variants.provenance import provenance

LARGEST_DIFFERENCE = 1e-3
"""Between onnxruntime and torch, for images in [-1, 1]: an eighth of a level of 255."""
SIZES = ((1.0, 1.0), (1.5, 1.0), (0.5, 0.75))
"""Heights and widths at which an export is checked, as parts of the size that was trained at."""
FEWEST_SIZE = 32
OPSET = 18


@dataclass(frozen=True)
class OnnxExport:
    """A graph that was written and checked."""

    path: Path
    largest_difference: float
    """Between onnxruntime and torch, over all pictures and sizes, for images in [-1, 1]."""
    images: int
    sizes: tuple[tuple[int, int], ...]
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
    """Write one direction of a finished run as an ONNX graph for images of any size that is a multiple of 16.

    Inputs `image` [b, 3, h, w] in [-1, 1] and, unless `noise_seed` fixes it, `noise` [b, slots, features] for
    a generator that draws some; outputs `translation` and, where there are any, `masks` [b, k, h, w]. It is
    checked on the images in the folder `images`, else on the run's own pictures. Raises UsageError where onnx
    is not installed, BenchError where the graph cannot be made or its results differ by more than 1e-3.
    """
    require_onnx()
    refuse_standing(out, "file")
    generator, size = generator_of_run(folder, direction, "cpu")
    pictures = pictures_of(folder, direction, images, size)
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
    origin = read_origin(folder.generator)
    about = {
        "variant": origin.variant,
        "direction": direction,
        "trained_at": str(size),
        "steps": str(origin.step),
        "image": "RGB, [-1, 1], height and width multiples of 16",
        "noise": "none" if shape is None else "an input" if wants_noise else f"fixed by seed {noise_seed}",
        "made_by": f"bench {__version__}",
    }
    with whole_or_nothing(out) as draft:
        write_graph(wrapped, wants_noise, size, draft, about)
        sizes = tuple(dict.fromkeys((rounded(size * tall), rounded(size * wide)) for tall, wide in SIZES))
        largest = max(difference(wrapped, draft, pictures, each, wants_noise) for each in sizes)
        if not largest <= LARGEST_DIFFERENCE:
            raise BenchError(
                f"The graph of {origin.variant} differs from torch by up to {largest:.2g} (at most "
                f"{LARGEST_DIFFERENCE:g} is allowed for images in [-1, 1]), so it is not kept. Its forward "
                "does something that ONNX does otherwise; --format hub keeps the weights themselves."
            )
    return OnnxExport(out, largest, len(pictures), sizes, wants_noise)


def write_graph(
    module: ImageAlone, noise: tuple[int, int] | None, size: int, path: Path, about: dict[str, str]
) -> None:
    """Write the graph of a wrapped generator. Raises BenchError, with its reason, where torch cannot."""
    import onnx

    batch, least = torch.export.Dim("batch"), FEWEST_SIZE // STRIDE
    height, width = torch.export.Dim("h", min=least), torch.export.Dim("w", min=least)
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
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
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
        theirs = session.run(["translation"], given)[0]
        with torch.no_grad():
            made = module(image, None if noise is None else torch.from_numpy(given["noise"]))
        ours = (made[0] if isinstance(made, tuple) else made).numpy()
        apart = np.abs(ours - theirs)
        largest = max(largest, float(apart.max()) if np.isfinite(apart).all() else math.inf)
    return largest


def pictures_of(folder: RunFolder, direction: Direction, images: Path | None, size: int) -> list[Path]:
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


def export_hub(folder: RunFolder, out: Path, announce: Callable[[str], None] = lambda text: None) -> Path:
    """Write both directions of a finished run as a folder for a model hub, with a card; returns the folder.

    Raises UsageError where something stands there already, BenchError where the run is not finished or what
    was written does not give the same generators again.
    """
    refuse_standing(out, "folder")
    generators = {direction: generator_of_run(folder, direction, "cpu")[0] for direction in DIRECTIONS}
    record, origin = folder.read(), read_origin(folder.generator)
    scores = read_scores(folder.scores_json) if folder.scores_json.is_file() else None
    if record.status != "done" or scores is None:
        raise BenchError(f"{folder.path} is not finished and scored, so nothing can be said of it in a card.")
    found = provenance(origin.variant)
    if found is not None and record.generator is not None and found.hash != record.generator.hash:
        raise BenchError(
            f"{folder.path} was trained with another source of {origin.variant} than the one loaded here. "
            "Give the one it was trained with: --plugin FILE"
        )
    config: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "library_name": "bench",
        "made_by": f"bench {__version__}",
        "variant": origin.variant,
        "parameters": origin.parameters,
        "directions": list(DIRECTIONS),
        "steps": origin.step,
        "image": {"trained_at": record.protocol["images"]["size"], "range": [-1, 1], "multiple_of": STRIDE},
        "noise_shape": generators["A2B"].noise_shape,
        "protocol": record.cell.protocol,
        "protocol_hash": record.protocol_hash,
        "dataset": Path(record.cell.dataset).name,
        "data_fingerprint": record.data_fingerprint,
        "seed": record.cell.seed,
        "trace_hash": record.trace_hash,
    }
    sources = {} if found is None or found.origin != "plugin" else dict(plugin_files(found.paths, found.name))
    if found is not None:
        file = {"file": found.name} if sources else {}
        config["plugin"] = {**file, "hash": found.hash}
    with whole_or_nothing(out) as draft:
        draft.mkdir()
        shutil.copyfile(folder.generator, draft / WEIGHTS)
        (draft / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        for name, path in sources.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, draft / name)
        (draft / CARD).write_text(card(record, scores, config, bool(sources)), encoding="utf-8")
        refuse_other_results(draft, generators)
    missing = [] if found is None else sorted(found.files.keys() - sources.keys())
    if missing:
        announce(f"note: not in the folder, as it lies elsewhere: {', '.join(missing)}")
    return out


def plugin_files(paths: frozenset[Path], name: str) -> Iterator[tuple[str, Path]]:
    """Name -> file of a plugin and of what lies beside it, as seen from its folder."""
    root = next(path for path in paths if path.name == name).parent
    for path in sorted(paths):
        if path.is_relative_to(root):
            yield path.relative_to(root).as_posix(), path


def refuse_other_results(draft: Path, generators: dict[Direction, Generator]) -> None:
    """Raise BenchError unless the folder gives generators that translate exactly as the run's."""
    for direction, generator in generators.items():
        again = from_pretrained(draft, direction)
        image = torch.rand(1, 3, 2 * STRIDE, 2 * STRIDE, generator=seeded(0)) * 2 - 1
        with torch.no_grad():
            before, after = (each(image, seeded(0)).image for each in (generator, again))
        if not torch.equal(before, after):
            raise BenchError(
                f"What was written for {direction} does not translate as the run does, so it is not kept: "
                "its forward depends on more than its weights."
            )


def card(record: RunRecord, scores: Scores, config: dict[str, Any], with_plugin: bool) -> str:
    """The model card: what it is, how to use it, what was measured, what it was trained on, its limits."""
    cell, dataset = record.cell, config["dataset"]
    note = licence_note(cell.dataset)
    front = [
        "---",
        "library_name: bench",
        "pipeline_tag: image-to-image",
        "license: other",
        f"datasets: [{json.dumps(dataset)}]",
        "tags: [unpaired-image-to-image-translation, gan]",
        "---",
    ]
    load = 'variants.load_plugin("FOLDER/' + config["plugin"]["file"] + '")\n' if with_plugin else ""
    size = record.protocol["images"]["size"]
    limits = [
        f"One training. Another seed gives another generator and other scores; of the variant "
        f"`{cell.variant}` nothing is claimed here.",
        f"Scored at {size} x {size} pixels. Other sizes run, and were not measured.",
        *said_of_scores(scores),
        *record.warnings,
    ]
    parts = [
        "\n".join(front),
        f"# {cell.variant}, {dataset}",
        f"Both generators (A2B, B2A) of one training of `{cell.variant}` on `{dataset}` under the protocol "
        f"`{cell.protocol}`, seed {cell.seed}: {record.images_seen} images of each domain seen, {size} x "
        f"{size} pixels, {config['steps']} steps.",
        "## Use",
        f"```python\nimport variants\n\n{load}"
        'generator = variants.from_pretrained("FOLDER", direction="A2B")\n'
        "translation = generator(images)  # [b, 3, h, w] in [-1, 1], h and w multiples of 16\n"
        "translation.image, translation.masks\n```",
        "## Measured",
        *measured(scores),
        "## Data and licence",
        f"Trained on `{dataset}` (fingerprint `{record.data_fingerprint[:16]}`). "
        + (note or "Rendered scenes: no photograph was used.")
        + " The licence of these weights is for whoever passes them on to state.",
        "## Limits",
        "\n".join(f"- {limit}" for limit in limits),
    ]
    return "\n\n".join(parts) + "\n"


def said_of_scores(scores: Scores) -> list[str]:
    """What scores say in words although they have a value: a head that attends to nothing, a mere copy."""
    found = [
        f"{direction}: {score.reason}."
        for direction, measured in scores.selections["last"].directions.items()
        for score in measured.metrics.values()
        if score.value is not None and score.reason
    ]
    return list(dict.fromkeys(found))


def measured(scores: Scores) -> Iterator[str]:
    """The distances of the last step's weights as a table, and what one must know of them."""
    rows = ["| score | direction | value | real against real | copying the input |", "|---|---|---|---|---|"]
    chosen = scores.selections["last"].directions
    for direction, found in chosen.items():
        for key, score in found.metrics.items():
            known = described(key)
            if known is None or score.value is None:
                continue
            values = (
                None if each is None else known.factor * each
                for each in (score.value, score.floor, score.ceiling)
            )
            cells = ("-" if each is None else f"{each:.4g}" for each in values)
            rows.append(f"| {known.heading} | {direction} | {' | '.join(cells)} |")
    counts = ", ".join(
        f"{direction}: {found.images_generated} images against {found.images_real} real ones"
        for direction, found in chosen.items()
    )
    yield "\n".join(rows)
    yield (
        f"{counts}. Features: {scores.card.get('feature_network')}. Distances depend on the number of images "
        "and hold against others made in the same way only; `bench list metrics` says what each score is."
    )


def require_onnx() -> None:
    """Raise UsageError where the packages of the extra are missing."""
    from importlib.util import find_spec

    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"--format onnx needs {', '.join(missing)}. Install what it takes: pip install "
            "'bench-unpaired[onnx]'"
        )


def refuse_standing(out: Path, kind: str) -> None:
    """Raise UsageError where something is in the place of what is going to be written."""
    folder_name("--out", out.name)
    if kind_of(out) != "nothing":
        raise UsageError(f"{printable(out)} is there already. Give another {kind} to --out, or move it away.")
    if kind_of(out.parent) not in ("folder", "nothing"):
        raise UsageError(f"--out: {misfit(out.parent, 'folder')}. Give another place.")


@contextmanager
def whole_or_nothing(out: Path) -> Iterator[Path]:
    """A place beside `out` to write to; what is there in the end takes its name, unless an error came."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name[:40]}.") as inner:
            draft = Path(inner) / out.name
            yield draft
            draft.replace(out)
    except OSError as error:
        raise BenchError(
            f"Nothing can be written to {printable(out.parent)}: {error.strerror or error}. Give another "
            "place to --out."
        ) from None


def rounded(size: float) -> int:
    """A size as a multiple of 16, 32 at least: a generator that scales down twice needs room."""
    return max(FEWEST_SIZE, round(size / STRIDE) * STRIDE)


def seeded(seed: int | None) -> torch.Generator:
    """A torch generator on the CPU."""
    return torch.Generator().manual_seed(seed or 0)
