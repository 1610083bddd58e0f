"""What is kept of a training, in files that need no trust to be read.

Checkpoints hold everything that is needed to continue a run exactly; `generator.safetensors` holds both
generators with what is needed to build them again.
"""

import json
import pickletools
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import safetensors
import safetensors.torch
import torch

import variants
from bench.errors import BenchError
from bench.runs import atomic
from bench.runs.records import DIRECTIONS, newer_schema, refuse_newer
from variants.contract import Generator
from variants.pretrained import with_weights
from variants.registry.parameters import WeightsMisfit, spell

SCHEMA_VERSION = 1
WHOLE_NUMBERS = ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1")
"""Instructions of a pickle that put a whole number on its stack."""


class Loaded(NamedTuple):
    """A checkpoint, and what should be said about how it was found."""

    state: dict[str, Any]
    warnings: tuple[str, ...]


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write `state` (tensors and plain values) as `last.pt`; the one before becomes `previous.pt`.

    At every instant one of the two is whole. Raises BenchError when the disk is full.
    """
    last, coming = folder / "last.pt", folder / "next.pt"

    def write(file: BinaryIO) -> None:
        try:
            torch.save({"schema_version": SCHEMA_VERSION, **state}, file)
        except RuntimeError as error:
            # On a full disk torch's archive writer covers the system's refusal with an error of its own.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from error
            raise

    atomic.write_with(coming, write)
    if last.exists():
        last.replace(folder / "previous.pt")
    coming.replace(last)


def load_checkpoint(folder: Path, device: torch.device) -> Loaded | None:
    """The newest whole checkpoint, its tensors on `device`; None where there is none.

    A damaged `last.pt` is passed over for `previous.pt` with a warning; with both damaged the run starts
    anew. Raises BenchError for a checkpoint of a newer schema.
    """
    warnings: list[str] = []
    for name in ("last.pt", "previous.pt"):
        path = folder / name
        if not path.exists():
            continue
        state = _read(path, device)
        if state is not None:
            return Loaded(state, tuple(warnings))
        warnings.append(f"Checkpoint {name} was damaged and could not be used.")
    return Loaded({}, tuple(warnings)) if warnings else None


def _read(path: Path, device: torch.device) -> dict[str, Any] | None:
    """The content of a checkpoint; None where it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                return None
            version = version_in(archive)
        if version is not None and version > SCHEMA_VERSION:
            remedy = "Or remove the folder to start anew."
            raise BenchError(f"{newer_schema(path, version, SCHEMA_VERSION)} {remedy}")
        state = torch.load(path, map_location=device, weights_only=True)
    except BenchError:
        raise
    except OSError as error:
        raise BenchError(f"Cannot read {path}: {error.strerror or error}.") from error
    except Exception:
        # A damaged archive can fail in any way the archive's and the tensors' readers know of.
        return None
    known = isinstance(state, dict) and isinstance(state.get("schema_version"), int)
    return state if known else None


def version_in(archive: zipfile.ZipFile) -> int | None:
    """The schema version that a checkpoint tells, read off its pickle's instructions: nothing is built.

    So a newer one is known even where it holds what this version cannot read, and is not taken for damaged.
    """
    content = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
    told = False
    for instruction, argument, _ in pickletools.genops(archive.read(content)) if content else ():
        if told and instruction.name in WHOLE_NUMBERS and argument is not None:
            return int(argument)
        if "PUT" not in instruction.name and instruction.name != "MEMOIZE":
            told = argument == "schema_version"
    return None


GENERATORS_SCHEMA_VERSION = 1
METADATA = "bench"
"""The metadata entry that holds the file's origin as JSON."""


@dataclass(frozen=True)
class Origin:
    """What a file of generators says of itself."""

    variant: str
    """In canonical spelling, to be built again."""
    parameters: dict[str, str]
    """Every parameter of the variant with its value, as spelled in a name."""
    step: int
    """Training steps behind the weights."""


def save_generators(path: Path, generators: Mapping[str, Generator], variant: str, step: int) -> None:
    """Write the generators `A2B` and `B2A` of a variant after `step` steps, whole or not at all.

    Keys are prefixed `A2B.` and `B2A.`.
    """
    tensors = {
        f"{direction}.{name}": tensor.detach().cpu().contiguous()
        for direction in DIRECTIONS
        for name, tensor in generators[direction].state_dict().items()
    }
    values = variants.recorded_parameters(variant, generators["A2B"].parameter_values)
    origin = {
        "schema_version": GENERATORS_SCHEMA_VERSION,
        "variant": variant,
        "parameters": {name: spell(value) for name, value in values.items()},
        "step": step,
    }
    # One entry alone: safetensors writes several in an order that changes from process to process.
    metadata = {METADATA: json.dumps(origin, sort_keys=True)}
    atomic.write_bytes(path, safetensors.torch.save(tensors, metadata))


def load_generators(path: Path) -> dict[str, Generator]:
    """The generators `A2B` and `B2A` of a file, on the CPU, ready to translate (eval mode).

    Raises BenchError when the file is missing, damaged, of a newer schema or not of this kind, and
    variants.VariantError when its variant is not registered here.
    """
    origin = read_origin(path)
    tensors = safetensors.torch.load_file(path)
    generators: dict[str, Generator] = {}
    for direction in DIRECTIONS:
        try:
            generators[direction] = with_weights(
                origin.variant, origin.parameters, tensors, direction, str(path)
            )
        except WeightsMisfit as error:
            raise BenchError(str(error)) from None
    return generators


def read_origin(path: Path) -> Origin:
    """What the file says of itself. Raises BenchError as `load_generators` does."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except OSError as error:
        raise BenchError(f"Cannot read {path}: {error.strerror or error}.") from None
    except safetensors.SafetensorError as error:
        raise BenchError(f"{path} is not a whole safetensors file: {error}.") from None
    text = metadata.get(METADATA, "")
    refuse_newer(path, text, GENERATORS_SCHEMA_VERSION)
    try:
        said = json.loads(text)
        return Origin(said["variant"], said["parameters"], said["step"])
    except (KeyError, TypeError, ValueError):
        raise BenchError(f"{path} holds no generators of a run: its metadata names no variant.") from None
