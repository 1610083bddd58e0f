"""The catalogue's entries for distances between sets of images, under any feature network. Imports no torch.

Only Inception's distances are called FID and KID; those of another network are FD(name) and KD(name), in
keys, tables and axes alike.
"""

import re

from bench.scoring.metric import Metric

NAMED_FOR_INCEPTION = {"fd": "fid", "kd": "kid", "kd_subsets": "kid_subsets"}
"""Stem of a key -> Inception's own key for it; the other stems are themselves the keys."""

TITLES = {
    "fd": "FD",
    "kd": "KD",
    "kd_subsets": "KD over subsets",
    "precision": "Precision",
    "recall": "Recall",
    "density": "Density",
    "coverage": "Coverage",
}
INCEPTION_TITLES = {"fd": "FID", "kd": "KID", "kd_subsets": "KID over subsets"}
KEY = re.compile(r"^(\w+)\(([^()]+)\)$")

KERNEL_UNITS = "squared kernel units"
_FEW = "fewer than 2 images in either set"
_KYNKAANNIEMI = "Kynkaanniemi et al. 2019, equations 1 and 2"
_NAEEM = "Naeem et al. 2020"
_STEMS = {
    "fd": Metric(
        key="fd",
        title="FD",
        unit="squared feature units",
        better="lower",
        scope="set",
        formula="|mean_x - mean_y|^2 + tr(C_x + C_y - 2 (C_x C_y)^(1/2)), unbiased covariances, float64",
        source="Heusel et al. 2017, equation 6; Dowson and Landau 1982",
        undefined_when=_FEW,
    ),
    "kd": Metric(
        key="kd",
        title="KD",
        unit=KERNEL_UNITS,
        better="lower",
        scope="set",
        formula="unbiased MMD^2 over all pairs, kernel (x.y/d + 1)^3; may be slightly negative",
        source="Binkowski et al. 2018, section 4",
        undefined_when=_FEW,
    ),
    "kd_subsets": Metric(
        key="kd_subsets",
        title="KD over subsets",
        unit=KERNEL_UNITS,
        better="lower",
        scope="set",
        formula="mean of KD over 100 random subsets as torch-fidelity draws them (seed 2020); the spread is "
        "between subsets and is no standard error",
        source="Binkowski et al. 2018; torch-fidelity 0.4",
        undefined_when="the subset size is over the number of images in either set",
    ),
    "precision": Metric(
        key="precision",
        title="Precision",
        unit="share",
        better="higher",
        scope="set",
        formula="share of translations within the 3rd-neighbour ball of a real image",
        source=_KYNKAANNIEMI,
        undefined_when="fewer than 4 images in either set",
    ),
    "recall": Metric(
        key="recall",
        title="Recall",
        unit="share",
        better="higher",
        scope="set",
        formula="share of real images within the 3rd-neighbour ball of a translation",
        source=_KYNKAANNIEMI,
        undefined_when="fewer than 4 images in either set",
    ),
    "density": Metric(
        key="density",
        title="Density",
        unit="ratio",
        better="higher",
        scope="set",
        formula="mean number of 5th-neighbour balls of real images around a translation, over 5",
        source=_NAEEM,
        undefined_when="fewer than 6 images in either set",
    ),
    "coverage": Metric(
        key="coverage",
        title="Coverage",
        unit="share",
        better="higher",
        scope="set",
        formula="share of real images whose 5th-neighbour ball holds a translation",
        source=_NAEEM,
        undefined_when="fewer than 6 images in either set",
    ),
}


def set_key(stem: str, network: str) -> str:
    """The key of a set distance: `set_key("fd", "inception")` is `fid`, with `tiny` it is `fd(tiny)`."""
    if network == "inception":
        return NAMED_FOR_INCEPTION.get(stem, stem)
    return f"{stem}({network})"


def printed_factor(unit: str, network: str) -> int:
    """Kernel distances on Inception's features are printed x100, as the literature does; all others raw."""
    return 100 if unit == KERNEL_UNITS and network == "inception" else 1


def title(stem: str, network: str) -> str:
    """The name in tables and axes: FID and KID for Inception alone, else FD(network), KD(network)."""
    if network == "inception":
        return INCEPTION_TITLES.get(stem, TITLES[stem])
    first, _, rest = TITLES[stem].partition(" ")
    return f"{first}({network}) {rest}".rstrip()


def stem_and_network(key: str) -> tuple[str, str] | None:
    """What `set_key` was made of; None for the key of another kind of metric."""
    for stem in _STEMS:
        if key == set_key(stem, "inception"):
            return stem, "inception"
    found = KEY.match(key)
    return (found[1], found[2]) if found and found[1] in _STEMS else None


def set_metrics(network: str) -> tuple[Metric, ...]:
    """The entries of the set distances under one feature network, in the order of tables."""
    return tuple(set_metric(stem, network) for stem in _STEMS)


def set_metric(stem: str, network: str) -> Metric:
    """One entry under one feature network."""
    entry = _STEMS[stem]
    return Metric(
        key=set_key(stem, network),
        title=title(stem, network),
        unit=entry.unit,
        better=entry.better,
        scope=entry.scope,
        formula=entry.formula,
        source=entry.source,
        undefined_when=entry.undefined_when,
        factor=printed_factor(entry.unit, network),
    )
