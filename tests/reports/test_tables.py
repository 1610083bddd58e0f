"""What tables say, against the numbers they are made of; and that every format says it unharmed."""

import csv
import io
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.runs.records import Score
from reports.comparability import Group, groups
from reports.frame import read_study, run_folders
from reports.parts import tables_of
from reports.tables.ablation import ablation_tables
from reports.tables.comma_separated import to_csv
from reports.tables.cost import cost_table
from reports.tables.distances import distances_table
from reports.tables.latex import to_latex
from reports.tables.markdown import to_markdown
from reports.tables.measurements import measurement_tables
from reports.tables.model import Cell, Column, Row, Table
from reports.tables.published import published_table
from reports.tables.runs import failures_table
from reports.write import Request, write_report

Read = Callable[[Path], Group]
NASTY = 'a<b> & "c" | `d` $x_1$ \\ 100% #'


def cells(table: Table, row: str) -> dict[str, Cell]:
    found = next(one for one in table.rows if one.title == row)
    return {f"{c.group} {c.title}".strip(): cell for c, cell in zip(table.columns, found.cells, strict=True)}


@pytest.mark.parametrize(
    ("features", "title", "factor", "text"),
    [("inception", "KID ×100", 100, "1.65"), ("tiny", "KD(tiny)", 1, "0.01650")],
)
def test_the_main_table_prints_kid_times_100_and_other_networks_raw_with_four_digits(
    tmp_path: Path, mini: ModuleType, group_of: Read, features: str, title: str, factor: int, text: str
) -> None:
    rules = mini.protocol(features=features)
    mini.write_study(tmp_path, ("spatial", "copy"), seeds=range(5), pictures=False, rules=rules)
    runs = [mini.Mini(rules, "toy-stripes", "spatial", seed) for seed in range(5)]
    expected = factor * np.mean([mini.kernel_value(run, "B2A") for run in runs])
    cell = cells(distances_table(group_of(tmp_path)), "spatial")[f"B → A {title}"]
    assert cell.value == pytest.approx(expected)
    assert cell.text == text
    assert cell.spread.startswith("±")
    assert len(cell.points) == 5


@pytest.mark.parametrize(("seeds", "spread"), [(1, ""), (2, ""), (3, "["), (4, "["), (5, "±")])
def test_the_spread_is_what_the_number_of_seeds_allows(
    tmp_path: Path, mini: ModuleType, group_of: Read, seeds: int, spread: str
) -> None:
    mini.write_study(tmp_path, ("spatial", "slot9"), seeds=range(seeds), pictures=False)
    table = distances_table(group_of(tmp_path))
    cell = cells(table, "spatial")["A → B KD(tiny)"]
    assert cell.spread[:1] == spread
    assert table.columns[0].title == f"n = {seeds}"


def test_bold_needs_five_seeds_and_a_supported_difference(
    tmp_path: Path, mini: ModuleType, group_of: Read
) -> None:
    mini.write_study(tmp_path / "few", ("spatial", "uniform", "copy"), seeds=range(4), pictures=False)
    mini.write_study(tmp_path / "enough", ("spatial", "uniform", "copy"), seeds=range(5), pictures=False)
    few, enough = distances_table(group_of(tmp_path / "few")), distances_table(group_of(tmp_path / "enough"))
    assert not any(cell.bold for row in few.rows for cell in row.cells)
    assert cells(enough, "spatial")["A → B KD(tiny)"].bold
    assert not any(cell.bold for cell in cells(enough, "uniform").values())


def test_two_variants_that_are_not_told_apart_leave_nothing_bold(
    tmp_path: Path, mini: ModuleType, group_of: Read
) -> None:
    mini.write_study(tmp_path, ("slot9", "slot9[iterations=5]"), seeds=range(5), pictures=False)
    table = distances_table(group_of(tmp_path))
    columns = [at for at, column in enumerate(table.columns) if "KD" in column.title]
    assert not any(row.cells[at].bold for row in table.rows for at in columns)


