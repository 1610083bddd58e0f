"""Of which data sets a page shows pictures: not everybody's images may be published."""

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.comparability import Group


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
