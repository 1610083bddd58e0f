"""`cyclegan`: the ResNet generator of CycleGAN, without attention (Zhu et al. 2017, arXiv 1703.10593)."""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from baselines import CycleGanParameters
from variants.contract import Generator, Noise, Translation
from variants.parts.trunks import ResnetTrunk
from variants.published.names import PublishedNames, Shapes, count_entries


def published_parameters(shapes: Shapes) -> dict[str, object]:
    """Width and blocks, as of `attentiongan-v1` too; layers are numbered through, padding and all."""
    return {
        "width": shapes["model.1.weight"][0],
        "blocks": count_entries(shapes, "model.{}.conv_block.1.weight", first=10),
    }


def published_modules(parameters: Mapping[str, object]) -> dict[str, str]:
    """The published place of every module."""
    blocks = parameters["blocks"]
    assert isinstance(blocks, int)
    modules = {"trunk.stem": "model.1", "trunk.down1": "model.4", "trunk.down2": "model.7"}
    for block in range(blocks):
        modules[f"trunk.blocks.{block}.first"] = f"model.{10 + block}.conv_block.1"
        modules[f"trunk.blocks.{block}.second"] = f"model.{10 + block}.conv_block.5"
    after = 10 + blocks
    return modules | {
        "trunk.up1": f"model.{after}",
        "trunk.up2": f"model.{after + 3}",
        "trunk.content": f"model.{after + 7}",
    }


class CycleGan(Generator):
    """The trunk of `spatial` with one content image and no mask."""

    initialisation = "resnet"
    published: ClassVar[PublishedNames | None] = PublishedNames(published_parameters, published_modules)

    def __init__(self, parameters: CycleGanParameters) -> None:
        super().__init__()
        self.trunk = ResnetTrunk(parameters.width, parameters.blocks, contents=1)

    def forward(self, image: Tensor, noise: Noise = None) -> Translation:
        contents = self.trunk.make_contents(self.trunk.encode(image))
        return Translation(contents[:, 0], contents, None)
