"""Which metrics are compared, and what is known of them."""

from collections.abc import Callable, Iterable, Sequence

from bench.comparing.sides import is_distance, stem
from bench.names import unknown_name
from bench.scoring.metric import Metric
from bench.statistics.claims import Better

Catalogue = Callable[[str], Metric | None]
"""What is known of a key; None for one that this version does not know."""
DEFAULT_STEMS = ("kid", "kd", "fid", "fd", "edge_correlation", "colourfulness_gap", "attention_effect")
"""What is compared unless asked otherwise: quality, structure, colour, and whether attention acts."""


def choose_keys(present: Sequence[str], asked: Sequence[str]) -> list[str]:
    """The keys to compare of those that the scores hold; `asked` by key, or without the feature network.

    Raises UsageError for one that no scores hold.
    """
    if not asked:
        return [key for key in present if stem(key) in DEFAULT_STEMS] or list(present)
    chosen: dict[str, None] = {}
    for name in asked:
        found = [key for key in present if name in (key, stem(key))]
        if not found:
            raise unknown_name("metric in the scores of these runs", name, present, "bench list metrics")
        chosen |= dict.fromkeys(found)
    return list(chosen)


def better(key: str, catalogue: Catalogue) -> Better:
    """The direction of better; `none` for a key that the catalogue does not know."""
    if is_distance(key):
        return "lower"
    known = catalogue(key)
    return known.better if known else "none"


def factor(key: str, catalogue: Catalogue) -> int:
    """What a value is printed times; 1 for a key that the catalogue does not know."""
    known = catalogue(key)
    return known.factor if known else 1


def ordered(keys: Iterable[str]) -> list[str]:
    """Keys without repetition, in the order in which they first appear."""
    return list(dict.fromkeys(keys))
