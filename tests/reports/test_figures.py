"""Plots are drawn whatever the seeds gave, and whatever matplotlib is told elsewhere."""

import base64
import io
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import psutil
import pytest
from matplotlib.figure import Figure
from PIL import Image

from bench.statistics.comparison import Pair, Side, compare
from reports.comparability import groups
from reports.figures import data
from reports.figures.curves import overlay
from reports.figures.distances import against_cost, by_seed
from reports.figures.files import DOTS_PER_INCH, DRAWN, MOST_KEPT, Later, drawing, drawn_once, for_page
from reports.figures.files import render_figure as draw_figure
from reports.figures.images import distributions
from reports.figures.style import labels, legend_below, panels
from reports.figures.tracks import difference_panel
from reports.frame import read_study, run_folders
from reports.galleries.pictures import Pictures
from reports.galleries.strip import most_varying
from reports.write import Request, write_report


def test_a_variant_that_is_the_same_in_every_seed_is_drawn() -> None:
    value = 0.1 + 0.2
    mean = 0.3  # what rounding makes of the mean of equal values: a little below all of them
    rows = [
        {"variant": "copy", "direction": direction, "cost": 0.0, "mean": mean, "low": value, "high": value}
        for direction in ("A2B", "B2A")
    ]
    references = pd.DataFrame(columns=["direction", "name", "value"])
    figure = against_cost(pd.DataFrame(rows), references, ["copy"], "KD", "GFLOP")
    assert [len(axis.containers) for axis in figure.axes[:2]] == [1, 1]


def test_what_a_notebook_or_a_matplotlibrc_asks_of_matplotlib_changes_nothing(
    tmp_path: Path, mini: ModuleType
) -> None:
    mini.write_study(tmp_path / "runs", ("spatial", "copy"), seeds=(0,), pictures=False)
    write_report(Request((tmp_path / "runs",), tmp_path / "plain", ("md",)))
    (tmp_path / "matplotlibrc").write_text(
        "backend: nonsense\ntext.usetex: True\nfont.size: 40\naxes.grid: False\n"
    )
    told = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "MPLCONFIGDIR": str(tmp_path / "none")}
    words = ["report", "runs", "--out", "told", "--format", "md"]
    command = [sys.executable, "-m", "bench", *words]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **told}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = sorted((tmp_path / "plain" / "figures").iterdir())
    assert figures
    for figure in figures:
        assert figure.read_bytes() == (tmp_path / "told" / "figures" / figure.name).read_bytes(), figure.name


