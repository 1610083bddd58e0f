"""`bench check`: a table, JSON for machines, exit 1 where a variant breaks the contract."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import variants
from bench.cli.check import check, engine_with_options

EXAMPLE = Path(__file__).parents[3] / "docs" / "example_variant.py"


@pytest.fixture
def call():
    """`call(arguments...)`: the outcome of the command."""
    app = typer.Typer()
    app.command()(check)
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


def test_a_sound_variant_passes_with_exit_0(call):
    result = call("spatial[width=8]")
    assert result.exit_code == 0
    assert result.stdout.startswith("spatial[width=8]\n")
    assert "passed  weighted sum" in result.stdout


def test_the_documented_example_passes(call):
    result = call("one-mask", "--plugin", EXAMPLE)
    assert result.exit_code == 0, result.output


def test_a_failed_check_is_exit_1(call):
    result = call("uniform", "--parameters", 7)
    assert result.exit_code == 1
    assert "FAILED  parameter count            11,453,467, but 7 are pinned" in result.stdout


def test_json_is_for_machines(call):
    result = call("copy", "uniform", "--json")
    found = json.loads(result.stdout)
    assert list(found) == ["copy", "uniform"]
    assert all(each["passed"] for each in found["uniform"])


def test_an_unknown_name_is_refused_before_anything_is_checked(call):
    result = call("copy", "slto9")
    assert isinstance(result.exception, variants.VariantError)
    assert result.stdout == ""


def test_options_of_an_engine_are_values_in_toml_or_bare_words():
    assert engine_with_options("local") == ("local", {})
    assert engine_with_options("slurm[cluster=local, minutes=5,nice=true]") == (
        "slurm",
        {"cluster": "local", "minutes": 5, "nice": True},
    )
    assert engine_with_options("slurm[a=1\nb=2]") == ("slurm", {"a": "1\nb=2"}), "one value an option"


@pytest.mark.parametrize("name", ["outputs", "masks", "extremes", "time"])
def test_our_galleries_pass(call, name):
    result = call("--gallery", name)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("shots", "told"),
    [
        ("Shot('a', pictures.add(np.zeros((8, 8, 3), np.uint8))),", "1 gallery: 1 row"),
        ("Shot('a', 'mine.png'),", "shows 'mine.png', which is no picture of the page"),
        ("", "the row 'one' has 0 pictures for 1 columns"),
    ],
)
def test_a_gallery_of_ones_own_is_checked(call, tmp_path, shots, told):
    plugin = tmp_path / "faces.py"
    plugin.write_text(
        "import numpy as np\nfrom reports.galleries.model import Gallery, Shot, Strip\n"
        "from reports.parts import gallery\n\n\n@gallery('faces')\ndef faces(group, shown, pictures):\n"
        f'    """Faces."""\n    strips = (Strip(\'one\', ({shots})),)\n'
        "    yield Gallery('', 'gallery', 'Faces', 'the first', ('a',), strips)\n"
    )
    result = call("--gallery", "faces", "--plugin", plugin)
    assert told in result.stdout
    assert result.exit_code == (0 if "1 row" in told else 1)
