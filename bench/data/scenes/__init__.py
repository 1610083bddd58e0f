"""Rendered scenes, always at hand, with ground truth: what a data set of them is, and its registry.

    @scene("toy-stripes", "Rendered horses and zebras: the texture of the objects changes.")
    @dataclass(frozen=True, eq=False)
    class Stripes:
        ...                                         # all that a scene is, whatever domain shows it

        @classmethod
        def draw(cls, random): ...                  # a scene by chance
        def paint(self, domain, size): ...          # a Canvas: the scene as it looks in domain "A" or "B"

Scene number i of a split is the same scene at every size and however many are asked for: it follows from the
name of the set, the split, the domain and i, and from nothing else. Domains share no scene, so that training
is unpaired; every test scene can be painted as it looks in the other domain, which is the right translation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from bench.registry import Registry

if TYPE_CHECKING:
    import numpy as np

    from bench.data.scenes.canvas import Canvas


class Scene(Protocol):
    """One picture's worth of things; nothing in it depends on the domain."""

    @classmethod
    def draw(cls, random: "np.random.Generator") -> Self:
        """A scene by chance."""

    def paint(self, domain: str, size: int) -> "Canvas":
        """The scene as it looks in domain `A` or `B`, `size` pixels a side."""


@dataclass(frozen=True)
class EmbeddedSet:
    """Rendered scenes as a data set: always at hand, of any size, with ground truth."""

    name: str
    summary: str
    scene: type[Scene]
    changes_everywhere: bool = False
    """Whether the right translation changes every pixel, not the objects alone."""
    train: int = 256
    """Training images of each domain where the protocol does not say how many."""
    test: int = 64
    """Test images of each domain where the protocol does not say how many."""


SCENES: Registry[EmbeddedSet] = Registry(
    "data set", package="bench.data.scenes", group="bench.scenes", see="bench list datasets"
)

Class = TypeVar("Class", bound=type)


def scene(name: str, summary: str, *, changes_everywhere: bool = False) -> Callable[[Class], Class]:
    """Class decorator that makes a data set of a class of scenes. UsageError where the name is taken."""

    def claim(drawn: Class) -> Class:
        SCENES.add(name, EmbeddedSet(name, summary, drawn, changes_everywhere), drawn)
        return drawn

    return claim
