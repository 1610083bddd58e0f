"""`generator.safetensors`: both generators of a run with what is needed to build them again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch

import variants
from bench.errors import BenchError
from bench.runs import atomic
from bench.runs.records import DIRECTIONS, refuse_newer
from variants.contract import Generator
from variants.errors import WeightsMisfit
from variants.parameters import spell
from variants.pretrained import with_weights

SCHEMA_VERSION = 1
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
        "schema_version": SCHEMA_VERSION,
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
    refuse_newer(path, text, SCHEMA_VERSION)
    try:
        said = json.loads(text)
        return Origin(said["variant"], said["parameters"], said["step"])
    except (KeyError, TypeError, ValueError):
        raise BenchError(f"{path} holds no generators of a run: its metadata names no variant.") from None
