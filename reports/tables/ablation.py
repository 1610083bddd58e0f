"""One table for every parameter that varies between variants of one family: what does it change?

Rows whose other parameters differ too are kept and say so: such a row answers two questions at once.
"""

from typing import Any

from reports.comparability import Group, file_name_of
from reports.parts import table
from reports.tables.distances import cost_column, headline_metric
from reports.tables.model import Cell, Column, Row, Table
from reports.tables.scores import (
    DIRECTIONS,
    reading,
    row_title,
    score_column,
    seed_counts,
)


@table("ablation", section="ablation")
def ablation_tables(group: Group) -> list[Table]:
    """The tables of a group, by family and parameter."""
    tables = []
    for family, variants in families(group).items():
        settings = {variant: parameters(group, variant) for variant in variants}
        for parameter in varying(settings):
            tables.append(_table(group, family, parameter, settings))
    return tables


def families(group: Group) -> dict[str, list[str]]:
    """Name without parameters -> its variants, where there are at least two."""
    found: dict[str, list[str]] = {}
    for variant in group.variants:
        found.setdefault(variant.partition("[")[0], []).append(variant)
    return {family: variants for family, variants in found.items() if len(variants) > 1}


def parameters(group: Group, variant: str) -> dict[str, Any]:
    """The recorded parameters of a variant, of its first run that has any."""
    folders = group.runs_of(variant)["folder"]
    records = (group.study.records[folder] for folder in folders if folder in group.study.records)
    return next((record.parameters for record in records if record.parameters), {})


def varying(settings: dict[str, dict[str, Any]]) -> list[str]:
    """Parameters with more than one value, by name."""
    names = {name for values in settings.values() for name in values}
    known = [values for values in settings.values() if values]
    return sorted(name for name in names if len({repr(values.get(name)) for values in known}) > 1)


def _table(group: Group, family: str, parameter: str, settings: dict[str, dict[str, Any]]) -> Table:
    key = headline_metric(group)
    scored = [score_column(group, key, direction, "last") for direction in DIRECTIONS] if key else []
    if key and "mask_spatial_deviation" in set(group.study.scores["metric"]):
        scored += [
            score_column(group, "mask_spatial_deviation", name, "last", bold=False) for name in DIRECTIONS
        ]
    scored += [cost_column(group, "gflop", "GFLOP", 1, "One forward at batch 1")]
    others = [name for name in varying(settings) if name != parameter]
    columns = [Column(parameter, parameter, numeric=False)]
    columns += [Column("others", "also differs", numeric=False)] if others else []
    role, rows = group.kinds, []
    for variant in sorted(settings, key=lambda name: _place(settings[name].get(parameter))):
        cells = [Cell(str(settings[variant].get(parameter, "-")))]
        cells += (
            [Cell(", ".join(f"{name}={settings[variant].get(name, '-')}" for name in others))]
            if others
            else []
        )
        cells += [one.cells[variant] for one in scored]
        rows.append(Row(row_title(group, variant), tuple(cells), role[variant]))
    counts = [count for variant, count in seed_counts(group, "last").items() if count and variant in settings]
    title = f"Ablation of {parameter} in {family}, {group.dataset}"
    everything = (*columns, *(one.column for one in scored))
    name = f"ablation-{file_name_of(family)}-{file_name_of(parameter)}"
    return Table(name, title, "variant", everything, tuple(rows), reading(group, counts, settings))


def _place(value: Any) -> tuple[bool, float, str]:
    """Numbers in order of size, words behind them."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return (not number, float(value) if number else 0.0, str(value))
