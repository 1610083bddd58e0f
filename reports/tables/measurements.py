"""Faithfulness, artefacts, ground truth and masks: the per-image measurements, averaged over images and seeds.

They answer the sentences of the literature ("more vivid colours", "better preserved lines", "attends to the
object") one by one; none of them says alone that a translation is good.
"""

from reports import metrics
from reports.comparability import Group
from reports.comparisons import arrow_text
from reports.summaries import summarise
from reports.tables.model import Cell, Column, Table
from reports.tables.scores import ScoreColumn, chosen, kinds, score_column, score_table, trained_variants

DEAD = 1e-3
"""Spatial deviation under which a mask head is called dead (scoring specification, section 2)."""
SCOPE_TITLES = {
    "image": "Faithfulness and artefacts",
    "truth": "Against ground truth",
    "mask": "Masks",
    "set": "Further set measures",
}
CAPTIONS = {
    "image": "Means over the test images, then over seeds. → target: nearest to the target domain's own value is best.",
    "truth": "The embedded scenes have a true counterfactual, foreground and objects for every test image.",
    "mask": f"A mask head is called dead where its masks vary over space by less than {DEAD:g}.",
    "set": "Measured on the same features as the distances.",
}


def measurement_tables(group: Group) -> list[Table]:
    """One table per scope and direction that has any measurement."""
    tables = []
    for scope, title in SCOPE_TITLES.items():
        keys = [
            key for key in metrics.ordered(set(group.study.scores["metric"])) if metrics.scope(key) == scope
        ]
        keys = [key for key in keys if not (metrics.is_kernel(key) or metrics.is_frechet(key))]
        for direction in ("A2B", "B2A"):
            if keys:
                tables.append(_table(group, scope, title, keys, direction))
    return tables


def _table(group: Group, scope: str, title: str, keys: list[str], direction: str) -> Table:
    columns = [score_column(group, key, direction, "last") for key in keys]
    if scope == "mask":
        columns.insert(0, _words(group, direction))
    name = f"{group.key}-{_NAMES[scope]}-{direction}"
    heading = f"{title}, {group.dataset}, {arrow_text(direction)}"
    return score_table(group, name, heading, columns, "last", CAPTIONS[scope])


_NAMES = {"image": "faithfulness", "truth": "truth", "mask": "masks", "set": "sets"}


def mask_words(group: Group, variant: str, direction: str) -> str:
    """What the masks of a variant are, in one or two words: `dead`, `alive`, `dead in 2 of 5 seeds`, `none`."""
    scores = chosen(group.study.scores, "last")
    rows = scores[(scores["metric"] == "mask_spatial_deviation") & (scores["direction"] == direction)]
    found = summarise(rows[rows["variant"] == variant])
    if found is None:
        return "no masks" if "mask_spatial_deviation" in set(scores["metric"]) else "not measured"
    if kinds(group)[variant] == "control":
        return "fixed by design"
    dead = sum(value < DEAD for value in found.values)
    if dead == found.n:
        return "dead"
    return "alive" if not dead else f"dead in {dead} of {found.n} seeds"


def _words(group: Group, direction: str) -> ScoreColumn:
    column = Column(
        "in-words",
        "head",
        group=arrow_text(direction),
        numeric=False,
        help=f"Dead: spatial deviation under {DEAD:g}",
    )
    cells = {variant: Cell(mask_words(group, variant, direction)) for variant in trained_variants(group)}
    return ScoreColumn(column, cells, Cell(""), Cell(""))
