"""How a published system names its weights, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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


def count(shapes: Shapes, pattern: str) -> int:
    """How many entries `pattern.format(0)`, `pattern.format(1)`, ... there are."""
    number = 0
    while pattern.format(number) in shapes:
        number += 1
    return number
