"""One registry for everybody: ours, installed packages' and plugin files', read without torch."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import variants
from variants import Generator, VariantError, register
from variants.registry import REGISTRY, declare, fields_class, refuse_other_signatures
from variants.registry.catalogue import find, installed
from variants.registry.parameters import parameters_of, with_defaults

EXAMPLE = Path(__file__).parents[2] / "docs" / "example_variant.py"

PLUGIN = """
from dataclasses import dataclass
from typing import Annotated, Literal
from variants import AtLeast, Generator, Translation, register
from variants.shipped import SlotParameters

@dataclass(frozen=True)
class Mine(SlotParameters):
    slots: Annotated[int, AtLeast(3)] = 4
    rate: float = 0.5
    mode: Literal["a", "b"] = "b"

@register("NAME", summary="A plugin.", rate=0.25)
class Plugin(Generator):
    def __init__(self, parameters: Mine) -> None:
        super().__init__()

    def forward(self, image, noise=None):
        return Translation(image, image.unsqueeze(1), None)
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """`plugin(text, name)`: the path of a plugin file of that text, forgotten after the test."""
    from variants.registry import catalogue

    monkeypatch.setattr(catalogue, "PLUGINS", {})
    before = dict(REGISTRY)

    def write(text: str, name: str = "plugin.py") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    yield write
    REGISTRY.clear()
    REGISTRY.update(before)
    for name in [name for name in sys.modules if name.startswith("variants_plugin_")]:
        del sys.modules[name]


@pytest.mark.parametrize("name", variants.names())
def test_what_is_declared_is_what_the_class_takes(name):
    declared = find(name)
    fields = fields_class(declared.generator)
    assert declared.fields is fields
    own = parameters_of(fields)
    other = {key: each.default for key, each in declared.entry.parameters.items() if each != own[key]}
    assert with_defaults(own, other) == declared.entry.parameters
    refuse_other_signatures(declared.generator)


