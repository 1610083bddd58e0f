"""A folder of another cell is refused with a diff of the two."""

from bench.studies.identity import difference


def test_equal_values_have_no_difference() -> None:
    assert difference({"a": {"b": [1, 2]}}, {"a": {"b": [1, 2]}}) == []


def test_every_differing_leaf_is_named_with_both_values() -> None:
    here = {"cell": {"seed": 0, "variant": "slot9"}, "hash": "x"}
    asked = {"cell": {"seed": 1, "variant": "slot9"}, "hash": "y", "extra": True}
    assert difference(here, asked) == [("cell.seed", 0, 1), ("extra", None, True), ("hash", "x", "y")]
