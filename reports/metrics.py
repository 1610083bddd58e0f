"""What a metric's key means, for people: title, unit, factor, better; unknown keys pass through as words."""

from collections.abc import Callable, Sequence
from functools import cache

from bench.scoring.catalogue_images import COLOUR_AND_NOISE, IMAGE_METRICS, LINES
from bench.scoring.catalogue_networks import network_metric
from bench.scoring.catalogue_sets import set_metric, stem_and_network
from bench.scoring.metric import Better, Metric, headed
from reports.numbers import decimals, places, readable
from reports.tables.model import Arrow

ARROWS: dict[str, Arrow] = {"lower": "down", "higher": "up", "nearer target": "target", "none": ""}

RAW_DIGITS = 4
"""Significant digits of distances on other networks than Inception."""
TABLES = ("faithfulness", "artefacts", "truth", "masks", "mask-grids", "sets")
"""The tables that metrics other than the headline distances go to."""
_BY_PREFIX = (
    ("mask_grid", "mask-grids"),
    ("mask_", "masks"),
    ("attention_", "masks"),
    ("grid_", "artefacts"),
    ("noise", "artefacts"),
    ("colourfulness", "faithfulness"),
)
_BY_SCOPE = {"image": "faithfulness", "truth": "truth", "mask": "masks", "set": "sets"}

SHORT = {
    "colourfulness": "colour",
    "colourfulness_gap": "colour gap",
    "noise": "noise",
    "noise_gap": "noise gap",
    "edge_correlation": "edges kept",
    "structure": "structure",
    "mean_change": "change",
    "unchanged": "unchanged",
    "noise_sensitivity": "slot noise",
    "attention_effect": "effect",
    "attention_effect_swapped": "effect, swapped",
    "mask_spatial_deviation": "spatial deviation",
    "mask_entropy": "entropy",
    "mask_effective_number": "effective number",
    "mask_overlap": "overlap",
    "mask_binarity": "binarity",
    "mask_sum_error": "sum error",
    "mask_background": "background",
    "mask_input_dependence": "input dependence",
    "counterfactual_l1": "L1 to truth",
    "counterfactual_psnr": "PSNR to truth",
    "counterfactual_ssim": "SSIM to truth",
    "edge_correlation_background": "background edges",
    "background_psnr": "background PSNR",
    "foreground_iou": "foreground IoU",
    "best_mask_iou": "best mask IoU",
    "matched_iou": "matched IoU",
}


def stem(key: str) -> str:
    """The key without its feature network: `kd(tiny)` is `kd`."""
    return key.partition("(")[0]


def network(key: str) -> str | None:
    """The feature network in a key, where one is named: that of `kd(tiny)` is `tiny`."""
    return key.partition("(")[2].rstrip(")") or None


def is_kernel(key: str) -> bool:
    """Whether the key is the headline: the kernel distance on whatever network."""
    return stem(key) in ("kid", "kd")


def is_frechet(key: str) -> bool:
    """Whether the key is the Frechet distance on whatever network."""
    return stem(key) in ("fid", "fd")


@cache
def metric(key: str) -> Metric | None:
    """The catalogue's entry; None for a key that this version does not know."""
    found = stem_and_network(key)
    if found:
        return set_metric(*found)
    return network_metric(key) or next((entry for entry in IMAGE_METRICS if entry.key == key), None)


def title(key: str) -> str:
    """`KID`, `FD(tiny)`, a short title for a column, or the key in words."""
    if key in SHORT:
        return SHORT[key]
    if stem(key) in ("attention_kd", "attention_kid"):
        return f"Δ{_kernel_title(key)}, no space"
    if stem(key) in ("attention_kd_swapped", "attention_kid_swapped"):
        return f"Δ{_kernel_title(key)}, swapped"
    if "_grid" in f"_{key}":
        return "spectral peak" if key.endswith("peak") else f"period {key.rpartition('_')[2]}"
    known = metric(key)
    return known.title if known else key.replace("_", " ")


def _kernel_title(key: str) -> str:
    name = network(key)
    return f"KD({name})" if name else "KID"


def scale(key: str) -> int:
    """The factor a value is printed with; it stands in the heading."""
    known = metric(key)
    return known.factor if known else 1


def of_source_and_output(key: str) -> bool:
    """Whether the metric needs nothing but images and their sources."""
    known = metric(key)
    stems = [entry.key for entry in (*COLOUR_AND_NOISE, *LINES)] + ["mean_change", "unchanged"]
    return known is not None and (key in stems or key.startswith("grid_"))


def is_raw_distance(key: str) -> bool:
    """Whether the key is a distance on another network than Inception: of no known size, so printed raw."""
    known = metric(key)
    return network(key) is not None and known is not None and known.unit.startswith("squared")


def decimals_of(key: str, values: Sequence[float]) -> Callable[[float], int]:
    """How many decimals the printed values of a column get: all the same, or four significant digits each.

    `values` are those of the column, as printed.
    """
    if is_raw_distance(key):
        return lambda value: places(value, RAW_DIGITS)
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
    """The table that a metric goes to; None for the headline distances, which have their own."""
    if is_kernel(key) or is_frechet(key):
        return None
    for prefix, table in _BY_PREFIX:
        if key.startswith(prefix):
            return table
    known = metric(key)
    return _BY_SCOPE.get(known.scope, "sets") if known else "faithfulness"


def ordered(keys: set[str]) -> list[str]:
    """Keys in the catalogue's order, those of feature networks and unknown ones behind it by name."""
    known = [entry.key for entry in IMAGE_METRICS if entry.key in keys]
    return known + sorted(keys - set(known))
