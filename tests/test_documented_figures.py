"""The figures of docs/variants.md can be made again: the study behind them holds every setting they show."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import variants
from bench.studies.declaration import load_study
from bench.studies.grid import expand

FIGURES = Path(__file__).parents[1] / "docs" / "figures"


@pytest.fixture(scope="module")
def section_7() -> ModuleType:
    spec = importlib.util.spec_from_file_location("section_7", FIGURES / "section_7.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_study_behind_the_figures_holds_every_setting_and_no_other(section_7: ModuleType) -> None:
    shown = {setting for settings in section_7.FIGURES.values() for setting in settings}
    assert shown == set(expand(load_study(str(FIGURES / "section-7.toml"))).variants)


def test_every_setting_of_the_table_of_costs_is_spelled_canonically(section_7: ModuleType) -> None:
    assert [variants.canonical(text) for text in section_7.COSTS] == section_7.COSTS


@pytest.mark.parametrize(
    ("least", "largest", "text"), [(0.1, 0.25, "0.10-0.25"), (0.11, 0.1100003, "0.11 +3e-07")]
)
def test_the_range_of_a_mask_says_how_little_it_varies(
    section_7: ModuleType, least: float, largest: float, text: str
) -> None:
    assert section_7.between(least, largest) == text
