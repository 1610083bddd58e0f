"""A gallery as data: rows of test images, columns of pictures, the numbers of the very image beneath each.

And of which data sets a page shows any: not everybody's images may be published.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.comparability import Group


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


class ShownPictures(StrEnum):
    """A choice of data sets."""

    ALL = "all"
    RENDERED = "rendered"
    """Those with true counterfactuals, which rendered scenes alone have: no photograph."""
    NONE = "none"

    def of(self, group: "Group") -> bool:
        """Whether pictures of this group are shown."""
        if self is ShownPictures.RENDERED:
            scores = group.study.scores
            # Photographs have the metric too, undefined.
            return bool(scores.loc[scores["metric"] == "counterfactual_l1", "value"].notna().any())
        return self is ShownPictures.ALL
