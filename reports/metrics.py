"""What a metric's key means, for people: title, unit, factor, better; unknown keys pass through as words.

All of it stands in scores.json, whoever wrote the metric (`bench.runs.metrics.MetricInfo`).
"""

from collections.abc import Callable, Sequence

from bench.runs.metrics import (
    OF_MASKS,
    Better,
    MetricInfo,
    described,
    headed,
    in_order,
    is_distance,
    is_kernel,
    network,
)
from reports.numbers import decimals, decimals_for_digits, readable
from reports.tables.model import Arrow

ARROWS: dict[str, Arrow] = {"lower": "down", "higher": "up", "nearer target": "target", "none": ""}

RAW_DIGITS = 4
"""Significant digits of distances on other networks than Inception."""
TABLES = ("faithfulness", "artefacts", "truth", "masks", "mask-grids", "sets")
"""The tables that metrics other than the headline distances go to."""


NETWORKS = {"": "Inception", "squeezenet": "SqueezeNet", "efficientnet-lite0": "EfficientNet-Lite0"}
"""What feature networks are called by those who made them; others have the names they are registered by."""


def network_words(name: str) -> str:
    """Whose features a distance is on: `SqueezeNet's features`, "`tiny` features"."""
    return f"{NETWORKS[name]}'s features" if name in NETWORKS else f"`{name}` features"


def metric(key: str) -> MetricInfo | None:
    """What is known of a key; None where no scores tell."""
    return described(key)


def title(key: str) -> str:
    """`KID`, `FD(tiny)`, a short title for a column, or the key in words."""
    known = metric(key)
    return known.short_title if known else key.replace("_", " ")


def scale(key: str) -> int:
    """The factor a value is printed with; it stands in the heading."""
    known = metric(key)
    return known.factor if known else 1


def of_source_and_output(key: str) -> bool:
    """Whether the metric needs nothing but images and their sources."""
    known = metric(key)
    return known is not None and bool(known.needs) and set(known.needs) <= {"source", "output"}


def of_masks(key: str) -> bool:
    """Whether the metric is of the masks: of where they lie or what they do."""
    known = metric(key)
    return known is not None and not OF_MASKS.isdisjoint(known.needs)


def is_raw_distance(key: str) -> bool:
    """Whether the key is a distance on another network than Inception: of no known size, so printed raw."""
    known = metric(key)
    return network(key) is not None and known is not None and known.unit.startswith("squared")


def decimals_of(key: str, values: Sequence[float]) -> Callable[[float], int]:
    """How many decimals the printed values of a column get: all the same, or four significant digits each.

    `values` are those of the column, as printed.
    """
    if is_raw_distance(key):
        return lambda value: decimals_for_digits(value, RAW_DIGITS)
    digits = decimals(list(values))
    digits = max(2, digits) if is_kernel(key) and digits else digits
    return lambda value: digits


def printed(key: str, value: float) -> str:
    """One raw value as people are shown it."""
    shown = scale(key) * value
    return readable(shown, decimals_of(key, [shown])(shown))


def heading(key: str) -> str:
    """Title with factor and unit: `KID ×100`, `noise [levels of 255]`."""
    known = metric(key)
    return headed(title(key), known.unit.removesuffix(" of 255"), known.factor) if known else title(key)


def better(key: str) -> Better:
    """The direction of better; `none` where the catalogue does not know the key."""
    known = metric(key)
    return known.better if known else "none"


def arrow(key: str) -> Arrow:
    """The sign in the heading."""
    return ARROWS[better(key)]


def help_text(key: str) -> str:
    """One line for a tooltip: full title, unit, formula, when undefined."""
    known = metric(key)
    if known is None:
        return ""
    undefined = f" Undefined: {known.undefined_when}." if known.undefined_when else ""
    return f"{known.title} [{known.unit}]. {known.formula}.{undefined}"


def table_of(key: str) -> str | None:
    """The table that a metric goes to; None for the headline distances, which have their own, and for what is
    of the training: a mean over the seeds that have a value would flatter those that have none."""
    known = metric(key)
    if is_distance(key) or (known is not None and known.table == "cost"):
        return None
    return known.table if known and known.table in TABLES else "faithfulness"


def ordered(keys: set[str]) -> list[str]:
    """Keys in the order of tables, those of feature networks and unknown ones behind it by name."""
    return in_order(keys)
