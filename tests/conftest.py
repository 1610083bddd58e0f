"""Fixtures for every test."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

FILL = Path(__file__).parent / "reference" / "fill.py"


@pytest.fixture(scope="session")
def reference() -> ModuleType:
    """The module `tests/reference/fill.py`: the published networks' weights and numbers."""
    spec = importlib.util.spec_from_file_location("reference_fill", FILL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
