"""A gallery as data: rows of test images, columns of pictures, the numbers of the very image beneath each."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shot:
    """One picture: its name in `Pictures`, None where it is missing; `overlay` is a mask over it."""

    label: str
    picture: str | None
    caption: str = ""
    overlay: str | None = None
    note: str = ""
    """Why a picture is missing."""


@dataclass(frozen=True)
class Strip:
    """One row of a gallery."""

    title: str
    shots: tuple[Shot, ...]


@dataclass(frozen=True)
class Gallery:
    """`rule` says how the images were chosen; `compare` whether the slider may compare its shots."""

    key: str
    section: str
    title: str
    rule: str
    columns: tuple[str, ...]
    strips: tuple[Strip, ...] = field(default=())
    compare: bool = False
    folded: bool = False
    """Whether the page shows it only when asked."""
