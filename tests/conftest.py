"""Fixtures for every test."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest

from bench.registry import Registry
from variants.registry import REGISTRY, catalogue

# Threads that wait leave the core to others: two tests run at once, each with as many threads as cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
PLUGIN_MODULES = "variants_plugin_"
# How long an example takes says nothing: other programs want the cores as well.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")
HERE = Path(__file__).parent
LONG = (
    "bench/studies/test_ray_study.py",
    "reports/test_browser.py",
    "bench/training/test_golden_training.py",
    "reports/test_report.py",
    "bench/studies",
    "bench/cli/test_extending.py",
    "bench/training",
    "bench/test_exporting.py",
    "bench/cli",
    "reports",
    "bench/profiling",
    "bench/ballot",
    "bench/scoring",
)
"""What takes longest, by the longest: where two work, it is begun first, so that neither waits at the end."""


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False  # by the number of tests, which says nothing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest come first; one worker runs all tests of a file (`--dist loadfile`), which share runs."""
    items.sort(key=lambda item: place_in_order(item.path.relative_to(HERE).as_posix()))


def place_in_order(path: str) -> int:
    """When the tests of a file are begun."""
    return next((place for place, each in enumerate(LONG) if path.startswith(each)), len(LONG))


def loaded(path: Path) -> ModuleType:
    """A helper module of the tests, by its file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def reference() -> ModuleType:
    """The module `tests/reference/fill.py`: the published networks' weights and numbers."""
    return loaded(HERE / "reference" / "fill.py")


@pytest.fixture(scope="session")
def forked() -> ModuleType:
    """`tests/forked.py`, ready: its `Forked` and `run` are used as `Popen` and `run` of subprocess."""
    module = loaded(HERE / "forked.py")
    module.start_server()
    return module


@pytest.fixture(scope="module")
def workers_forked(forked: ModuleType) -> Iterator[None]:
    """Commands that a module of tests calls within its process fork their workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", forked.Forked)
        yield


@pytest.fixture(autouse=True)
def _plugins_forgotten(forget_plugins: Callable[[], None]) -> Iterator[None]:
    """What a test loads as a plugin is unknown to the next test in the process."""
    yield
    forget_plugins()


@pytest.fixture
def forget_plugins() -> Callable[[], None]:
    """Makes every plugin unknown, as a new process begins."""
    return _forget_plugins


def _forget_plugins() -> None:
    catalogue.PLUGINS.clear()
    for name, each in list(REGISTRY.items()):
        if each.module.startswith(PLUGIN_MODULES):
            del REGISTRY[name]
    for module in [module for module in sys.modules if module.startswith(PLUGIN_MODULES)]:
        del sys.modules[module]
        for registry in Registry.every:
            registry.forget(module)
