"""The arithmetic of tests/benchmarks/growth.py."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

GROWTH = Path(__file__).parents[2] / "benchmarks" / "growth.py"


@pytest.fixture(scope="module")
def growth() -> ModuleType:
    spec = importlib.util.spec_from_file_location("growth", GROWTH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@given(st.floats(-3, 4), st.floats(0.01, 100))
def test_the_exponent_of_a_power_is_found_whatever_its_factor(growth, power, factor):
    sizes = (64, 96, 128, 256)
    assert growth.exponent(sizes, [factor * size**power for size in sizes]) == pytest.approx(power, abs=1e-6)


def test_slots_are_varied_at_the_smallest_size_alone(growth):
    settings = list(growth.settings_of(["spatial"], (64, 128), (2, 4)))
    assert [(each.spelling, each.size) for each in settings] == [
        ("spatial", 64),
        ("spatial", 128),
        ("slot9[slots=2]", 64),
        ("slot9[slots=4]", 64),
    ]
