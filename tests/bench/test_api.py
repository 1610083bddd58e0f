"""The Python interface: the documented page runs as it stands, and functions and commands are one thing."""

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer.main
from typer.testing import CliRunner

import bench
from bench.api.sheets import ReportPage
from bench.cli import app
from bench.errors import BenchError, UsageError
from variants import VariantError

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
ELSEWHERE = {
    "run": {"as_json", "compile_networks", "change"},
    "score": {"as_json", "run"},
    "compare": {"as_json"},
    "report": {"watch", "open_page", "formats"},
}
"""Options that are no arguments of the function, or are called otherwise there."""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the cells of the page leave, run one after the other in an empty folder."""
    folder = tmp_path_factory.mktemp("notebook")
    names: dict[str, Any] = {"started_in": folder}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("BENCH_CACHE", str(folder / "cache"))
        for cell in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
            exec(compile(cell, str(PAGE), "exec"), names)
        yield names


def test_every_cell_of_the_page_runs(notebook: dict[str, Any]) -> None:
    assert {"slot9", "outcome", "runs", "theirs"} <= notebook.keys()


def test_a_run_comes_back_with_its_record_and_scores(notebook: dict[str, Any]) -> None:
    sheet = notebook["slot9"]
    assert sheet.record.status == "done"
    table = sheet.frame()
    assert {"A2B", "B2A"} == set(table["direction"])
    value = table.query("selection == 'last' and direction == 'A2B' and metric == 'kd(tiny)'")["value"].item()
    assert value == sheet.scores.selections["last"].directions["A2B"].metrics["kd(tiny)"].value


def test_load_runs_is_one_row_a_score_with_the_facts_of_its_run(notebook: dict[str, Any]) -> None:
    table = notebook["runs"]
    key = ["variant", "seed", "selection", "direction", "metric"]
    assert not table.duplicated(key).any()
    assert set(table["variant"]) == {"slot9", "spatial"}
    assert table["images_seen"].eq(4).all()


def test_everything_that_comes_back_shows_itself_in_a_notebook(notebook: dict[str, Any]) -> None:
    for name, said in (
        ("slot9", "slot9 on toy-stripes"),
        ("outcome", "slot9 against spatial"),
        ("theirs", "kd(tiny)"),
    ):
        shown = notebook[name]._repr_html_()
        assert "<table" in shown, name
        assert said in shown, name
        assert ">None<" not in shown


def test_a_notebook_shows_distances_first_and_the_many_other_scores_when_asked(
    notebook: dict[str, Any],
) -> None:
    first, rest = notebook["slot9"]._repr_html_().split("<details>")
    assert "kd(tiny)" in first
    assert "mask_entropy" not in first
    assert "mask_entropy" in rest


def test_a_finished_run_is_told_of_nothing_that_changed_where_nothing_did(
    notebook: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(notebook["started_in"])
    bench.run("slot9", set=notebook["few"])
    said = capsys.readouterr().err
    assert "nothing was run" in said
    assert "another" not in said


def test_a_report_shows_its_page_and_a_large_one_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "index.html"
    page.write_text('<h1 title="a">5 &lt; 6</h1>')
    assert (
        ReportPage(page)
        ._repr_html_()
        .startswith('<iframe srcdoc="&lt;h1 title=&quot;a&quot;&gt;5 &amp;lt; 6')
    )
    monkeypatch.setattr("bench.api.sheets.LARGEST_SHOWN", 3)
    assert page.as_uri() in ReportPage(page)._repr_html_()


def test_a_comparison_claims_no_more_than_the_command(notebook: dict[str, Any]) -> None:
    table = notebook["outcome"].frame()
    assert set(table["verdict"]) == {"values only"}
    assert table[["p_value", "low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_functions_take_what_their_commands_take_with_the_same_defaults(name: str) -> None:
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    options = {each.name: each for each in command.params if each.name != "help"}
    arguments = inspect.signature(getattr(bench, name)).parameters
    missing = options.keys() - arguments.keys() - ELSEWHERE[name]
    assert not missing
    for key, option in options.items():
        if (
            key in arguments
            and key not in ELSEWHERE[name]
            and option.default is not None
            and not option.required
        ):
            ours, theirs = arguments[key].default, option.default
            assert str(ours) == str(getattr(theirs, "value", theirs)), key


def test_errors_are_those_of_the_commands(tmp_path: Path) -> None:
    with pytest.raises(VariantError, match="Did you mean 'slot9'"):
        bench.run("slto9", runs=tmp_path)
    with pytest.raises(UsageError, match="runs is ''; give a name or a path"):
        bench.load_runs("")
    with pytest.raises(UsageError, match="seed is -1"):
        bench.run("slot9", seed=-1, runs=tmp_path)
    with pytest.raises(UsageError, match="Give both --real DIR and --fake DIR"):
        bench.score("real")
    with pytest.raises(UsageError, match="Unknown direction 'a2b'"):
        bench.compare("slot9", "spatial", direction="a2b")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="There is no folder"):
        bench.load_runs(tmp_path / "nowhere")
    with pytest.raises(BenchError, match="There is no run in"):
        bench.load_runs(tmp_path)
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = bench.trian


WRONG: dict[str, tuple[object, ...]] = {
    "variant": (None, 3, Path("slot9")),
    "seed": (1.5, "1", True),
    "set": (5, b"x", [5]),
    "plugin": (3, "", [""]),
    "track": (3,),
    "device": (3,),
    "runs": (3, ""),
    "weights": (3, ""),
    "skip_bad_images": (1,),
    "progress": (3,),
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values], ids=str
)
def test_what_no_option_could_be_is_refused_by_name(name: str, value: object, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"variant": "slot9", "runs": tmp_path, "dry_run": True, name: value}
    with pytest.raises(UsageError, match=f"^{name} is .*; give "):
        bench.run(**arguments)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (function, name)
        for function in ("run", "score", "compare", "load_runs", "report")
        for name in inspect.signature(getattr(bench, function)).parameters
    ],
)
def test_no_argument_of_a_wrong_type_leaves_as_pythons_error(function: str, name: str) -> None:
    class Other:
        """No text, number, path or report of progress."""

    needed = {"run": {"variant": "slot9"}, "compare": {"a": "slot9", "b": "spatial"}}.get(function, {})
    with pytest.raises(UsageError, match=f"^{name} is .*Other.*; give "):
        getattr(bench, function)(**needed | {name: Other()})


def test_none_is_the_default_and_a_number_of_numpy_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    names = inspect.signature(bench.run).parameters.keys() - {"variant", "dry_run"}
    given: dict[str, Any] = dict.fromkeys(names)
    sheet = bench.run("slot9", dry_run=True, **given | {"seed": np.int64(1)})
    assert sheet.record is not None
    assert sheet.record.cell.model_dump() == {
        "protocol": "smoke",
        "dataset": "toy-stripes",
        "variant": "slot9",
        "seed": 1,
    }
    assert sheet.folder == Path("runs/smoke/toy-stripes/slot9/seed1")


def test_a_folder_without_a_run_names_the_remedy() -> None:
    with pytest.raises(BenchError, match=r"nope is no run folder: .* See: bench list runs"):
        bench.score(run="nope")


@pytest.mark.parametrize(
    "typed",
    [
        ["run", "--variant", "slot9", "--runs", ""],
        ["score", "--real", "a", "--fake", "b", "--out", ""],
        ["report", ""],
        ["run", "--variant", "slot9", "--plugin", ""],
    ],
)
def test_an_empty_path_is_not_the_current_folder(
    typed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, typed)
    assert done.exit_code == 2
    assert "It is empty; the current folder is '.'" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_dry_run_gives_the_record_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    sheet = bench.run("slot9", runs=tmp_path / "runs", dry_run=True)
    assert sheet.record is not None
    assert sheet.record.cell.variant == "slot9"
    assert sheet.scores is None
    assert isinstance(sheet.frame(), pd.DataFrame)
    assert not (tmp_path / "runs").exists()


def test_a_protocol_file_of_a_shipped_name_is_told_by_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    own = tmp_path / "small.toml"
    own.write_text("[images]\nsize = 32\nload_size = 32\n[train]\nimages_seen = 4\n[score]\n")
    bench.run("slot9", protocol=own, runs=tmp_path / "runs", dry_run=True)
    assert capsys.readouterr().err.count("small.toml is called small, as a shipped protocol") == 1


@pytest.mark.parametrize(
    ("work", "absent"),
    [
        ("bench.__all__", {"torch", "pandas", "numpy", "scipy", "typer"}),
        ("bench.compare", {"torch", "pandas", "matplotlib"}),
        ("bench.load_runs('.') if 0 else bench.load_runs", {"torch", "matplotlib"}),
    ],
)
def test_importing_bench_imports_nothing_large(work: str, absent: set[str]) -> None:
    program = f"import sys, bench\n{work}\nsys.exit(str(sorted({absent!r} & sys.modules.keys()) or ''))"
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert outcome.stderr.strip() == ""
