"""Baselines: what a variant is compared to. The entry point `bench.variants` finds what is declared here.

Importing the package itself imports no torch: lists name the baselines, reports read its published numbers.
"""

from dataclasses import dataclass
from typing import Annotated

from variants.registry import declare
from variants.registry.parameters import AtLeast, AtMost


@dataclass(frozen=True)
class CycleGanParameters:
    """Defaults of the published generator for 256 px."""

    width: Annotated[int, AtLeast(1), AtMost(8192), "Channels of the first layer."] = 64
    blocks: Annotated[int, AtLeast(0), AtMost(1024), "Residual blocks."] = 9


declare(
    "cyclegan",
    "baselines.cyclegan:CycleGan",
    CycleGanParameters,
    summary="CycleGAN's ResNet generator, no attention.",
    kind="baseline",
)
declare(
    "cut",
    "baselines.cut:Cut",
    CycleGanParameters,
    summary="Contrastive, one-sided, no attention.",
    kind="baseline",
    objective="cut",
)


@dataclass(frozen=True)
class AttentionGanV1Parameters:
    """Defaults of the published generator."""

    width: Annotated[int, AtLeast(1), AtMost(8192), "Channels of the first layer."] = 64
    blocks: Annotated[int, AtLeast(0), AtMost(1024), "Residual blocks."] = 6


declare(
    "attentiongan-v1",
    "baselines.attentiongan_v1:AttentionGanV1",
    AttentionGanV1Parameters,
    summary="AttentionGAN v1: one content, one foreground mask.",
    kind="baseline",
)


declare(
    "colour",
    "baselines.untrained:Colour",
    None,
    summary="Reinhard's colour transfer; fitted to the domains, not trained.",
    kind="baseline",
)
declare(
    "copy", "baselines.untrained:Copy", None, summary="Returns its input; nothing to train.", kind="baseline"
)
