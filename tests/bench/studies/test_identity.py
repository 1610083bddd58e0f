"""A folder of another cell is refused with a diff of the two."""

from pathlib import Path

from bench.protocol import load_protocol
from bench.studies.identity import json_difference
from bench.studies.process import Order


def test_equal_values_have_no_difference() -> None:
    assert json_difference({"a": {"b": [1, 2]}}, {"a": {"b": [1, 2]}}) == []


def test_every_differing_leaf_is_named_with_both_values() -> None:
    here = {"cell": {"seed": 0, "variant": "slot9"}, "hash": "x"}
    asked = {"cell": {"seed": 1, "variant": "slot9"}, "hash": "y", "extra": True}
    assert json_difference(here, asked) == [("cell.seed", 0, 1), ("extra", None, True), ("hash", "x", "y")]


def test_an_order_reaches_its_worker_as_it_was_given() -> None:
    order = Order(
        protocol=load_protocol("smoke"),
        dataset="toy-stripes",
        variant="slot9",
        seed=3,
        runs=Path("runs"),
        weights=Path("weights.pth"),
        plugins=(Path("mine.py"), Path("theirs.py")),
    )
    assert Order.model_validate_json(order.model_dump_json()) == order
