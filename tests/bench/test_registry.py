"""A registry: entries from our own modules, by name, each name once."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.data.scenes import SCENES, scene
from bench.errors import BenchError, UsageError
from bench.registry import Registry, blamed, load_plugins
from bench.signals import Stopped
from variants import VariantError
from variants.registry.provenance import OURS


def test_our_own_modules_are_imported_when_it_is_first_asked():
    fresh: Registry[object] = Registry(
        "data set", package="bench.data.scenes", group="bench.scenes", see="bench list datasets"
    )
    assert fresh.entries() == {}  # they have registered with SCENES
    assert {"toy-season", "toy-shape", "toy-stripes"} <= set(SCENES.entries())


def test_an_unknown_name_is_answered_with_close_ones():
    with pytest.raises(UsageError, match=r"Unknown data set 'toy-stripe'. Did you mean 'toy-stripes'"):
        SCENES.find("toy-stripe")


def test_a_second_claim_on_a_name_is_refused_and_says_who_has_it():
    taken = (
        r"'toy-stripes' of Mine in test_registry\.py is taken by bench\.data\.scenes\.stripes\.StripesScene"
    )
    SCENES.entries()
    with pytest.raises(UsageError, match=taken):
        scene("toy-stripes", "Mine.")(type("Mine", (), {}))


def test_whose_name_it_is_does_not_hang_on_who_came_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A plugin is read before the modules of ours are."""
    registry: Registry[object] = Registry("thing", package="bench.data.scenes", group="none", see="nowhere")
    path = tmp_path / "a_plugin.py"
    path.write_text("def mine(): pass\n", encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)
    registry.add("taken", object(), module.mine)
    with pytest.raises(
        UsageError, match=r"^The thing 'taken' of mine in a_plugin\.py is taken by bench\.data"
    ):
        registry.add("taken", object(), scene)


def test_the_same_thing_may_register_again():
    known = SCENES.find("toy-stripes")
    SCENES.add("toy-stripes", known, known.scene)
    assert SCENES.find("toy-stripes") is known


def test_entries_given_out_are_not_the_registry_itself():
    SCENES.entries().clear()
    assert SCENES.entries()


PLUGIN = """
from bench.data.scenes import scene

@scene("toy-mine", "Mine.")
class Mine:
    pass
"""


def test_a_plugin_file_may_register_something_else_than_a_generator(tmp_path):
    file = tmp_path / "my_scene.py"
    file.write_text(PLUGIN, encoding="utf-8")
    load_plugins([file])
    assert list(SCENES.entries())[-1] == "toy-mine"


def test_a_plugin_file_that_registers_nothing_is_refused(tmp_path):
    file = tmp_path / "empty_scene.py"
    file.write_text("from bench.data.scenes import scene\n", encoding="utf-8")
    with pytest.raises(VariantError, match=r"empty_scene\.py registers nothing"):
        load_plugins([file])


def test_of_a_plugin_file_that_breaks_nothing_is_kept(tmp_path):
    file = tmp_path / "broken_scene.py"
    file.write_text(f"{PLUGIN}\nraise RuntimeError\n", encoding="utf-8")
    with pytest.raises(VariantError, match=r"broken_scene\.py cannot be loaded"):
        load_plugins([file])
    assert "toy-mine" not in SCENES.entries()


@pytest.mark.parametrize("error", [ValueError("odd"), SystemExit("odd")], ids=["raises", "leaves"])
def test_what_is_not_ours_is_blamed_by_name_and_what_is_ours_is_not(error: BaseException) -> None:
    theirs = type("Mine", (), {"__module__": "elsewhere.mine"})
    with (
        pytest.raises(BenchError, match=rf"The scene mine raised {type(error).__name__}: odd \(elsewhere"),
        blamed("scene", "mine", theirs),
    ):
        raise error
    for package in sorted(OURS):
        ours = type("Ours", (), {"__module__": f"{package}.mine"})
        with pytest.raises(type(error)) as raised, blamed("scene", "ours", ours):
            raise error
        assert raised.value is error


def test_a_command_that_is_stopped_blames_nobody() -> None:
    with pytest.raises(Stopped), blamed("scene", "mine", type("Mine", (), {"__module__": "elsewhere"})):
        raise Stopped(15)


@pytest.mark.parametrize("ends", ["1 / 0", "raise SystemExit(3)"])
def test_an_installed_package_that_breaks_is_left_out_with_all_it_registered(tmp_path, monkeypatch, ends):
    module = f"theirs_{len(ends)}"
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / f"{module}.py").write_text(f"{PLUGIN}\n{ends}\n", encoding="utf-8")
    point = SimpleNamespace(value=module)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point])
    fresh: Registry[object] = Registry(
        "data set", package="bench.data.scenes", group="bench.scenes", see="bench list datasets"
    )
    with pytest.warns(UserWarning, match=f"{module} is left out: (ZeroDivisionError|SystemExit)"):
        fresh.entries()
    assert fresh.entries() == {}
    assert "toy-mine" not in SCENES.entries()
