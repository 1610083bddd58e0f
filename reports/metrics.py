"""What a metric's key means, for people: title, unit, factor, direction of better; unknown keys pass through."""

from bench.scoring.metric import Better, Metric
from reports.tables.model import Arrow

ARROWS: dict[str, Arrow] = {"lower": "down", "higher": "up", "nearer target": "target", "none": ""}
KERNEL = ("kid", "kd")
FRECHET = ("fid", "fd")
NETWORK_TITLES = {"kid": "KID", "kd": "KD", "fid": "FID", "fd": "FD"}


def stem(key: str) -> str:
    """The key without its feature network: `kd(tiny)` is `kd`."""
    return key.partition("(")[0]


def is_kernel(key: str) -> bool:
    """Whether the key is the headline: the kernel distance on whatever network."""
    return stem(key) in KERNEL


def is_frechet(key: str) -> bool:
    return stem(key) in FRECHET


def title(key: str) -> str:
    """`KID`, `FD(tiny)`, or the title of the catalogue, or the key in words."""
    if stem(key) in NETWORK_TITLES:
        return NETWORK_TITLES[stem(key)] + key.removeprefix(stem(key))
    return SHORT.get(key) or key.replace("_", " ")


def scale(key: str) -> int:
    """The factor a value is printed with; it stands in the heading."""
    return 100 if is_kernel(key) else 1


def heading(key: str) -> str:
    """Title with factor and unit: `KID ×100`, `noise [levels]`."""
    factor = f" ×{scale(key)}" if scale(key) != 1 else ""
    known = metric(key)
    unit = f" [{known.unit}]" if known and known.unit not in ("", "1") else ""
    return title(key) + factor + unit


def better(key: str) -> Better:
    """The direction of better; `none` where the catalogue does not know the key."""
    if is_kernel(key) or is_frechet(key):
        return "lower"
    known = metric(key)
    return known.better if known else "none"


def arrow(key: str) -> Arrow:
    return ARROWS[better(key)]


def help_text(key: str) -> str:
    """One line for a tooltip: full title, formula, when undefined."""
    known = metric(key)
    if known is None:
        return ""
    undefined = f" Undefined: {known.undefined_when}" if known.undefined_when else ""
    return f"{known.title}. {known.formula}{undefined}"


def metric(key: str) -> Metric | None:
    """The catalogue's entry; None for a key that this version does not know."""
    return CATALOGUE.get(key)


def scope(key: str) -> str:
    """`set`, `image`, `mask`, `truth` or `cost`; for unknown keys by their first word."""
    known = metric(key)
    if known:
        return known.scope
    return "mask" if key.startswith(("mask_", "attention_")) else "image"


def ordered(keys: set[str]) -> list[str]:
    """Keys in the catalogue's order, unknown ones behind it by name."""
    known = [key for key in CATALOGUE if key in keys]
    return known + sorted(keys - set(known))


CATALOGUE: dict[str, Metric] = {}
SHORT: dict[str, str] = {}
