"""Generators for unpaired image-to-image translation, by name and parameters.

    import variants
    generator = variants.build("slot9[iterations=5]")
    translation = generator(images)          # images [b, 3, h, w] in [-1, 1]
    translation.image, translation.masks

Names, parameters and spelling are answered without importing torch; the rest imports it when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from variants.registry import declare, register
from variants.registry.catalogue import load_plugin, names
from variants.registry.parameters import AbsentWhenOff, AtLeast, AtMost, Length, VariantError
from variants.registry.spelling import (
    build,
    canonical,
    describe,
    parse,
    recorded_parameters,
    resolved_parameters,
)

if TYPE_CHECKING:
    from variants.conformance import check
    from variants.contract import Generator, Translation, compose
    from variants.parts.initialisation import initialise
    from variants.pretrained import from_pretrained
    from variants.published import from_published

# Where the names live that need torch.
LAZY = {
    "check": "variants.conformance",
    "compose": "variants.contract",
    "from_pretrained": "variants.pretrained",
    "from_published": "variants.published",
    "Generator": "variants.contract",
    "initialise": "variants.parts.initialisation",
    "Translation": "variants.contract",
}

__all__ = [
    "AbsentWhenOff",
    "AtLeast",
    "AtMost",
    "Generator",
    "Length",
    "Translation",
    "VariantError",
    "build",
    "canonical",
    "check",
    "compose",
    "declare",
    "describe",
    "from_pretrained",
    "from_published",
    "initialise",
    "load_plugin",
    "names",
    "parse",
    "recorded_parameters",
    "register",
    "resolved_parameters",
]


import_module("variants.shipped")  # declares ours


def __getattr__(name: str) -> Any:
    if name not in LAZY:
        raise AttributeError(f"module 'variants' has no attribute {name!r}")
    return getattr(import_module(LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
