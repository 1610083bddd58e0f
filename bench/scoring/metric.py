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
