"""What is known of a metric before anything is measured: the entry of the catalogue. Imports no torch."""

from dataclasses import dataclass
from typing import Literal

Better = Literal["lower", "higher", "nearer target", "none"]
Scope = Literal["set", "image", "mask", "truth", "cost"]


@dataclass(frozen=True)
class Metric:
    """One metric as `bench list metrics` and docs/metrics.md show it."""

    key: str
    """Its name in scores.json and, for per-image measurements, its column in images.csv."""
    title: str
    unit: str
    better: Better
    """`nearer target`: the value of the target domain's real images is best; `none`: it describes."""
    scope: Scope
    """`set`: one number of a whole set; `image`: of each image; `mask`: needs masks; `truth`: needs ground
    truth; `cost`: of the run."""
    formula: str
    source: str
    undefined_when: str
    """When there is no value; empty where there always is one."""
    factor: int = 1
    """What people are shown every value times, with the factor in the name; records hold the raw value."""

    @property
    def heading(self) -> str:
        """The title over printed values: `KID ×100`, `KD(tiny)`, `Noise [levels of 255]`."""
        return headed(self.title, self.unit, self.factor)


PLAIN_UNITS = ("", "1", "ratio", "share", "masks", "share of images", "share of variance")
"""Units that a title goes without."""


def headed(title: str, unit: str, factor: int) -> str:
    """A title with its factor, or with its unit where that says something."""
    if factor != 1:
        return f"{title} ×{factor}"
    return title if unit in PLAIN_UNITS or unit.startswith("squared") else f"{title} [{unit}]"