def test_every_shipped_variant_is_listed_without_importing_it():
    code = (
        "import sys, variants; variants.names(); variants.canonical('slot9[iterations=5]'); "
        "variants.resolved_parameters('cyclegan'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_come_by_kind_then_by_name():
    assert variants.names() == (
        *("attentive-slot5", "encoded-slot5", "light-slot5", "light-spatial5", "slot5", "slot9", "spatial"),
        *("convolution5", "kmeans5", "oracle", "shuffled", "uniform"),
        *("attentiongan-v1", "colour", "copy", "cut", "cyclegan"),
    )
    assert variants.names("control") == ("convolution5", "kmeans5", "oracle", "shuffled", "uniform")


def test_baselines_come_in_by_the_entry_point():
    assert set(installed()) >= {"copy", "colour", "cyclegan", "attentiongan-v1"}


def test_a_second_claim_on_a_name_is_refused():
    with pytest.raises(VariantError, match=r"The name 'spatial' is taken by variants\.spatial\.Spatial"):
        register("spatial", summary="Mine.")(type("Mine", (Generator,), {}))


def test_a_default_for_no_parameter_is_refused():
    with pytest.raises(VariantError, match="slots is given another default but is no parameter"):
        register("fine", summary="", slots=5)(type("Mine", (Generator,), {}))


@pytest.mark.parametrize("name", ["a b", "a/b", "", "a[b]", ".."])
def test_a_name_that_cannot_be_a_folder_is_refused(name):
    with pytest.raises(VariantError, match="cannot be a name"):
        register(name, summary="")(type("Mine", (Generator,), {}))


def test_an_unknown_kind_is_refused():
    with pytest.raises(VariantError, match="a kind is one of variant, control, baseline"):
        register("fine", summary="", kind="other")(type("Mine", (Generator,), {}))


def test_an_objective_of_its_own_is_refused_to_all_but_baselines():
    with pytest.raises(
        VariantError, match="fine is a variant and brings the objective 'cut': only a baseline"
    ):
        register("fine", summary="", objective="cut")(type("Mine", (Generator,), {}))


def test_a_parameter_without_a_default_is_refused():
    @dataclass(frozen=True)
    class Bare:
        width: int

    @dataclass(frozen=True)
    class Made:
        width: int = field(default_factory=int)

    for fields in (Bare, Made):
        generator = type("Mine", (Generator,), {"__init__": lambda self, parameters: None})
        generator.__init__.__annotations__["parameters"] = fields
        with pytest.raises(VariantError, match=r"Parameter width of .* has no default"):
            register("fine", summary="")(generator)


def test_a_constructor_without_annotation_is_refused():
    generator = type("Mine", (Generator,), {"__init__": lambda self, parameters: None})
    with pytest.raises(VariantError, match="annotate parameters with the dataclass"):
        register("fine", summary="")(generator)


def test_a_plugin_is_read_listed_and_built(plugin):
    path = plugin(PLUGIN.replace("NAME", "mine"))
    assert variants.load_plugin(path) == ("mine",)
    assert "mine" in variants.names()
    assert variants.canonical("mine[mode=a,rate=0.25]") == "mine[mode=a]"
    described = variants.describe("mine")
    assert described.parameters["slots"].default == 4
    assert list(described.parameters)[:2] == ["slots", "iterations"]
    assert type(variants.build("mine")).__name__ == "Plugin"
    assert described == find("mine").entry


def test_loading_a_plugin_twice_is_no_error(plugin):
    path = plugin(PLUGIN.replace("NAME", "mine"))
    assert variants.load_plugin(path) == variants.load_plugin(str(path)) == ("mine",)


def test_a_plugin_whose_text_does_not_tell_is_imported(plugin):
    path = plugin(PLUGIN.replace('"NAME"', '"mi" + "ne"'))
    assert variants.load_plugin(path) == ("mine",)
    assert variants.canonical("mine[rate=0.25]") == "mine"


def test_a_plugin_may_register_by_a_plain_call(plugin):
    text = PLUGIN.replace('@register("NAME", summary="A plugin.", rate=0.25)', "")
    text += '\nfor size in (3, 4):\n    register(f"mine{size}", summary="", slots=size)(Plugin)\n'
    assert variants.load_plugin(plugin(text)) == ("mine3", "mine4")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "registers nothing"),
        ("def (:\n", "cannot be loaded: SyntaxError"),
        (PLUGIN.replace("NAME", "slot9"), "The name 'slot9' is taken by variants.raw_slots"),
        ("import nothing_of_the_kind\n" + PLUGIN.replace('"NAME"', 'str("mine")'), "ModuleNotFoundError"),
        (PLUGIN.replace("NAME", "mine").replace("rate=0.25", "tempo=2"), "tempo is given another default"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_refused_and_forgotten(plugin, text, message):
    known = variants.names()
    with pytest.raises(VariantError, match=message):
        variants.load_plugin(plugin(text))
    assert variants.names() == known


def test_what_is_there_and_is_no_plugin_is_called_what_it_is(tmp_path):
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "plug.txt").write_text(PLUGIN)
    (tmp_path / "plug").write_text(PLUGIN)
    os.mkfifo(tmp_path / "pipe.py")
    for name, told in (
        ("folder.py", "is a folder"),
        ("plug.txt", r"does not end in \.py"),
        ("plug", r"does not end in \.py"),
        ("pipe.py", "is a pipe"),
    ):
        with pytest.raises(VariantError, match=f"{name} .*{told}.*Give a Python file"):
            variants.load_plugin(tmp_path / name)


def test_a_name_that_no_folder_can_have_is_refused_where_it_is_registered(plugin):
    with pytest.raises(VariantError, match=r"260 signs.*at most 255"):
        variants.load_plugin(plugin(PLUGIN.replace("NAME", "v" * 260)))


def test_what_a_plugin_prints_is_no_answer_of_the_command(plugin, capsys):
    variants.load_plugin(plugin("print('hello')\n" + PLUGIN.replace("NAME", "mine")))
    assert capsys.readouterr() == ("", "hello\n")


def test_a_missing_plugin_is_refused(tmp_path):
    with pytest.raises(VariantError, match=r"There is no plugin file .*absent\.py"):
        variants.load_plugin(tmp_path / "absent.py")


def test_two_plugins_of_one_file_name_are_refused(plugin, tmp_path):
    variants.load_plugin(plugin(PLUGIN.replace("NAME", "mine")))
    (tmp_path / "other").mkdir()
    with pytest.raises(VariantError, match=r"Another plugin is called plugin\.py"):
        variants.load_plugin(plugin(PLUGIN.replace("NAME", "other"), "other/plugin.py"))


class Point:
    """What `importlib.metadata.entry_points` gives."""

    def __init__(self, value: str) -> None:
        self.value = value


@pytest.fixture
def installs(monkeypatch):
    """`installs(module, ...)`: pretend that packages with these entry points are installed."""
    installed.cache_clear()
    yield lambda *modules: monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda group: [Point(module) for module in modules]
    )
    installed.cache_clear()


def test_an_installed_package_is_read_module_by_module(plugin, tmp_path, monkeypatch, installs):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "theirs").mkdir()
    plugin("", "theirs/__init__.py")
    plugin(PLUGIN.replace("NAME", "second"), "theirs/b.py")
    plugin(PLUGIN.replace("NAME", "first"), "theirs/a.py")
    installs("theirs")
    plugin("raise RuntimeError('a script that registers nothing is not run')", "theirs/train.py")
    assert installed() == ("first", "second")
    assert type(variants.build("second")).__module__ == "theirs.b"


