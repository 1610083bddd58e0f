"""The names of AttentionGAN v2's official code."""

from collections.abc import Mapping

from variants.published.names import PublishedNames, Shapes, count_entries


def trunk_parameters(shapes: Shapes) -> dict[str, object]:
    """Width and blocks of the ResNet trunk."""
    return {
        "width": shapes["conv1.weight"][0],
        "blocks": count_entries(shapes, "resnet_blocks.{}.conv1.weight"),
    }


def trunk_modules(blocks: object) -> dict[str, str]:
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


def parameters(shapes: Shapes) -> dict[str, object]:
    """Parameters of `spatial`."""
    return trunk_parameters(shapes) | {"contents": shapes["deconv3_content.weight"][0] // 3}


def modules(parameters: Mapping[str, object]) -> dict[str, str]:
    """Modules of `spatial`."""
    return trunk_modules(parameters["blocks"]) | {
        "head.up1": "deconv1_attention",
        "head.up2": "deconv2_attention",
        "head.mask": "deconv3_attention",
    }


ATTENTIONGAN = PublishedNames(parameters, modules)
