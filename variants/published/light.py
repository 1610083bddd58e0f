"""The names of the unofficial AttentionGAN and of its slot version."""

from collections.abc import Mapping

from variants.published.names import PublishedNames, Shapes, count_entries
from variants.published.slot_module import slot_modules, slot_parameters


def trunk_parameters(shapes: Shapes) -> dict[str, object]:
    """Width and blocks of the light trunk."""
    return {
        "width": shapes["encoder.layer1.conv.weight"][0],
        "blocks": count_entries(shapes, "middle.{}.conv.weight"),
    }


def trunk_modules(blocks: object) -> dict[str, str]:
    """The modules of the light trunk; the published decoder runs from layer 3 to layer 1."""
    assert isinstance(blocks, int)
    modules = {f"trunk.down{layer}": f"encoder.layer{layer}.conv" for layer in (1, 2, 3)}
    modules |= {f"trunk.blocks.{block}": f"middle.{block}.conv" for block in range(blocks)}
    return modules | {
        "trunk.up1": "decoder.layer3.conv",
        "trunk.up2": "decoder.layer2.conv",
        "trunk.content": "decoder.layer1.conv",
    }


def spatial_parameters(shapes: Shapes) -> dict[str, object]:
    """Parameters of `light-spatial5`."""
    return trunk_parameters(shapes) | {"masks": shapes["att.layer4.conv.weight"][0]}


def spatial_modules(parameters: Mapping[str, object]) -> dict[str, str]:
    """Modules of `light-spatial5`."""
    return trunk_modules(parameters["blocks"]) | {
        "head.first": "att.layer1.conv",
        "head.second": "att.layer2.conv",
        "head.third": "att.layer3.conv",
        "head.mask": "att.layer4.conv",
    }


def slots_parameters(shapes: Shapes) -> dict[str, object]:
    """Parameters of `light-slot5`: a slot for every content and one for the input."""
    slots = shapes["decoder.layer1.conv.weight"][1] // 3 + 1
    return trunk_parameters(shapes) | slot_parameters(shapes, "slot_att.") | {"slots": slots}


def slots_modules(parameters: Mapping[str, object]) -> dict[str, str]:
    """Modules of `light-slot5`."""
    return trunk_modules(parameters["blocks"]) | slot_modules("slot_att.", "slot_att.")


LIGHT_SPATIAL5 = PublishedNames(spatial_parameters, spatial_modules)
LIGHT_SLOT5 = PublishedNames(slots_parameters, slots_modules, dead=(r".*\.grid",))