def test_a_broken_package_is_left_out_with_a_warning(installs):
    installs("nothing_of_the_kind")
    with pytest.warns(UserWarning, match="'nothing_of_the_kind' are left out: there is no module"):
        assert "slot9" in variants.names()


def test_a_plugin_that_breaks_as_it_is_run_is_refused_with_its_line_and_forgotten(plugin):
    path = plugin(PLUGIN.replace("NAME", "mine") + "\nraise RuntimeError('run')\n")
    with pytest.raises(VariantError, match=r"plugin\.py cannot be loaded: RuntimeError: run \(line \d+\)"):
        variants.load_plugin(path)
    assert "mine" not in variants.names()
    path.write_text(PLUGIN.replace("NAME", "mine"), encoding="utf-8")
    assert variants.load_plugin(path) == ("mine",)


def test_two_packages_of_one_name_are_told_apart(plugin, tmp_path, monkeypatch, installs):
    monkeypatch.syspath_prepend(tmp_path)
    plugin(PLUGIN.replace("NAME", "same"), "their_one.py")
    plugin(PLUGIN.replace("NAME", "same"), "their_other.py")
    installs("their_one", "their_other")
    for _ in range(2):  # and not only when it is first asked
        with pytest.raises(
            VariantError,
            match=r"their_other: .*'same' is taken by their_one\.Plugin\. Rename one, or uninstall",
        ):
            variants.names()


def test_a_package_may_declare_what_it_has_and_is_imported_when_it_is_built(
    plugin, tmp_path, monkeypatch, installs
):
    monkeypatch.syspath_prepend(tmp_path)
    declared = (
        "from variants import declare\n\ndeclare('lazy', 'lazy_ones.made:Made', None, summary='Lazy.')\n"
    )
    made = PLUGIN.split("@register")[0] + (
        "class Made(Generator):\n    def forward(self, image, noise=None):\n"
        "        return Translation(image, image.unsqueeze(1), None)\n"
    )
    (tmp_path / "lazy_ones").mkdir()
    plugin(declared, "lazy_ones/__init__.py")
    plugin(made, "lazy_ones/made.py")
    installs("lazy_ones")
    assert "lazy" in variants.names()
    assert "lazy_ones.made" not in sys.modules
    assert type(variants.build("lazy")).__name__ == "Made"


def test_a_class_that_is_declared_and_not_there_is_told(plugin):
    declare("absent", "variants.spatial:Nothing", None, summary="")
    declare("nowhere", "no_module_of_the_kind:Nothing", None, summary="")
    for name, told in (("absent", r"variants\.spatial\.Nothing"), ("nowhere", "No module named")):
        with pytest.raises(VariantError, match=rf"{name} is declared as .*{told}"):
            variants.build(name)


def test_the_example_of_the_documentation_is_listed_with_its_parameters(plugin):
    assert variants.load_plugin(EXAMPLE) == ("one-mask",)
    assert list(variants.describe("one-mask").parameters) == ["sharpness", "width", "blocks"]


LATER = """
from dataclasses import dataclass
from typing import Annotated, Literal
from variants import AbsentWhenOff, AtLeast, Generator, Translation, register

@dataclass(frozen=True)
class Mine:
    slots: Annotated[int, AtLeast(3)] = 4
    masks: Annotated[Literal["decoder", "attention"], "Where masks come from.", AbsentWhenOff()] = "decoder"

@register("attends", summary="A parameter came later, and is on here.", masks="attention")
@register("settled", summary="A parameter came later, and is off here.")
class Plugin(Generator):
    def __init__(self, parameters: Mine) -> None:
        super().__init__()

    def forward(self, image, noise=None):
        return Translation(image, image.unsqueeze(1), None)
"""


def test_a_parameter_that_came_later_is_recorded_where_it_is_on_alone(plugin):
    variants.load_plugin(plugin(LATER))
    assert variants.recorded_parameters("settled") == {"slots": 4}
    assert variants.recorded_parameters("settled[masks=decoder]") == {"slots": 4}
    assert variants.recorded_parameters("settled[masks=attention]") == {"slots": 4, "masks": "attention"}
    assert variants.recorded_parameters("settled", {"masks": "attention"})["masks"] == "attention"
    assert variants.recorded_parameters("attends") == {"slots": 4, "masks": "attention"}
    assert variants.canonical("settled[masks=decoder]") == "settled"
    assert variants.describe("settled") == find("settled").entry
    assert variants.build("settled").parameter_values == {"slots": 4, "masks": "decoder"}