def test_a_program_that_draws_reports_keeps_the_backend_it_asked_for() -> None:
    program = "import os, reports.figures.files; print(os.environ['MPLBACKEND'])"
    told = {**os.environ, "MPLBACKEND": "nonsense"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=told, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("nonsense\n", 0)


def test_a_direction_that_was_not_measured_gets_no_empty_panel() -> None:
    points = pd.DataFrame([{"variant": "theirs", "seed": 0, "direction": "B2A", "value": 1.0}])
    references = pd.DataFrame(columns=["direction", "floor", "ceiling"])
    figure = by_seed(points, references, ["theirs"], "KD(tiny)")
    assert [(axis.get_title(loc="left"), axis.get_ylabel()) for axis in figure.axes] == [
        ("B → A", "KD(tiny)")
    ]


def test_the_legend_names_series_that_the_first_panel_lacks() -> None:
    rows = [("cyclegan", "cycle_A"), ("cut", "patchnce_A2B"), ("cyclegan", "patchnce_A2B")]
    columns = {
        "images_seen": [1.0] * 3,
        "mean": [1.0] * 3,
        "low": [1.0] * 3,
        "high": [1.0] * 3,
        "seeds": [1] * 3,
    }
    curves = pd.DataFrame(columns).assign(variant=[row[0] for row in rows], loss=[row[1] for row in rows])
    figure = overlay(curves, ["cycle_A", "patchnce_A2B"], ["cyclegan", "cut"])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["cyclegan", "cut"]


def test_validations_held_against_a_copy_are_drawn_as_shares_of_its_distance(
    tmp_path: Path, mini: ModuleType
) -> None:
    mini.write_study(tmp_path, ("spatial", "slot9"), seeds=(0, 1), pictures=False)
    folders = run_folders([tmp_path])
    (group,) = groups(read_study(folders))
    curves = data.validation_curves(group, group.variants)
    assert data.validation_shares(group, curves).empty, "no copy is known"
    for folder in folders:
        table = pd.read_csv(folder / "validation.csv")
        for direction in ("A2B", "B2A"):
            table[f"copy_kd_{direction}"] = 2 * table[f"kd_{direction}"]
        table.to_csv(folder / "validation.csv", index=False)
    shares = data.validation_shares(group, curves)
    assert set(shares["mean"]) == set(shares["high"]) == {0.5}
    assert set(shares["loss"]) == {"KD(tiny) A2B", "KD(tiny) B2A"}
    (axis, _) = overlay(
        shares, list(shares["loss"].unique()), group.variants, (1.0, "share of a copy's")
    ).axes
    assert axis.get_ylabel() == "share of a copy's"
    assert [1.0, 1.0] in [list(line.get_ydata()) for line in axis.lines]


def test_the_first_screen_shows_a_mask_that_can_be_seen_to_vary() -> None:
    """The input's mask varies most in its own unit, and lies above twice an equal share everywhere."""
    of_input, content = np.full((4, 4), 0.97), np.zeros((4, 4))
    of_input[1:3, 1:3], content[1:3, 1:3] = 0.6, 0.2
    rest = [np.full((4, 4), 0.01)] * 8
    shown = most_varying([of_input, content, *rest])
    assert shown is not None
    assert shown.min() == 0
    assert shown[1, 1] == 255
    assert most_varying([]) is None


def test_long_names_that_differ_in_the_middle_alone_are_told_apart_in_legends() -> None:
    names = [f"slot9[init=kaiming,iterations={count},mask_norm=softmax,noise=0.1]" for count in (1, 3, 15)]
    short = list(labels([*names, "spatial"]).values())
    assert len(set(short)) == 4
    assert max(map(len, short)) <= 28
    assert ["=1," in short[0], "=3," in short[1], "=15," in short[2]] == [True] * 3


def test_axes_carry_the_headings_of_the_tables(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(
        tmp_path / "runs",
        ("spatial", "copy"),
        seeds=(0,),
        pictures=False,
        rules=mini.protocol(features="inception"),
    )
    write_report(Request((tmp_path / "runs",), tmp_path / "out", ("md",)))
    text = (tmp_path / "out" / "report.md").read_text()
    drawn = {path.name: path.read_text() for path in (tmp_path / "out" / "figures").glob("*.svg")}
    for figure in ("toy-stripes-seeds.svg", "toy-stripes-cost.svg"):  # in the unit of the page
        assert all(part in drawn[figure] for part in ("KID,", "share of a copy's"))
    for figure, headings in {
        "toy-stripes-seeds.svg": ["KID"],
        "toy-stripes-cost.svg": ["KID", "GFLOP"],
        "toy-stripes-images-A2B.svg": ["edges kept", "noise [levels]", "change [levels]"],
        "toy-stripes-validation.svg": ["KID ×100"],
    }.items():
        for heading in headings:
            assert heading in drawn[figure]
            assert heading.replace("[", "\\[").replace("]", "\\]") in text or heading in text


def test_differences_are_drawn_as_they_were_declared_whichever_way_they_were_counted() -> None:
    seeds = tuple(range(5))
    low, high = Side("uniform", (1.0, 1.1, 1.0, 0.9, 1.0)), Side("slot9", (3.0, 3.1, 2.9, 3.0, 3.2))
    pair = Pair("KD", "A → B", "toy-stripes", low, high, seeds, 8, "lower")
    outcomes = compare([pair])
    heads, copies = {"A → B": "horse → zebra"}, {"A → B": 2.0}
    declared = [("spatial", "slot9"), ("slot9", "uniform")]
    counted = difference_panel("key", "toy-stripes", outcomes, copies, heads)
    turned = difference_panel("key", "toy-stripes", outcomes, copies, heads, declared)
    assert counted is not None
    assert turned is not None
    assert [panel.rows[0].name.base for panel in (counted, turned)] == [
        "uniform minus slot9",
        "slot9 minus uniform",
    ]
    assert len(turned.rows) == 1  # the pair that nobody compared has no row
    first, other = counted.rows[0].tracks[0], turned.rows[0].tracks[0]
    assert first is not None
    assert other is not None
    assert (first.text, other.text) == ("−1.02", "+1.02")
    assert float(first.at) + float(other.at) == 100
    assert (first.colour, other.colour) == ("below", "above")
    assert not other.hollow
    assert other.reach is not None
    assert 50 < float(other.reach[0]) < float(other.at) < float(other.reach[1])


def test_a_figure_is_drawn_again_where_its_data_have_changed_and_at_no_other_time() -> None:
    asked: list[int] = []

    def steps(values: pd.DataFrame) -> Figure:
        asked.append(len(values))
        return panels(1, 1)[0]

    def table(count: int) -> pd.DataFrame:
        return pd.DataFrame({"value": range(count)})

    for count in (3, 3, 4, 3):
        assert drawn_once("steps", Later(steps, table(count)))[0].startswith(b"\x89PNG")
    assert asked == [3, 4]
    drawn_once("another name", Later(steps, table(3)))
    assert asked == [3, 4, 3]
    drawn_once("steps", lambda: steps(table(3)))  # nobody knows what a function looks at
    drawn_once("steps", lambda: steps(table(3)))
    assert asked == [3, 4, 3, 3, 3]
    DRAWN.update(dict.fromkeys(range(MOST_KEPT), (b"", b"")))
    drawn_once("steps", Later(steps, table(5)))
    assert len(DRAWN) == MOST_KEPT
    drawn_once("steps", Later(steps, table(5)))
    assert asked[5:] == [5]
    DRAWN.clear()


def names_the_process(values: pd.DataFrame) -> Figure:
    figure, (axis,) = panels(1, 1)
    axis.set_title(f"drawn by {os.getpid()}")
    axis.plot(values["value"])
    return figure


def killed_but_here(here: int) -> Figure:
    if os.getpid() != here:
        os.kill(os.getpid(), signal.SIGKILL)
    return panels(1, 1)[0]


ALONE = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")


IN_THREADS = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # those of pytest-xdist


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cores and no thread beside this one, whatever runs the tests."""
    monkeypatch.setattr("reports.figures.files.usable_cores", lambda: 2)
    monkeypatch.setattr("reports.figures.files.threading.active_count", lambda: 1)
    DRAWN.clear()


@ALONE
@IN_THREADS
@pytest.mark.usefixtures("two_cores")
def test_figures_are_drawn_in_processes_of_their_own_and_those_of_plugins_here() -> None:
    table, here = pd.DataFrame({"value": [1, 2]}), f"drawn by {os.getpid()}<"
    with drawing() as begin:
        ours = begin("ours", Later(names_the_process, table))
        other = begin("of a plugin", lambda: names_the_process(table))
        assert here not in ours()[1].decode()
        assert here in other()[1].decode()
    assert ours() == drawn_once("ours", Later(names_the_process, table)), "kept for the next page"


@ALONE
@IN_THREADS
@pytest.mark.usefixtures("two_cores")
def test_a_figure_whose_process_was_killed_is_drawn_here() -> None:
    make = Later(killed_but_here, os.getpid())
    with drawing() as begin:
        finished = begin("killed", make)
        assert finished() == draw_figure("killed", make)
        later = Later(names_the_process, pd.DataFrame({"value": [1]}))
        assert f"drawn by {os.getpid()}<" in begin("after it", later)()[1].decode()


LEFT_BEHIND = """
import multiprocessing, os, signal, sys, time
from reports.figures import files

def slow():
    time.sleep(600)

files.usable_cores = lambda: 2
with files.drawing() as begin:
    for name in "ab":
        begin(name, files.Later(slow))
    while len(multiprocessing.active_children()) < 2:
        time.sleep(0.01)
    print(*(each.pid for each in multiprocessing.active_children()), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@ALONE
def test_a_killed_report_leaves_no_process_that_draws() -> None:
    found = subprocess.run([sys.executable, "-c", LEFT_BEHIND], stdout=subprocess.PIPE, text=True)
    assert found.returncode == -signal.SIGKILL
    drawers = [psutil.Process(int(pid)) for pid in found.stdout.split() if psutil.pid_exists(int(pid))]
    _, alive = psutil.wait_procs(drawers, timeout=60)
    assert alive == []


@ALONE
@IN_THREADS
@pytest.mark.usefixtures("two_cores")
def test_what_stops_a_report_ends_the_processes_that_draw_for_it() -> None:
    def stopped() -> None:
        with drawing() as begin:
            begin("ours", Later(names_the_process, pd.DataFrame({"value": [1]})))
            raise KeyboardInterrupt

    before = set(multiprocessing.active_children())
    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert set(multiprocessing.active_children()) <= before


def test_every_column_of_panels_says_at_its_foot_how_many_images_were_seen() -> None:
    rows = [("slot9", loss, seen, 1.0, 1.0, 1.0, 1) for loss in ("a", "b", "c") for seen in (0, 100)]
    names = ["variant", "loss", "images_seen", "mean", "low", "high", "seeds"]
    figure = overlay(pd.DataFrame(rows, columns=names), ["a", "b", "c"], ["slot9"])
    draw_figure("three", lambda: figure)
    labelled = [
        any(tick.label1.get_visible() for tick in axis.xaxis.get_major_ticks()) for axis in figure.axes
    ]
    assert labelled == [False, True, True, True]
    assert [axis.get_xlabel() != "" for axis in figure.axes] == [False, True, True, False]


@pytest.mark.parametrize("length", [3, 12, 28])
@pytest.mark.parametrize("panes", [1, 2])
def test_a_legend_is_no_wider_than_its_figure_whatever_the_names(length: int, panes: int) -> None:
    names = [f"{at}[contents=4,init=default,noise=none]"[:length] for at in range(8)]

    def lines() -> Figure:
        figure, axes = panels(1, panes)
        for axis in axes:
            for name in names:
                axis.plot([0, 1], label=name)
        legend_below(figure, axes)
        made.append(figure)
        return figure

    made: list[Figure] = []
    draw_figure("legend", lines)
    (figure,) = made
    (legend,) = figure.legends
    assert legend.get_window_extent().width <= figure.bbox.width


def test_points_of_single_images_are_pixels_however_many_there_are() -> None:
    """As vectors they were most of a page: a test image of every variant in nine panels."""

    def drawn(count: int) -> tuple[bytes, bytes]:
        render_figure = np.random.default_rng(0)
        values = pd.DataFrame(
            {"variant": ["spatial"] * count, "metric": "noise", "value": render_figure.uniform(0, 1, count)}
        )
        return draw_figure("points", lambda: distributions(values, ["noise"], ["spatial"]))

    (png, few), (_, many) = drawn(20), drawn(2000)
    assert many.count(b"<image") == 1
    assert len(many) < 1.2 * len(few)
    assert Image.open(io.BytesIO(png)).width == round(2.7 * DOTS_PER_INCH), "inches of a panel"


def test_places_in_a_page_are_told_to_a_hundredth_of_a_point_and_nothing_else_is_shortened() -> None:
    svg = b'<svg><path d="M 1.23456 20 L 3.4 5.6789"/><use x="7.8912" y="0.5"/><text>0.01234</text></svg>'
    page = for_page(svg, "name", "label")
    assert 'd="M 1.23 20 L 3.4 5.67"' in page
    assert 'x="7.89" y="0.5"' in page
    assert "0.01234" in page


def test_a_figure_in_a_page_keeps_the_ids_alone_that_something_refers_to() -> None:
    svg = (
        b'<svg>\n <!-- a line -->\n <defs>\n  <path id="m1" d="M 0 0"/>\n'
        b'<clipPath id="p1"></clipPath></defs>\n'
        b' <g id="axes_1">\n<use xlink:href="#m1" clip-path="url(#p1)"/> <text>two  words</text></g></svg>'
    )
    assert for_page(svg, "name", "label").partition(">")[2] == (
        '<defs><path id="name-m1" d="M 0 0"/><clipPath id="name-p1"></clipPath></defs>'
        '<g><use xlink:href="#name-m1" clip-path="url(#name-p1)"/><text>two  words</text></g></svg>'
    )


def test_small_pictures_keep_every_pixel_and_those_that_tell_a_course_are_smaller() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    pictures = Pictures()
    exact, course = pictures.add(pixels), pictures.add(pixels, exact=False)

    def read(name: str) -> tuple[int, np.ndarray]:
        content = base64.b64decode(pictures.uris[name].partition(",")[2])
        return len(content), np.asarray(Image.open(io.BytesIO(content)))

    assert np.array_equal(read(exact)[1], pixels)
    assert read(course)[1].shape == pixels.shape
    assert read(course)[0] < read(exact)[0] / 2


def test_a_name_that_begins_with_an_underscore_stands_in_the_legend() -> None:
    figure, (axis,) = panels(1, 1)
    axis.plot([0, 1], [0, 1], label=labels(["_mine"])["_mine"])
    legend_below(figure, [axis])
    (legend,) = figure.legends
    assert [text.get_text().strip("\u200b") for text in legend.get_texts()] == ["_mine"]
