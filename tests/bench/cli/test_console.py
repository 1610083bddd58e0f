"""What people read on a terminal: no number is cut whatever the width, and nothing is taken for markup."""

import io
import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.progress import Progress

from bench.cli.console import Column, Strong, length, print_table, say, table_lines, wrap
from bench.progress import bar_columns, fitted

WIDTHS = st.one_of(st.integers(1, 240), st.sampled_from([40, 80, 120]))
WORDS = st.text(st.characters(categories=("L", "N", "P", "S", "Mn")), min_size=1, max_size=30)
NAMES = st.one_of(st.sampled_from(["slot9[iterations=5]", "[bold]", "fd(tiny) ↓ A2B", "斑马", "-"]), WORDS)
NUMBERS = st.one_of(
    st.floats(allow_nan=False).map(lambda value: f"{value:.4g}"),
    st.integers().map(lambda value: f"{value:,}"),
    st.tuples(st.floats(-9, 9), st.floats(-9, 9)).map(lambda both: f"{both[0]:.3g} to {both[1]:.3g}"),
)
CELLS = {"name": NAMES, "number": NUMBERS, "prose": st.lists(NAMES, max_size=12).map(" ".join)}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Column], list[list[str]]]:
    kinds = ["name", *draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=8))]
    columns = [Column(draw(NAMES), kind) for kind in kinds]  # type: ignore[arg-type]
    rows = draw(st.lists(st.tuples(*(CELLS[kind] for kind in kinds)), min_size=1, max_size=4))
    return columns, [list(row) for row in rows]


@given(tables(), WIDTHS)
def test_no_number_and_no_name_is_ever_cut(table: tuple[list[Column], list[list[str]]], width: int) -> None:
    columns, rows = table
    lines = list(table_lines(columns, rows, width))
    words = {word for line in lines for word in line.split()}
    text = "\n".join(lines)
    for row in rows:
        for column, cell in zip(columns, row, strict=True):
            assert set(cell.split()) <= words, "a word was broken"
            assert column.kind == "prose" or cell in text or length(cell) + 4 > width, "a cell was broken"


@given(tables(), WIDTHS)
def test_no_line_is_longer_than_the_terminal_unless_one_word_is(
    table: tuple[list[Column], list[list[str]]], width: int
) -> None:
    columns, rows = table
    longest = max(length(word) for row in rows for cell in row for word in [*cell.split(), ""])
    headings = max(length(column.heading) for column in columns)
    lines = list(table_lines(columns, rows, width))
    assert max(map(length, lines)) <= max(width, longest + 4, headings + 2)


@given(tables(), WIDTHS)
def test_every_value_stands_with_its_heading(table: tuple[list[Column], list[list[str]]], width: int) -> None:
    columns, rows = table
    lines = list(table_lines(columns, rows, width))
    filled = {place for row in rows for place, cell in enumerate(row) if cell and place}
    assert all(any(columns[place].heading in line for line in lines) for place in filled)


def test_a_table_that_fits_has_a_row_a_line_and_numbers_to_the_right() -> None:
    columns = [Column("variant", "name"), Column("FID"), Column("remark", "prose")]
    assert list(table_lines(columns, [["slot9", "1.5", "good"], ["spatial", "12.25", ""]], 40)) == [
        "variant    FID  remark",
        "-------  -----  ------",
        "slot9      1.5  good  ",
        "spatial  12.25        ",
    ]


def test_prose_gives_way_before_the_table_is_given_up() -> None:
    columns = [Column("variant", "name"), Column("FID"), Column("remark", "prose")]
    rows = [["slot9", "1.5", "one two three four five six seven"]]
    assert list(table_lines(columns, rows, 34))[2:] == [
        "slot9    1.5  one two three four  ",
        "              five six seven      ",
    ]
    assert list(table_lines(columns, rows, 20)) == [
        "slot9",
        "  FID     1.5",
        "  remark",
        "    one two three",
        "    four five six",
        "    seven",
    ]


def test_a_name_with_a_line_end_or_half_a_sign_stays_on_its_line() -> None:
    (_, _, line) = table_lines([Column("run", "name")], [["two\nlines \udcff"]], 80)
    assert line == "two\\nlines \\udcff"


def test_a_pipe_gets_every_row_on_a_line_and_a_terminal_its_own_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    columns, rows = [Column("run", "name"), *[Column("value")] * 30], [["slot9", *["1.2345"] * 30]]
    monkeypatch.delenv("COLUMNS", raising=False)
    print_table(columns, rows, "a title")
    assert len(capsys.readouterr().out.splitlines()) == 4
    monkeypatch.setenv("COLUMNS", "40")
    print_table(columns, rows, "a title")
    assert len(capsys.readouterr().out.splitlines()) == 32


def test_bold_is_for_terminals_alone(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([Column("variant", "name"), Column("FID")], [["slot9", Strong("1.5")]], "title")
    assert "\033" not in capsys.readouterr().out


@given(st.lists(WORDS, min_size=1), WIDTHS)
def test_wrapped_text_keeps_its_words_in_their_order(words: list[str], width: int) -> None:
    lines = wrap(" ".join(words), width)
    assert " ".join(lines).split() == " ".join(words).split()


def test_a_list_is_indented_where_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "12")
    say("- one two three")
    assert capsys.readouterr().out == "- one two\n  three\n"


@given(NAMES, st.lists(NUMBERS, min_size=1, max_size=5), WIDTHS)
def test_a_line_of_progress_leaves_out_what_has_no_room(name: str, parts: list[str], width: int) -> None:
    line = fitted(name, parts, width)
    assert parts[0] in line
    assert len(line) <= max(width, len(parts[0]))
    kept = (some for count in range(len(parts)) for some in combinations(parts[1:], count))
    tails = {"  ".join([parts[0], *some]) for some in kept}
    assert line in tails or any(line.endswith(f"  {tail}") for tail in tails)


@pytest.mark.parametrize("width", [200, 100, 80, 40, 20])
def test_a_bar_shows_names_as_they_are_and_cuts_no_number(width: int) -> None:
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None)
    bar = Progress(*bar_columns(console), console=console)
    bar.add_task("train slot9[a=5]", total=20000, completed=1234, rate="0.31/s", figures="loss 12.23")
    console.print(bar.get_renderable())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1234/20000" in text
    assert width < 60 or "train slot9[a=5]" in text
    for number in re.findall(r"[\d.]+/s|loss.*", text):
        assert number.strip() in ("0.31/s", "loss 12.23")
