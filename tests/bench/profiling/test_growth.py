"""The script that measures growth: its exponent, and the whole of it on tiny networks."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "growth.py"
TINY = """
[train]
images_seen = 1
discriminator_width = 8

[score]
features = "tiny"

[model]
width = 8
blocks = 1
slot_size = 8
encoder = "4-4-4-8"
"""


@pytest.fixture(scope="module")
def growth() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("growth", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["growth"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, -0.5])
def test_the_exponent_of_a_power_is_found(growth, power):
    x = [64, 96, 128, 256]
    assert growth.exponent(x, [3 * each**power for each in x]) == pytest.approx(power, abs=1e-9)


def test_the_exponent_of_noisy_measurements_is_the_best_line_through_their_logarithms(growth):
    assert growth.exponent([1, 10, 100], [1, 100 * 2, 10_000]) == pytest.approx(2)


def test_every_variant_is_measured_at_every_size_and_slot9_with_every_number_of_slots(growth):
    settings = list(growth.settings_of(["spatial"], (64, 128), (2, 4)))
    assert [(each.spelling, each.size, each.x) for each in settings] == [
        ("spatial", 64, 64),
        ("spatial", 128, 128),
        ("slot9[slots=2]", 64, 2),
        ("slot9[slots=4]", 64, 4),
    ]


def test_the_script_leaves_a_table_and_a_plot(tmp_path, forked):
    (tmp_path / "tiny.toml").write_text(TINY, encoding="utf-8")
    options = ["--variants", "uniform", "--protocol", str(tmp_path / "tiny.toml"), "--sizes", "32", "48"]
    least = ["--steps", "1", "--slots", "2", "4"]
    forked.run([sys.executable, str(SCRIPT), *options, *least, "--out", str(tmp_path)], check=True)
    table = pd.read_csv(tmp_path / "growth.csv")
    assert list(table["x"]) == [32, 48, 2, 4]
    assert (table[["seconds_per_step", "memory", "step_gflop"]] > 0).all(axis=None)
    assert (tmp_path / "growth.svg").read_text(encoding="utf-8").startswith("<?xml")
