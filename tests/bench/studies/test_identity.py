"""A folder of another cell is refused with a diff of the two."""

from dataclasses import replace
from pathlib import Path

import pytest

import variants
from bench.cell import Cell
from bench.protocol import load_protocol
from bench.runs.records import RunRecord
from bench.studies.identity import as_recorded, json_difference, rule_changes
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


@pytest.mark.parametrize("variant", [*variants.names(), "slot5[masks=attention,noise=none,slot_init=own]"])
def test_a_run_of_the_rules_of_its_study_was_made_under_no_other_ones(variant: str) -> None:
    """Also where the record leaves out what is off: it was written before there was such a parameter."""
    cell = Cell(load_protocol("small"), "toy-stripes", variants.canonical(variant), 0)
    record = RunRecord.model_construct(
        protocol=cell.protocol.model_dump(mode="json"),
        parameters=as_recorded(variants.recorded_parameters(cell.variant, cell.protocol.model)),
    )
    assert rule_changes(record, cell) == []
    wider = replace(cell, protocol=load_protocol("small", ("model.width=25",)))
    named = {name for name, _, _ in rule_changes(record, wider)}
    assert "model.width" in named
