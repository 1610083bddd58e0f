"""What others add to the report in one file stands in it like ours, and what is wrong with it is said."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bench.registry import Registry
from variants.registry import catalogue

EXAMPLE = Path(__file__).parents[2] / "docs" / "example_table.py"
Report = Callable[..., Result]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, mini: ModuleType) -> Path:
    root: Path = tmp_path_factory.mktemp("parts") / "runs"
    mini.write_study(root, ("spatial", "uniform"), seeds=(0, 1), pictures=False)
    return root


@pytest.fixture
def report(runs: Path, tmp_path: Path) -> Iterator[Report]:
    """`bench report` with plugins, which are forgotten afterwards, into tmp_path/report."""
    from bench.cli import app

    loaded: list[Path] = []

    def write(*plugins: Path, formats: str = "md,html,latex,csv") -> Result:
        loaded.extend(plugins)
        words = [word for plugin in plugins for word in ("--plugin", str(plugin))]
        out = ["--out", str(tmp_path / "report"), "--format", formats]
        return CliRunner().invoke(app, ["report", str(runs), *out, *words])

    yield write
    for plugin in loaded:
        catalogue.PLUGINS.pop(plugin.resolve(), None)
        for registry in Registry.every:
            registry.forget(catalogue.plugin_module(plugin))


def broken(folder: Path, *change: str) -> Path:
    """The example with one text in place of another."""
    text = EXAMPLE.read_text(encoding="utf-8")
    assert change[0] in text
    path = folder / "broken_table.py"
    path.write_text(text.replace(*change), encoding="utf-8")
    return path


def test_a_table_and_a_figure_of_a_plugin_stand_where_ours_do(report: Report, tmp_path: Path) -> None:
    outcome = report(EXAMPLE)
    assert outcome.exit_code == 0, outcome.output
    out = tmp_path / "report"
    text = (out / "report.md").read_text(encoding="utf-8")
    faithfulness = text[text.index("### Faithfulness") : text.index("### Masks")]
    assert "#### Images that lose half of their lines, toy-stripes" in faithfulness
    assert "](figures/toy-stripes-kept-lines.png)" in faithfulness
    page = (out / "index.html").read_text(encoding="utf-8")
    kept = page[page.index('id="kept"') : page.index('id="attend"')]
    assert 'id="toy-stripes-lost-lines"' in kept
    assert 'id="figure-toy-stripes-kept-lines"' in kept
    for name in ("tables/toy-stripes-lost-lines.tex", "figures/toy-stripes-kept-lines.svg"):
        assert (out / name).is_file(), name
    with (out / "tables" / "toy-stripes-lost-lines.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["variant"] for row in rows] == ["spatial", "uniform"]
    assert all(0 <= float(row["A → B"]) <= 1 for row in rows)


def test_without_the_plugin_the_report_has_none_of_it(report: Report, tmp_path: Path) -> None:
    assert report(formats="csv").exit_code == 0
    assert not list((tmp_path / "report" / "tables").glob("*lost-lines*"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("float((values < HALF).mean())", "1 / 0"), "The table 'lost-lines'"),
        (("float((values < HALF).mean())", "1 / 0"), "ZeroDivisionError"),
        (("rows.append(Row(variant, tuple(cells)))", "rows.append(Row(variant, ()))"), "has 0 cells for 2"),
        (("return Table(", "return len("), "raised TypeError: "),
        (("return Table(", "return len("), "). It was to show toy-stripes."),
        (('"lost-lines", section="faithfulness"', '"lost-lines", section="faith"'), "section of a report"),
        (('"lost-lines", section="faithfulness"', '"cost", section="cost"'), "Rename one of them"),
        (('"lost-lines", section', '"x/../../../lost", section'), "cannot be a name"),
        (('return Table(\n        ""', 'return Table(\n        "../../lost"'), "cannot be a name"),
    ],
    ids=["raises", "why", "cells", "call", "where", "section", "name", "path", "path of a key"],
)
def test_a_table_that_is_wrong_is_named_and_nothing_else(
    report: Report, tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    outcome = report(broken(tmp_path, *change), formats="csv")
    assert outcome.exit_code != 0
    assert outcome.exception is not None
    assert told in str(outcome.exception) + outcome.output
    assert "Traceback" not in outcome.output


PART = "import numpy as np\nfrom reports.tables.model import Cell, Column, Row, Table\n"
PART += "from reports.parts import Sketch, figure, table\n\n\n"


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (
            "@table('mine', section='cost')\ndef mine(group):\n"
            "    return Table('', 'Mine', 'variant', (Column('a', 'a'),), (Row('x', (Cell(1.5, 1.5),)),))\n",
            "holds Cell(text=1.5, value=1.5",
        ),
        (
            "@table('mine', section='cost')\ndef mine(group):\n"
            "    return [Table('k', 'Mine', 'variant', (), ())] * 2\n",
            "returned 2 with the key 'k'",
        ),
        (
            "@figure('mine', section='cost')\ndef mine(group):\n"
            "    return Sketch('Mine', 'Nothing.', lambda: None)\n",
            "it drew NoneType, not a matplotlib Figure: return that (mine.py)",
        ),
    ],
    ids=["a number for a text", "keys", "no figure"],
)
def test_what_a_part_makes_is_looked_at(report: Report, tmp_path: Path, part: str, told: str) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(PART + part, encoding="utf-8")
    outcome = report(plugin, formats="md")
    assert outcome.exit_code != 0
    assert told in str(outcome.exception) + outcome.output
    assert "Traceback" not in outcome.output


def test_a_part_that_writes_into_its_group_changes_nothing_else(report: Report, tmp_path: Path) -> None:
    assert report(formats="csv").exit_code == 0
    before = (tmp_path / "report" / "results.json").read_bytes()
    plugin = tmp_path / "emptied.py"
    text = (
        "@table('emptied', section='distances')\ndef emptied(group):\n"
        "    group.study.runs.drop(group.study.runs.index, inplace=True)\n"
        "    group.chosen['last']['value'] = 0.0\n"
    )
    plugin.write_text(PART + text, encoding="utf-8")
    assert report(plugin, formats="csv").exit_code == 0
    assert (tmp_path / "report" / "results.json").read_bytes() == before


def test_a_table_that_returns_something_else_is_told_what_it_should_return(
    report: Report, tmp_path: Path
) -> None:
    outcome = report(broken(tmp_path, "    return Table(", "    return columns or Table("), formats="csv")
    assert "returned Column, not Table" in str(outcome.exception)
