"""What the keys of scores.json mean: each metric describes itself there, for reports, comparisons and people.

So a metric of one's own is shown like ours, without torch and without its plugin. Files of schema 1 hold
values alone; what their keys mean stands in metrics_of_schema_1.csv.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

Better = Literal["lower", "higher", "nearer target", "none"]
"""`nearer target`: the value of the target domain's real images is best; `none`: it describes."""
DEAD_DEVIATION = 1e-3
"""Below this spatial deviation a mask head is called dead (equal to `variants.parts.masks`'s, tested)."""

OF_MASKS = frozenset(
    {
        "masks",
        "contents",
        "regions",
        "background",
        "without_space",
        "other_masks",
        "generated_without_space",
        "generated_other_masks",
    }
)
"""What a metric of masks needs one of (equal to what `bench.scoring.metric` hands of them, tested)."""


class MetricInfo(BaseModel):
    """What a reader of a metric's values goes by. Frozen; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    short_title: str
    """For the head of a column in `table`."""
    unit: str
    better: Better
    table: str
    """Which table of a report shows it; the headline distances have `distances`."""
    factor: int = 1
    """What people are shown every value times, with the factor in the name; records hold the raw value."""
    formula: str = ""
    undefined_when: str = ""
    network: str | None = None
    """The feature network that it was measured on; None: on the images themselves."""
    needs: tuple[str, ...] = ()
    """What it is measured from: see `bench.scoring.metric.HANDED`."""

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


def key_under(name: str, features: str | None) -> str:
    """The key of a metric of features under a feature network; only Inception's are called FID and KID.

    >>> key_under("fd", "inception"), key_under("attention_kd", "inception"), key_under("fd", "tiny")
    ('fid', 'attention_kid', 'fd(tiny)')
    """
    if features == "inception":
        return re.sub(r"(^|_)([kf])d(?=_|$)", r"\1\2id", name)
    return f"{name}({features})" if features else name


_DESCRIBED: dict[str, MetricInfo] = {}


def stem(key: str) -> str:
    """The key without its feature network: `kd(tiny)` is `kd`."""
    return key.partition("(")[0]


def network(key: str) -> str | None:
    """The feature network that a key names: that of `kd(tiny)` is `tiny`; None where it names none."""
    return key.partition("(")[2].rstrip(")") or None


def is_kernel(key: str) -> bool:
    """Whether the key is the headline: the kernel distance on whatever network."""
    return stem(key) in ("kid", "kd")


def is_frechet(key: str) -> bool:
    """Whether the key is the Frechet distance on whatever network."""
    return stem(key) in ("fid", "fd")


def is_distance(key: str) -> bool:
    """Whether the key is a kernel or Frechet distance: lower is better, features give its leave-one-out."""
    return is_kernel(key) or is_frechet(key)


def is_over_subsets(key: str) -> bool:
    """Whether the key is that of the kernel distance over random subsets."""
    return stem(key) in ("kid_subsets", "kd_subsets")


def learn(metrics: Mapping[str, MetricInfo]) -> None:
    """Take in what some scores say of their keys; the last word counts."""
    _DESCRIBED.update(metrics)


def described(key: str) -> MetricInfo | None:
    """What a key means by the scores that were read or made so far, else as in schema 1; None: unknown."""
    found = _DESCRIBED.get(key) or _schema_1().get(key)
    features = network(key)
    if found is None and features:
        of_any = _schema_1().get(f"{stem(key)}(NAME)")
        if of_any is not None:
            titles = {
                name: getattr(of_any, name).replace("NAME", features) for name in ("title", "short_title")
            }
            return of_any.model_copy(update={**titles, "network": features})
    return found


def in_order(keys: Iterable[str]) -> list[str]:
    """Keys in the order of tables, those of feature networks and unknown ones behind the others by name."""
    wanted = set(keys)
    places = [key for key in (*_DESCRIBED, *_schema_1()) if key in wanted]
    known = [key for key in dict.fromkeys(places) if (info := described(key)) and info.network is None]
    return known + sorted(wanted - set(known))


@cache
def _schema_1() -> dict[str, MetricInfo]:
    """What scores.json did not say before schema 2; NAME stands for a feature network."""
    with Path(__file__).with_name("metrics_of_schema_1.csv").open(encoding="utf-8", newline="") as file:
        rows = {row.pop("key"): row for row in csv.DictReader(file)}
    return {
        key: MetricInfo.model_validate(
            row | {"needs": tuple(row["needs"].split()), "network": row["network"] or None}
        )
        for key, row in rows.items()
    }
