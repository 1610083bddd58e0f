"""A trained generator as a folder that can be passed on: what `bench export --format hub` writes, read again.

    generator = variants.from_pretrained("slot9-horse2zebra", direction="A2B")
    generator(images).image                  # images [b, 3, h, w] in [-1, 1]

`config.json` names the variant and its parameters, `model.safetensors` holds the weights of both directions;
nothing in the folder is executed. The file of a generator that is not ours lies beside them and is loaded by
whoever has read it: `variants.load_plugin(file)`, or `bench ... --plugin FILE`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from variants.registry.parameters import VariantError, WeightsMisfit, unknown

if TYPE_CHECKING:
    from torch import Tensor

    from variants.contract import Generator

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
SCHEMA_VERSION = 1
DIRECTIONS = ("A2B", "B2A")


@dataclass(frozen=True)
class PretrainedConfig:
    """What `config.json` must say for the generators to be built."""

    variant: str
    parameters: dict[str, str]
    """Every parameter, spelled as in a name."""
    plugin: str | None
    """The file beside it that registers the variant; None for one of ours."""
    plugin_hash: str | None
    weights_sha256: str | None
    """Of the file of weights; None in folders that were exported before it was kept."""


def from_pretrained(folder: str | Path, direction: str = "A2B") -> "Generator":
    """The generator of one direction of an exported folder, on the CPU and in eval mode.

    Raises VariantError where the folder is not one, is damaged or newer, where its weights are not those that
    were exported or its configuration contradicts itself, where its generator is registered nowhere here, or
    is registered by another source than the one it was trained with.
    """
    place = Path(folder)
    if direction not in DIRECTIONS:
        raise unknown("direction", direction, DIRECTIONS)
    config = read_config(place)
    refuse_other_source(place, config)
    refuse_contradiction(place, config)
    tensors = read_weights(place)
    refuse_other_weights(place, config)
    return with_weights(config.variant, config.parameters, tensors, direction, str(place))


def with_weights(
    variant: str, parameters: Mapping[str, object], tensors: "Mapping[str, Tensor]", direction: str, name: str
) -> "Generator":
    """The generator of one direction, in eval mode; `tensors` holds both, keys prefixed `A2B.` and `B2A.`.

    Raises WeightsMisfit where they are of another one.
    """
    from variants.registry.spelling import build

    generator = build(variant, parameters)
    prefix = f"{direction}."
    own = {key.removeprefix(prefix): tensors[key] for key in tensors if key.startswith(prefix)}
    try:
        generator.load_state_dict(own)
    except RuntimeError as error:
        raise WeightsMisfit(f"The weights of {name} do not fit {variant}: {error}") from None
    return generator.eval()


def read_config(folder: Path) -> PretrainedConfig:
    """The configuration of a folder. Raises VariantError for one that cannot be read."""
    path = folder / CONFIG
    try:
        said: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise VariantError(
            f"{path}: {error.strerror or error}. Give a folder that bench export --format hub wrote."
        ) from None
    except (ValueError, RecursionError):
        raise VariantError(f"{path} is damaged: it is no JSON. Fetch or export the folder again.") from None
    if isinstance(said, dict) and isinstance(said.get("schema_version"), int):
        if said["schema_version"] > SCHEMA_VERSION:
            raise VariantError(
                f"{path} has schema version {said['schema_version']}; this version reads up to "
                f"{SCHEMA_VERSION}. Install the newer one that wrote it."
            )
        parameters, plugin, sha256 = (
            said.get("parameters"),
            said.get("plugin") or {},
            said.get("weights_sha256"),
        )
        known = isinstance(said.get("variant"), str) and isinstance(sha256, str | None)
        if known and is_texts(parameters) and is_texts(plugin):
            return PretrainedConfig(
                said["variant"], parameters, plugin.get("file"), plugin.get("hash"), sha256
            )
    raise VariantError(
        f"{path} is not of this kind: it names no variant with parameters. Give a folder that bench export "
        "--format hub wrote."
    )


def is_texts(value: object) -> TypeGuard[dict[str, str]]:
    """Whether it is a dict from texts to texts."""
    return isinstance(value, dict) and all(isinstance(each, str) for pair in value.items() for each in pair)


def refuse_other_source(folder: Path, config: PretrainedConfig) -> None:
    """Raise VariantError where no source registers the variant, or another than it was trained with."""
    from variants.registry.catalogue import names
    from variants.registry.provenance import provenance

    name = config.variant.partition("[")[0].strip()
    if name not in names():
        if config.plugin is None:
            raise unknown("variant", name, names())
        raise VariantError(
            f"{name} is registered by {config.plugin}, which lies in {folder}. Read it, as it is a program, "
            f"and load it first: variants.load_plugin({str(folder / config.plugin)!r}), or --plugin."
        )
    found = provenance(config.variant)
    if (None if found is None else found.hash) != config.plugin_hash:
        here = "one of ours" if found is None else f"the one of {found.name} loaded here"
        raise VariantError(
            f"The weights in {folder} were trained with another source of {name} than {here}. Load the one "
            f"that lies beside them{f' ({config.plugin})' if config.plugin else ''}."
        )


def refuse_contradiction(folder: Path, config: PretrainedConfig) -> None:
    """Raise VariantError where the variant's name gives a parameter another value than `parameters` does."""
    from variants.registry.parameters import spell
    from variants.registry.spelling import parse

    for key, value in parse(config.variant).given.items():
        listed = config.parameters.get(key, spell(value))
        if listed != spell(value):
            raise VariantError(
                f"{folder / CONFIG} contradicts itself: {config.variant} has {key}={spell(value)}, its "
                f"parameters {key}={listed}. Fetch or export the folder again."
            )


def refuse_other_weights(folder: Path, config: PretrainedConfig) -> None:
    """Raise VariantError where the file of weights is another than was exported."""
    if config.weights_sha256 is not None and config.weights_sha256 != sha256_of(folder / WEIGHTS):
        raise VariantError(
            f"{folder / WEIGHTS} holds other weights than were exported: its SHA-256 is not the one in "
            f"{CONFIG}. Fetch or export the folder again."
        )


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_weights(folder: Path) -> "dict[str, Tensor]":
    """The weights of both directions. Raises VariantError for a file that is missing or damaged."""
    import safetensors
    import safetensors.torch

    path = folder / WEIGHTS
    try:
        return safetensors.torch.load_file(path)
    except OSError as error:
        raise VariantError(f"{path}: {error.strerror or error}. Fetch or export the folder again.") from None
    except safetensors.SafetensorError as error:
        raise VariantError(f"{path} is not a whole safetensors file: {error}.") from None
