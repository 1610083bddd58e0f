"""Plots are drawn whatever the seeds gave."""

import pandas as pd

from reports.figures.distances import against_cost


def test_a_variant_that_is_the_same_in_every_seed_is_drawn() -> None:
    value = 0.1 + 0.2
    mean = 0.3  # what rounding makes of the mean of equal values: a little below all of them
    rows = [
        {"variant": "copy", "direction": direction, "cost": 0.0, "mean": mean, "low": value, "high": value}
        for direction in ("A2B", "B2A")
    ]
    references = pd.DataFrame(columns=["direction", "name", "value"])
    figure = against_cost(pd.DataFrame(rows), references, ["copy"], "KD", "GFLOP")
    assert [len(axis.containers) for axis in figure.axes[:2]] == [1, 1]
