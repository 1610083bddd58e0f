"""What a metric's key means, for people: title, unit, factor, better; unknown keys pass through as words."""

from functools import cache

from bench.scoring.catalogue_images import IMAGE_METRICS
from bench.scoring.catalogue_networks import network_metric
from bench.scoring.catalogue_sets import set_metric, stem_and_network
from bench.scoring.metric import Better, Metric
from reports.tables.model import Arrow

ARROWS: dict[str, Arrow] = {"lower": "down", "higher": "up", "nearer target": "target", "none": ""}
PRINTED_TIMES_100 = ("kid", "kd", "kid_subsets", "kd_subsets", "attention_k", "noise_k")
PLAIN_UNITS = ("", "1", "ratio", "share", "masks", "share of images", "share of variance")

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
    name = stem(key)
    return 100 if name in PRINTED_TIMES_100 or name.startswith(PRINTED_TIMES_100[4:]) else 1


def heading(key: str) -> str:
    """Title with factor and unit: `KID ×100`, `noise [levels of 255]`."""
    known = metric(key)
    unit = known.unit if known and known.scope != "set" else ""
    unit = "" if unit in PLAIN_UNITS or scale(key) != 1 else f" [{unit.removesuffix(' of 255')}]"
    return title(key) + (f" ×{scale(key)}" if scale(key) != 1 else unit)


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
