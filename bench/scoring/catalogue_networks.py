"""The catalogue's entries of this half that depend on the feature network. Imports no torch."""

import dataclasses
import re

from bench.scoring.catalogue_masks import NO_MASKS
from bench.scoring.catalogue_sets import KERNEL_UNITS, printed_factor
from bench.scoring.metric import Metric

_KEY = re.compile(r"^(\w+)\(([^()]+)\)$")

_STEMS = (
    Metric(
        key="kd_from_copy",
        title="KD less a copy's",
        unit=KERNEL_UNITS,
        better="lower",
        scope="set",
        formula="KD - KD of the source images themselves, paired; below 0 is better than copying. The spread "
        "is its jackknife standard error over images",
        source="Efron and Stein 1981; Binkowski et al. 2018, section 4",
        undefined_when="fewer than 3 images in either set",
    ),
    Metric(
        key="attention_kd",
        title="Change of KD without space in the masks",
        unit=KERNEL_UNITS,
        better="none",
        scope="set",
        formula="KD with every mask replaced by its spatial mean - KD; positive where attention helps",
        source="Binkowski et al. 2018, section 4",
        undefined_when=NO_MASKS,
    ),
    Metric(
        key="attention_kd_swapped",
        title="Change of KD with the masks of another image",
        unit=KERNEL_UNITS,
        better="none",
        scope="set",
        formula="KD with the masks of the previous test image - KD; positive where attention helps",
        source="Binkowski et al. 2018, section 4",
        undefined_when=NO_MASKS,
    ),
    Metric(
        key="noise_kd_spread",
        title="Spread of KD over slot noise",
        unit=KERNEL_UNITS,
        better="lower",
        scope="set",
        formula="standard deviation of KD over draws of the slot noise; 0 without noise",
        source="Binkowski et al. 2018, section 4",
        undefined_when="the protocol asks for fewer than 2 draws",
    ),
    Metric(
        key="noise_fd_spread",
        title="Spread of FD over slot noise",
        unit="squared feature units",
        better="lower",
        scope="set",
        formula="standard deviation of FD over draws of the slot noise; 0 without noise",
        source="Heusel et al. 2017, equation 6",
        undefined_when="the protocol asks for fewer than 2 draws",
    ),
    Metric(
        key="realism",
        title="Realism",
        unit="ratio",
        better="higher",
        scope="image",
        formula="largest (3rd-neighbour distance of a real image / distance to it); ranks images",
        source="Kynkaanniemi et al. 2019, equation 3",
        undefined_when="fewer than 4 real images",
    ),
)


def network_key(stem: str, network: str) -> str:
    """The key of an entry under a feature network.

    >>> network_key("attention_kd", "tiny"), network_key("attention_kd", "inception")
    ('attention_kd(tiny)', 'attention_kid')
    """
    return _named_for_inception(stem) if network == "inception" else f"{stem}({network})"


def network_metrics(network: str) -> tuple[Metric, ...]:
    """The entries under one feature network, in the order of tables."""
    return tuple(_under(entry, network) for entry in _STEMS)


def network_metric(key: str) -> Metric | None:
    """The entry of a key made by `network_key`; None for another kind of key."""
    found = _KEY.match(key)
    stem, network = (found[1], found[2]) if found else (key, "inception")
    for entry in _STEMS:
        if stem == (entry.key if found else _named_for_inception(entry.key)):
            return _under(entry, network)
    return None


def _under(entry: Metric, network: str) -> Metric:
    title = entry.title
    for letters in ("KD", "FD"):
        name = f"{letters[0]}ID" if network == "inception" else f"{letters}({network})"
        title = title.replace(letters, name)
    if title == "Realism" and network != "inception":
        title = f"Realism({network})"
    factor = printed_factor(entry.unit, network)
    return dataclasses.replace(entry, key=network_key(entry.key, network), title=title, factor=factor)


def _named_for_inception(stem: str) -> str:
    return re.sub(r"(^|_)([kf])d(?=_|$)", r"\1\2id", stem)
