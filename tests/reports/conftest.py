"""Miniature studies for the tests of reports."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from reports.comparability import Group, groups
from reports.frame import read_study, run_folders

HERE = Path(__file__).parent


def load_miniature() -> ModuleType:
    """tests/reports/miniature.py as a module, from wherever pytest was started."""
    name = "reports_miniature"
    if name not in sys.modules:
        specification = importlib.util.spec_from_file_location(name, HERE / "miniature.py")
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        sys.modules[name] = module
        specification.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def mini() -> ModuleType:
    return load_miniature()


@pytest.fixture
def group_of() -> Callable[[Path], Group]:
    """The only comparison group below a folder."""

    def read(root: Path) -> Group:
        (only,) = groups(read_study(run_folders([root])))
        return only

    return read