def test_copying_the_input_wins_nothing(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    mini.write_study(tmp_path, ("spatial", "uniform", "copy"), seeds=range(5), pictures=False)
    table = measurement_tables(group_of(tmp_path), "faithfulness")[0]
    assert not any(cell.bold for cell in cells(table, "copy").values())
    assert cells(table, "uniform")["A → B edges kept"].bold


def test_floor_and_ceiling_stand_beneath(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    mini.write_study(tmp_path, ("spatial",), seeds=(0,), pictures=False)
    table = distances_table(group_of(tmp_path))
    assert [row.role for row in table.rows] == ["variant", "floor", "ceiling"]
    assert cells(table, "floor: real against real")["A → B KD(tiny)"].text == "0.004000"


def test_what_is_missing_is_a_dash_with_its_reason(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    mini.write_study(tmp_path, ("spatial", "copy"), seeds=(0,), pictures=False)
    failed = mini.Mini(mini.protocol(), "toy-stripes", "slot9", 0)
    mini.write_record(failed.folder(tmp_path), mini.record(failed, status="failed", reason="x"))
    group = group_of(tmp_path)
    assert cells(distances_table(group), "slot9")["A → B KD(tiny)"].note == "No scores: failed."
    masks = measurement_tables(group, "masks")[0]
    assert cells(masks, "copy")["A → B entropy"] == Cell("-", note="The generator has no masks.")
    assert "<sup>b</sup> The generator has no masks." in to_markdown(masks)


def test_scores_that_are_not_finite_are_missing(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    mini.write_study(tmp_path, ("spatial", "slot9"), seeds=(0, 1), pictures=False)
    for seed in (0, 1):
        run = mini.Mini(mini.protocol(), "toy-stripes", "slot9", seed)
        scores = mini.scores(run)
        for direction in scores.selections["last"].directions.values():
            direction.metrics["kd(tiny)"] = Score(value=float("nan"))
            direction.metrics["fd(tiny)"] = Score(value=float("inf"))
        (run.folder(tmp_path) / "scores.json").write_text(scores.model_dump_json())
    found = cells(distances_table(group_of(tmp_path)), "slot9")
    assert found["A → B KD(tiny)"] == Cell("-", note="it came out as NaN")
    assert found["B → A FD(tiny)"].text == "-"


def test_dead_heads_are_named_and_controls_are_not(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    mini.write_study(tmp_path, ("spatial", "slot9", "uniform", "copy"), seeds=(0,), pictures=False)
    table = measurement_tables(group_of(tmp_path), "masks")[0]
    words = {row.title: row.cells[1].text for row in table.rows}
    assert words == {"spatial": "alive", "slot9": "dead", "uniform": "given, not learned", "copy": "no masks"}


def test_masks_that_are_given_win_no_column_of_masks_and_keep_nobody_from_winning(
    tmp_path: Path, mini: ModuleType, group_of: Read
) -> None:
    """`slot5` has the better IoU by far but for the oracle, which is told the foreground."""
    found = {"oracle": 1.0, "slot5": 0.7, "spatial": 0.3}
    mini.write_study(tmp_path, found, seeds=range(5), pictures=False)
    for variant, iou in found.items():
        for seed in range(5):
            run = mini.Mini(mini.protocol(), "toy-stripes", variant, seed)
            scores, values = mini.scores(run), iou + run.draw("iou").normal(0, 0.01, 8)
            for direction in scores.selections["last"].directions.values():
                direction.metrics["best_mask_iou"] = Score(value=float(values.mean()), spread=0.01)
            (run.folder(tmp_path) / "scores.json").write_text(scores.model_dump_json())
            table = run.folder(tmp_path) / "images.csv"
            head, *lines = table.read_text().splitlines()
            rows = [f"{line},{values[at % 8]}" for at, line in enumerate(lines)]
            table.write_text("\n".join([f"{head},best_mask_iou", *rows]) + "\n")
    table = measurement_tables(group_of(tmp_path), "truth")[0]
    bold = {name for name in found if cells(table, name)["A → B best mask IoU"].bold}
    assert bold == {"slot5"}


def test_an_ablation_has_one_row_per_value_in_order(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    variants = ("slot9", "slot9[iterations=10]", "slot9[iterations=5]", "spatial")
    mini.write_study(tmp_path, variants, seeds=(0,), pictures=False)
    (table,) = ablation_tables(group_of(tmp_path))
    assert [row.cells[0].text for row in table.rows] == ["3", "5", "10"]


def test_a_row_that_changes_two_parameters_says_so(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    mini.write_study(tmp_path, ("slot9", "slot9[iterations=5,width=8]"), seeds=(0,), pictures=False)
    first, second = ablation_tables(group_of(tmp_path))
    assert (first.columns[0].title, second.columns[0].title) == ("iterations", "width")
    assert [row.cells[1].text for row in first.rows] == ["width=16", "width=8"]


def test_costs_are_means_with_their_range(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    mini.write_study(tmp_path, ("spatial",), seeds=(0, 30), pictures=False)
    found = cells(cost_table(group_of(tmp_path)), "spatial")
    assert found["parameters"].value == 5000
    assert found["training [min]"].value == pytest.approx(115 / 60)
    assert found["training [min]"].spread == "[1.67, 2.17]"


def test_feature_networks_never_share_a_column(tmp_path: Path, mini: ModuleType, group_of: Read) -> None:
    mini.write_study(tmp_path, ("spatial", "slot9"), seeds=(0,), pictures=False)
    run = mini.Mini(mini.protocol(), "toy-stripes", "slot9", 0)
    text = (run.folder(tmp_path) / "scores.json").read_text().replace("(tiny)", "(squeezenet)")
    (run.folder(tmp_path) / "scores.json").write_text(text)
    table = distances_table(group_of(tmp_path))
    titles = [column.title for column in table.columns if column.group == "A → B"]
    assert titles == ["KD(squeezenet)", "KD(tiny)", "FD(squeezenet)", "FD(tiny)"]
    assert cells(table, "spatial")["A → B KD(squeezenet)"].text == "-"


def test_runs_left_out_are_listed_with_their_reason(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_golden(tmp_path)
    table = failures_table(read_study(run_folders([tmp_path])))
    assert table is not None
    assert [row.cells[3].text for row in table.rows] == ["failed", "running", "damaged"]
    assert table.rows[0].cells[5].text == "The loss cycle_A is not finite at step 31."
    assert table.rows[1].cells[4].text == "90 of 200"


def test_published_numbers_have_a_source_each_and_no_place_among_measured_ones() -> None:
    table = published_table(["horse2zebra"])
    assert table is not None
    assert {row.role for row in table.rows} == {"published"}
    assert all(row.cells[-1].text for row in table.rows)
    kid = [row.cells[2].text for row in table.rows if row.title == "AttentionGAN"]
    assert kid == ["2.03", "6.48"]
    assert published_table(["toy-stripes"]) is None


def nasty_table() -> Table:
    rows = (Row(NASTY, (Cell("1.0", 1.0, note=NASTY), Cell(NASTY))), Row("=1+1", (Cell("-"), Cell("=2"))))
    columns = (Column("x", NASTY, group=NASTY, arrow="down"), Column("y", "words", numeric=False))
    return Table("key", NASTY, "variant", columns, rows, NASTY, ((NASTY, NASTY),))


def test_markdown_escapes_names() -> None:
    text = to_markdown(nasty_table())
    body = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.replace("\\|", "").count("|") == 4 for line in body)
    assert "<b>" not in text
    assert "a&lt;b&gt; &amp;" in text


def table_of(*titles: str, **changes: Any) -> Table:
    """A table with these rows, and its words wherever a table has words."""
    rows = tuple(Row(title, (Cell("-1.5", -1.5, note=title), Cell(title))) for title in titles)
    first, words = Column("x", titles[0], group=titles[0]), Column("y", "words", numeric=False)
    return replace(Table("key", titles[0], "variant", (first, words), rows, titles[0]), **changes)


def body(table: Table) -> list[str]:
    """The rows of a table in LaTeX."""
    return to_latex(table).partition("\\midrule\n")[2].partition("\\bottomrule")[0].splitlines()[:-1]


def test_latex_escapes_names() -> None:
    text = to_latex(nasty_table())
    assert r"\textless{}b\textgreater{} \& {\ttfamily\char34}c{\ttfamily\char34}" in text
    assert r"\$x\_1\$ \textbackslash{} 100\% \#" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\toprule") == text.count(r"\bottomrule") == 1


@pytest.mark.parametrize("start", ["[9] ours", "*ours", "(ours)", " [x]", "\t[x", "\u200b[x", "\n*"])
def test_no_row_of_a_latex_table_is_taken_for_an_option(start: str) -> None:
    for line in body(table_of("ours", start, start)):
        assert not line.lstrip().startswith(("[", "*", "("))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("ΔKD, σ² ≥ µ", r"$\Delta$KD, $\sigma$${}^{2}$ $\geq$ $\mu$"),
        ("naïve Čech Łódź ậ x̂", r"""na\"{i}ve \v{C}ech \L{}\'{o}d\'{z} \^{\d{a}} \^{x}"""),
        ("a--b '' “c”", r"a-{}-b '{}' {``}c{''}"),
        ("斑马 🦓", r"\texttt{U+6591}\texttt{U+9A6C} \texttt{U+1F993}"),
        ("one\r\ntwo\x00", "one  two "),
    ],
)
def test_signs_beyond_ascii_are_spelled_for_pdflatex(text: str, written: str) -> None:
    assert body(table_of(text))[0].partition(" & ")[0].lstrip() == written.lstrip()


@given(st.text())
def test_latex_of_any_name_is_one_line_of_ascii_with_its_braces_closed(name: str) -> None:
    (line,) = body(table_of(name))
    bare = re.sub(r"\\[\\{}]", "", line)
    assert line.isascii()
    assert line.isprintable()
    assert bare.count("{") == bare.count("}")


def test_our_own_titles_are_ascii_in_latex(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path / "runs", seeds=range(3), pictures=False)
    write_report(Request((tmp_path / "runs",), tmp_path / "out", ("latex",)))
    files = list((tmp_path / "out" / "tables").glob("*.tex"))
    assert len(files) > 5
    for path in files:
        assert path.read_text(encoding="utf-8").isascii(), path.name
        assert "U+" not in path.read_text(encoding="utf-8"), path.name


def test_the_metric_card_is_a_file_of_comments_and_the_table_is_ready_to_paste(
    tmp_path: Path, mini: ModuleType
) -> None:
    mini.write_study(tmp_path / "runs", ("spatial",), seeds=(0,), pictures=False)
    write_report(Request((tmp_path / "runs",), tmp_path / "out", ("latex",)))
    (card,) = (tmp_path / "out" / "tables").glob("*-card.tex")
    lines = card.read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("% ") for line in lines)
    assert "% feature_network: tiny" in lines
    main = (tmp_path / "out" / "tables" / card.name.replace("-card", "-distances-last")).read_text()
    assert "feature" not in main


def knows_booktabs() -> bool:
    """Whether LaTeX finds the one package that the tables need."""
    return subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True, check=False).returncode == 0


def compiled(text: str, folder: Path) -> str:
    """What pdflatex with booktabs alone has against a text; nothing where it compiles."""
    if shutil.which("pdflatex") is None or not knows_booktabs():
        pytest.skip("there is no pdflatex with booktabs")
    document = r"\documentclass{article}\usepackage{booktabs}\begin{document}" + text + r"\end{document}"
    (folder / "t.tex").write_text(document, encoding="utf-8")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(words, cwd=folder, capture_output=True, check=False)
    said = done.stdout.decode("latin-1").splitlines()
    return "\n".join(line for line in said if line.startswith("!"))


def test_every_table_of_a_report_compiles(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path / "runs", seeds=range(3), pictures=False)
    write_report(Request((tmp_path / "runs",), tmp_path / "out", ("latex",)))
    files = sorted((tmp_path / "out" / "tables").glob("*.tex"))
    assert compiled("\n".join(path.read_text() for path in files), tmp_path) == ""


def test_names_of_every_kind_compile(tmp_path: Path) -> None:
    latin = "".join(map(chr, range(32, 0x250)))
    names = ["[9] ours", "*ours", 'the "best"', NASTY, "斑马", "a--b ''c''", "Привет", "🦓️", "\x00\x1b"]
    others = "".join(map(chr, [*range(0x2C0, 0x400), *range(0x1E00, 0x2300), *range(0x25A0, 0x2700)]))
    signs = [every[at : at + 24] for every in (latin, others) for at in range(0, len(every), 24)]
    tables = [table_of(*(names + signs)[at : at + 20]) for at in range(0, len(names + signs), 20)]
    assert compiled("\\clearpage\n".join(map(to_latex, tables)), tmp_path) == ""


def test_csv_keeps_names_and_disarms_formulas() -> None:
    rows = list(csv.reader(io.StringIO(to_csv(nasty_table()))))
    assert rows[1][0] == NASTY
    assert rows[2][0] == "'=1+1"
    assert rows[2][-1] == "'=2"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "－"])
def test_a_spreadsheet_computes_no_field_of_a_csv_and_numbers_stay_numbers(start: str) -> None:
    name = f'{start}HYPERLINK("x")'
    header, row = csv.reader(io.StringIO(to_csv(table_of(name)), newline=""))
    assert row[0] == row[-1] == row[5] == f"'{name}"
    assert row[2] == "-1.5"
    assert not any(field.startswith(start) for field in header)


@pytest.mark.parametrize("number", ["-1", "+2.5", "-1.5e-07", "-.5", "3", "-"])
def test_a_number_or_a_dash_in_a_column_of_words_is_left_alone(number: str) -> None:
    (_, row) = csv.reader(io.StringIO(to_csv(table_of(number))))
    assert row[-1] == number


def write_own(root: Path, mini: ModuleType, dataset: str, seed: int) -> None:
    """A scored run of a baseline with its own objective."""
    run = mini.Mini(mini.protocol(), dataset, "cut", seed)
    changes = {"own_objective": "cut", "trace_hash": "no pool", "kind": "baseline"}
    mini.write_record(mini.write_run(root, run, pictures=False), mini.record(run, **changes))


def test_every_table_says_which_baseline_has_its_own_objective(
    tmp_path: Path, mini: ModuleType, group_of: Read
) -> None:
    datasets = ("toy-season", "toy-stripes")
    mini.write_study(tmp_path, ("spatial", "uniform"), datasets, seeds=(0,), pictures=False)
    for dataset in datasets:
        write_own(tmp_path, mini, dataset, 0)
        write_own(tmp_path, mini, dataset, 1)
    tables: list[Table] = []
    for group in groups(read_study(run_folders([tmp_path]))):
        tables += [distances_table(group), cost_table(group), *measurement_tables(group, "faithfulness")]
    for table in tables:
        assert [row.title for row in table.rows if "§" in row.title] == ["cut §"]
        assert "§ Own objective: cut, in place of the protocol's." in table.caption


def _validated(root: Path, seed: int, highest: str) -> None:
    """Let a run's validations have held its images against copies, A to B."""
    (path,) = root.glob(f"*/toy-stripes/spatial/seed{seed}/validation.csv")
    bounds = highest.split()
    rows = ["step,images_seen,kd_from_copy_high_A2B"]
    rows += [f"{50 * at},{50 * at},{bound if bound != '-' else ''}" for at, bound in enumerate(bounds, 1)]
    path.write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize(
    ("highest", "text", "spread"),
    [
        (("0.1 -0.1 -0.2", "0.2 0.1 -0.1"), "125", "[100, 150]"),
        (("-0.1 -0.1 -0.2", "-0.1 -0.3 -0.1"), "50", ""),
        (("-0.1 0.1 -0.2", "0.2 0.1 0.1"), "150", "in 1 of 2 seeds"),
        (("-0.1 -0.1 0.2", "-0.1 - 0"), "never", ""),
        (("-0.1 - -0.1", "-0.1 -0.1 -0.1"), "100", "[50, 150]"),
    ],
    ids=["both", "at once", "one", "none", "gap"],
)
def test_the_images_until_better_than_copying_are_those_from_which_on_it_stays_so(
    tmp_path: Path,
    mini: ModuleType,
    group_of: Callable[[Path], Group],
    highest: tuple[str, str],
    text: str,
    spread: str,
) -> None:
    mini.write_study(tmp_path, ("spatial", "uniform", "copy"), seeds=(0, 1), pictures=False)
    for seed, bounds in enumerate(highest):
        _validated(tmp_path, seed, bounds)
    (table,) = [each for _, each in tables_of(group_of(tmp_path)) if each.key.endswith("until-better")]
    rows = {row.title: row.cells for row in table.rows}
    assert set(rows) == {"spatial", "uniform"}  # a copy is not trained
    assert (rows["spatial"][0].text, rows["spatial"][0].spread) == (text, spread)
    assert rows["spatial"][1].note == "Its validation images were not held against copies of them."


def test_without_such_validations_there_is_no_table_of_images_until_better(
    tmp_path: Path, mini: ModuleType, group_of: Callable[[Path], Group]
) -> None:
    mini.write_study(tmp_path, ("spatial",), seeds=(0,), pictures=False)
    assert not [each for _, each in tables_of(group_of(tmp_path)) if each.key.endswith("until-better")]
