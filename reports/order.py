"""The order in which variants are shown, stated once and used by every table, figure and gallery."""

import re
from collections.abc import Iterable

import pandas as pd

STATED_ORDER = (
    "masks without slots, then slots, then controls, then baselines, then images of other programs; by name "
    "within each"
)
KINDS = ("variant", "control", "baseline", "external")


def ordered_variants(runs: pd.DataFrame) -> list[str]:
    """The variants of a frame of runs, in the stated order."""
    known = runs.dropna(subset=["kind"]).drop_duplicates("variant")
    kinds = dict(zip(map(str, known["variant"]), map(str, known["kind"]), strict=True))
    return sort_variants(runs["variant"].dropna().unique(), kinds)


def sort_variants(variants: Iterable[str], kinds: dict[str, str]) -> list[str]:
    """`variants` in the stated order; one whose kind is unknown counts as a variant."""

    def place(variant: str) -> tuple[int, bool, list[tuple[bool, int, str]]]:
        kind = kinds.get(variant, "variant")
        rank = KINDS.index(kind) if kind in KINDS else len(KINDS)
        return rank, "slot" in variant, _natural(variant)

    return sorted(variants, key=place)


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """slot9 comes before slot10."""
    parts = re.split(r"(\d+)", name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]
