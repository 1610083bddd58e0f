"""Fixtures for every test."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest

from bench.registry import Registry
from variants.registry import REGISTRY, catalogue

PLUGIN_MODULES = "variants_plugin_"
# How long an example takes says nothing: other programs want the cores as well.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")
HERE = Path(__file__).parent


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


@pytest.fixture(autouse=True)
def _plugins_forgotten() -> Iterator[None]:
    """What a test loads as a plugin is unknown to the next test in the process."""
    yield
    catalogue.PLUGINS.clear()
    for name, each in list(REGISTRY.items()):
        if each.module.startswith(PLUGIN_MODULES):
            del REGISTRY[name]
    for module in [module for module in sys.modules if module.startswith(PLUGIN_MODULES)]:
        del sys.modules[module]
        for registry in Registry.every:
            registry.forget(module)
