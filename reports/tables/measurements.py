"""Faithfulness, artefacts, ground truth, masks: per-image measurements, averaged over images and seeds.

They answer the sentences of the literature ("more vivid colours", "better preserved lines", "attends to the
object") one by one; none of them says alone that a translation is good.
"""

from collections.abc import Callable

from bench.runs.metrics import DEAD_DEVIATION
from reports import metrics
from reports.comparability import Group
from reports.comparisons import arrow_text
from reports.parts import table
from reports.tables.model import Cell, Column, Table
from reports.tables.scores import (
    DIRECTIONS,
    ScoreColumn,
    score_column,
    score_table,
)

TITLES = {
    "faithfulness": "Faithfulness",
    "artefacts": "Noise and grids",
    "truth": "Against ground truth",
    "masks": "Masks",
    "mask-grids": "Grids in the masks",
    "sets": "Further measures of the whole set",
}
CAPTIONS = {
    "faithfulness": "Means over the test images. What the source is preserved in, and how far colours go.",
    "artefacts": "Texture reads as noise: noise alone says little. Grids: 1 is no grid, 0 dB no peak.",
    "truth": "The embedded scenes have a true counterfactual, foreground and objects for every test image.",
    "masks": f"A mask head is called dead where its masks vary over space by less than {DEAD_DEVIATION:g}.",
    "mask-grids": "Grids that the masks themselves have.",
    "sets": "Measured on the same features as the distances.",
}


def measurement_tables(group: Group, name: str) -> list[Table]:
    """The table `name` of metrics.TABLES in both directions, where anything of it was measured."""
    present = metrics.ordered(set(group.study.scores["metric"].unique()))
    keys = [key for key in present if metrics.table_of(key) == name]
    return [_table(group, name, keys, direction) for direction in DIRECTIONS] if keys else []


def _table(group: Group, name: str, keys: list[str], direction: str) -> Table:
    columns = [score_column(group, key, direction, "last") for key in keys]
    if name == "masks":
        columns.insert(0, _words(group, direction))
    heading = f"{TITLES[name]}, {group.dataset}, {arrow_text(direction)}"
    key = f"{name}-{direction}"
    target = "floor: real images of the target domain" if name in ("faithfulness", "artefacts") else None
    return score_table(group, key, heading, columns, "last", CAPTIONS[name], floor_title=target)


def _entered(name: str) -> Callable[[Group], list[Table]]:
    def made(group: Group) -> list[Table]:
        """The measurements of one kind, a table for each direction."""
        return measurement_tables(group, name)

    return made


for _name, _section, _folded in (
    ("faithfulness", "faithfulness", False),
    ("truth", "faithfulness", False),
    ("artefacts", "faithfulness", True),
    ("masks", "masks", False),
    ("mask-grids", "masks", True),
    ("sets", "distances", False),
):
    table(_name, section=_section, folded=_folded)(_entered(_name))


def mask_words(group: Group, variant: str, direction: str) -> str:
    """What the masks of a variant are, in a few words: `dead`, `alive`, `dead in 2 of 5 seeds`."""
    found = group.summary("mask_spatial_deviation", direction, variant)
    if variant in group.external:
        return "images alone"
    if found is None:
        rows = group.rows("mask_spatial_deviation", direction, variant)
        return "no masks" if rows["reason"].notna().any() else "not measured"
    if variant in group.given_masks:
        return "given, not learned"
    dead = sum(value < DEAD_DEVIATION for value in found.by_seed)
    if dead == found.n:
        return "dead"
    return "alive" if not dead else f"dead in {dead} of {found.n} seeds"


def _words(group: Group, direction: str) -> ScoreColumn:
    column = Column(
        "in-words",
        "head",
        group=arrow_text(direction),
        numeric=False,
        help=f"Dead: spatial deviation under {DEAD_DEVIATION:g}",
    )
    cells = {variant: Cell(mask_words(group, variant, direction)) for variant in group.variants}
    return ScoreColumn(column, cells, Cell(""), Cell(""))
