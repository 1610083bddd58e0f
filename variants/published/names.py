"""How a published system names its weights, as data."""

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
