"""The headline at a glance: the kernel distance of every variant on every data set of a protocol.

Columns are separate comparisons: values are compared down a column, never across.
"""

from collections.abc import Sequence

from reports.comparability import Group, plain_name
from reports.order import sort_variants
from reports.tables.main import headline
from reports.tables.model import Cell, Column, Row, Table, missing
from reports.tables.scores import (
    CEILING,
    DIRECTIONS,
    FLOOR,
    ScoreColumn,
    own_objectives,
    reading,
    row_title,
    score_column,
    seed_counts,
)


def overview_table(protocol: str, groups: Sequence[Group]) -> Table | None:
    """Groups of one protocol side by side; None where a single data set makes it the main table again."""
    scored = [(group, key) for group in groups if (key := headline(group))]
    if len(scored) < 2:
        return None
    columns = [
        (group, score_column(group, key, direction, "last"))
        for group, key in scored
        for direction in DIRECTIONS
    ]
    roles = {variant: role for group, _ in scored for variant, role in group.kinds.items()}
    titles = {variant: row_title(group, variant) for group, _ in scored for variant in group.variants}
    rows = [
        Row(titles[variant], tuple(_cell(one, variant) for _, one in columns), roles[variant])
        for variant in sort_variants(roles, roles)
    ]
    for name in ("floor", "ceiling"):
        title = {"floor": FLOOR, "ceiling": CEILING}[name]
        rows.append(Row(title, tuple(getattr(one, name) for _, one in columns), name))
    headings = tuple(
        Column(
            f"{group.dataset}-{one.column.key}",
            one.column.title,
            f"{group.dataset} {one.column.group}",
            one.column.arrow,
            one.column.help,
        )
        for group, one in columns
    )
    counts = [count for group, _ in scored for count in seed_counts(group, "last").values() if count]
    first = scored[0][0]
    brought = "" if first.own_objectives else own_objectives([group for group, _ in scored])
    said = [reading(first, counts), "Compare down a column, never across data sets.", brought]
    caption = " ".join(part for part in said if part)
    return Table(
        f"overview-{plain_name(protocol)}",
        f"Overview, protocol {protocol}",
        "variant",
        headings,
        tuple(rows),
        caption,
    )


def _cell(column: ScoreColumn, variant: str) -> Cell:
    return column.cells.get(variant, missing("No run of this variant on this data set."))
