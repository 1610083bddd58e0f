"""Published numbers for the data sets of a report, in a table of their own."""

from collections.abc import Iterable

from baselines.published import published_results, tasks_of
from reports.numbers import fixed
from reports.tables.model import Cell, Column, Row, Table, missing

CAPTION = (
    "Measured by others with other libraries, schedules and rules for choosing the epoch: context, not a "
    "comparison. Most figures after 2020 are those of the best epoch on the test set; this benchmark reports "
    "the last step and the step chosen on held-out training images."
)


def published_table(datasets: Iterable[str]) -> Table | None:
    """Every published number for `datasets`; None where none is known."""
    tasks = [task for dataset in datasets for task in tasks_of(dataset)]
    found = [result for result in published_results() if result.task in tasks]
    if not found:
        return None
    columns = (
        Column("task", "task", numeric=False),
        Column("fid", "FID", arrow="down"),
        Column("kid", "KID ×100", arrow="down"),
        Column("n", "runs"),
        Column("protocol", "library and test protocol", numeric=False),
        Column("rule", "epoch", numeric=False),
        Column("source", "source", numeric=False),
    )
    rows = tuple(
        Row(
            result.method,
            (
                Cell(result.task),
                _number(result.value, result.spread, 1, 2) if result.metric == "FID" else _not_given("FID"),
                _number(result.value, result.spread, 100, 2) if result.metric == "KID" else _not_given("KID"),
                missing("Not said by the source.") if result.n is None else Cell(str(result.n), result.n),
                Cell(result.protocol),
                Cell(result.rule),
                Cell(result.source),
            ),
            "published",
        )
        for result in found
    )
    return Table("published", "Published results, not measured here", "method", columns, rows, CAPTION)


def _number(value: float, spread: float | None, scale: int, digits: int) -> Cell:
    text = "" if spread is None else f"±{fixed(scale * spread, digits)}"
    return Cell(fixed(scale * value, digits), scale * value, spread=text)


def _not_given(metric: str) -> Cell:
    return missing(f"The source gives no {metric} for this row.")
