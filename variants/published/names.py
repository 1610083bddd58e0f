"""How the published systems name their weights, as data: AttentionGAN v2's official code, the unofficial one
and its slot version, and the published main model.

The main model is AttentionGAN v2 with a slot module below `model`. Its second decoder, at the top level,
makes the masks; the first one, inside the module, and the spatial mask head that it was built on top of
never reach the output. Two systems contain the slot module, under different prefixes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class PublishedNames:
    """The way from a published state dict to one of our generators."""

    parameters: Callable[[Shapes], dict[str, object]]
    """Our parameters, inferred from the shapes; a KeyError names an entry that is missing."""
    modules: Callable[[Mapping[str, object]], dict[str, str]]
    """Of our parameters: the prefix of every module of ours, and of theirs. Longer prefixes count first."""
    dead: tuple[str, ...] = ()
    """Regular expressions of entries that never reach the output, and are dropped."""


def count_entries(shapes: Shapes, pattern: str, first: int = 0) -> int:
    """How many entries `pattern` has with the numbers `first`, `first` + 1, ... in place of its braces."""
    return next(number for number in count() if pattern.format(first + number) not in shapes)


def resnet_parameters(shapes: Shapes) -> dict[str, object]:
    """Width and blocks of the ResNet trunk."""
    return {
        "width": shapes["conv1.weight"][0],
        "blocks": count_entries(shapes, "resnet_blocks.{}.conv1.weight"),
    }


def resnet_modules(blocks: object) -> dict[str, str]:
    """The modules of the ResNet trunk."""
    assert isinstance(blocks, int)
    modules = {
        "trunk.stem": "conv1",
        "trunk.down1": "conv2",
        "trunk.down2": "conv3",
        "trunk.up1": "deconv1_content",
        "trunk.up2": "deconv2_content",
        "trunk.content": "deconv3_content",
    }
    for block in range(blocks):
        modules[f"trunk.blocks.{block}.first"] = f"resnet_blocks.{block}.conv1"
        modules[f"trunk.blocks.{block}.second"] = f"resnet_blocks.{block}.conv2"
    return modules


def spatial_parameters(shapes: Shapes) -> dict[str, object]:
    """Parameters of `spatial`."""
    return resnet_parameters(shapes) | {"contents": shapes["deconv3_content.weight"][0] // 3}


def spatial_modules(parameters: Mapping[str, object]) -> dict[str, str]:
    """Modules of `spatial`."""
    return resnet_modules(parameters["blocks"]) | {
        "head.up1": "deconv1_attention",
        "head.up2": "deconv2_attention",
        "head.mask": "deconv3_attention",
    }


ATTENTIONGAN = PublishedNames(spatial_parameters, spatial_modules)


ATTENTION = {
    "mu": "slots_mu",
    "log_sigma": "slots_log_sigma",
    "norm_tokens": "norm_inputs",
    "norm_slots": "norm_slots",
    "norm_mlp": "norm_mlp",
    "query": "project_q",
    "key": "project_k",
    "value": "project_v",
    "gru": "gru",
    "hidden": "mlp.0",
    "output": "mlp.2",
}


def slot_parameters(shapes: Shapes, prefix: str) -> dict[str, object]:
    """Slot size, encoder channels and hidden layer; the number of slots leaves no trace in the module."""
    return {
        "slot_size": shapes[f"{prefix}slot_attention.slots_mu"][-1],
        "encoder": tuple(shapes[f"{prefix}encoder.{layer}.0.weight"][0] for layer in range(4)),
        "mlp_hidden": shapes[f"{prefix}slot_attention.mlp.0.weight"][0],
    }


def slot_modules(prefix: str, decoder_prefix: str) -> dict[str, str]:
    """The modules of the slot head; those of its decoder have a prefix of their own."""
    modules = {
        f"head.attention.{ours}": f"{prefix}slot_attention.{theirs}" for ours, theirs in ATTENTION.items()
    }
    for layer in range(4):
        modules[f"head.encoder.{layer}"] = f"{prefix}encoder.{layer}.0"
        modules[f"head.decoder.ups.{layer}"] = f"{decoder_prefix}decoder.{layer}.0"
    return modules | {
        "head.tokens.position": f"{prefix}encoder_pos_embedding.dense",
        "head.tokens.first": f"{prefix}encoder_out_layer.0",
        "head.tokens.second": f"{prefix}encoder_out_layer.2",
        "head.decoder.position": f"{decoder_prefix}decoder_pos_embedding.dense",
        "head.decoder.full": f"{decoder_prefix}decoder.4.0",
        "head.decoder.colours_and_alpha": f"{decoder_prefix}decoder.4.2",
    }


def light_parameters(shapes: Shapes) -> dict[str, object]:
    """Width and blocks of the light trunk."""
    return {
        "width": shapes["encoder.layer1.conv.weight"][0],
        "blocks": count_entries(shapes, "middle.{}.conv.weight"),
    }


def light_modules(blocks: object) -> dict[str, str]:
    """The modules of the light trunk; the published decoder runs from layer 3 to layer 1."""
    assert isinstance(blocks, int)
    modules = {f"trunk.down{layer}": f"encoder.layer{layer}.conv" for layer in (1, 2, 3)}
    modules |= {f"trunk.blocks.{block}": f"middle.{block}.conv" for block in range(blocks)}
    return modules | {
        "trunk.up1": "decoder.layer3.conv",
        "trunk.up2": "decoder.layer2.conv",
        "trunk.content": "decoder.layer1.conv",
    }


def light_spatial_parameters(shapes: Shapes) -> dict[str, object]:
    """Parameters of `light-spatial5`."""
    return light_parameters(shapes) | {"masks": shapes["att.layer4.conv.weight"][0]}


def light_spatial_modules(parameters: Mapping[str, object]) -> dict[str, str]:
    """Modules of `light-spatial5`."""
    return light_modules(parameters["blocks"]) | {
        "head.first": "att.layer1.conv",
        "head.second": "att.layer2.conv",
        "head.third": "att.layer3.conv",
        "head.mask": "att.layer4.conv",
    }


def light_slots_parameters(shapes: Shapes) -> dict[str, object]:
    """Parameters of `light-slot5`: a slot for every content and one for the input."""
    slots = shapes["decoder.layer1.conv.weight"][1] // 3 + 1
    return light_parameters(shapes) | slot_parameters(shapes, "slot_att.") | {"slots": slots}


def light_slots_modules(parameters: Mapping[str, object]) -> dict[str, str]:
    """Modules of `light-slot5`."""
    return light_modules(parameters["blocks"]) | slot_modules("slot_att.", "slot_att.")


LIGHT_SPATIAL5 = PublishedNames(light_spatial_parameters, light_spatial_modules)
LIGHT_SLOT5 = PublishedNames(light_slots_parameters, light_slots_modules, dead=(r".*\.grid",))


def slot9_parameters(shapes: Shapes) -> dict[str, object]:
    """Parameters of `slot9`: every content has a slot."""
    slots = shapes["deconv3_content.weight"][0] // 3
    return resnet_parameters(shapes) | slot_parameters(shapes, "model.") | {"slots": slots}


def slot9_modules(parameters: Mapping[str, object]) -> dict[str, str]:
    """Modules of `slot9`."""
    return resnet_modules(parameters["blocks"]) | slot_modules("model.", "")


SLOT9 = PublishedNames(
    slot9_parameters,
    slot9_modules,
    dead=(
        r".*\.grid",
        r"model\.decoder\..*",
        r"model\.decoder_pos_embedding\..*",
        r"deconv[123]_attention\..*",
    ),
)
