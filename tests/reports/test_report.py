"""The whole report: a committed study byte for byte, and every odd state that a runs folder can be in."""

import json
import re
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image
from typer.testing import CliRunner

from bench.errors import BenchError, UsageError
from reports.figures.files import DRAWN
from reports.following import follow
from reports.galleries.model import ShownPictures
from reports.results import Results
from reports.write import Request, parse_formats, write_report

HERE = Path(__file__).parent
NASTY = "slot9[note='<b>&\"" + "x" * 90 + "']"


def report(root: Path, out: Path, *formats: str) -> str:
    """Write a report and return its page's HTML."""
    return write_report(Request((root,), out, formats or ("html",))).read_text(encoding="utf-8")


def test_the_committed_study_reproduces_its_report_and_its_page(tmp_path: Path, mini: ModuleType) -> None:
    """Made anew by: python tests/reports/miniature.py."""
    mini.write_golden_reports(tmp_path)
    for name in mini.GOLDEN:
        assert (tmp_path / name).read_bytes() == (HERE / "golden" / name).read_bytes(), name


def test_the_page_says_first_what_was_compared_and_what_came_out(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(
        tmp_path / "runs", ("spatial", "slot9", "copy"), seeds=range(5), pictures=False, tables=False
    )
    html = report(tmp_path / "runs", tmp_path / "out")
    assert "<b>2 trained variants</b> on <b>toy-stripes</b>, both ways, 5 seeds each" in html
    headline = re.search('<h1 id="h1">(.*?)</h1>', html)
    assert headline
    assert headline[1].startswith("Both variants beat copying, both ways. <code>spatial</code> is best")
    assert "copy of the input" in html


def test_results_json_follows_its_schema(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path / "runs", ("spatial", "copy"), seeds=(0, 1), pictures=False, tables=False)
    report(tmp_path / "runs", tmp_path / "out", "csv")
    told = Results.model_validate_json((tmp_path / "out" / "results.json").read_text())
    assert told.schema_version == 2
    run = mini.Mini(mini.protocol(), "toy-stripes", "spatial", 1)
    found = [one for one in told.groups[0].scores if (one.variant, one.metric) == ("spatial", "kd(tiny)")]
    assert found[0].values["1"] == mini.kernel_value(run, "A2B")


def test_results_json_tells_how_far_each_loss_fell(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path / "runs", ("spatial", "copy"), seeds=(0,), pictures=False)
    (losses,) = (tmp_path / "runs").glob("*/*/spatial/seed0/losses.csv")
    rows = ["step,images_seen,cycle_A,learning_rate,seconds"]
    rows += [f"{step},{step},{30 - step},0.0002,{step}" for step in range(1, 21)]
    losses.write_text("\n".join(rows) + "\n")
    report(tmp_path / "runs", tmp_path / "out", "csv")
    told = Results.model_validate_json((tmp_path / "out" / "results.json").read_text())
    (found,) = told.groups[0].losses  # copy is not trained and has none
    assert found.run.endswith("toy-stripes/spatial/seed0")
    assert (found.loss, found.first_tenth, found.last_tenth) == ("cycle_A", 28.5, 10.5)


def test_the_same_runs_give_the_same_bytes(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path / "runs", ("spatial",), seeds=(0,))
    for out in ("a", "b"):
        DRAWN.clear()
        report(tmp_path / "runs", tmp_path / out, "md", "html", "latex", "csv")
    first, second = (
        {path.relative_to(tmp_path / out): path.read_bytes() for path in (tmp_path / out).rglob("*.*")}
        for out in ("a", "b")
    )
    assert len(first) > 30
    assert first == second


@pytest.mark.parametrize(
    ("shown", "rendered", "photographs"),
    [
        (ShownPictures.ALL, True, True),
        (ShownPictures.RENDERED, True, False),
        (ShownPictures.NONE, False, False),
    ],
)
def test_a_page_shows_pictures_of_the_data_sets_asked_for(
    tmp_path: Path, mini: ModuleType, shown: ShownPictures, rendered: bool, photographs: bool
) -> None:
    mini.write_study(
        tmp_path / "runs", ("spatial",), datasets=("toy-stripes", "horse2zebra"), seeds=(0,), tables=False
    )
    for path in (tmp_path / "runs").glob("*/*/*/seed0/scores.json"):
        told = json.loads(path.read_text())
        for direction in told["selections"]["last"]["directions"].values():
            truth = {"value": 3.0} if "toy-stripes" in path.parts else {"value": None, "reason": "no truth"}
            direction["metrics"]["counterfactual_l1"] = direction["metrics"]["edge_correlation"] | truth
        path.write_text(json.dumps(told))
    request = Request((tmp_path / "runs",), tmp_path / "out", ("html",), pictures=shown)
    page = write_report(request).read_text(encoding="utf-8")
    galleries = re.findall('id="gallery-([^"]+)-outputs-A2B"', page)
    assert [any(dataset in key for key in galleries) for dataset in ("toy-stripes", "horse2zebra")] == [
        rendered,
        photographs,
    ]
    assert ("data:image/webp" in page) == rendered


def test_segments_stand_beside_the_true_foreground_where_masks_differ_and_it_is_known(
    tmp_path: Path, mini: ModuleType
) -> None:
    mini.write_study(tmp_path / "runs", ("spatial", "spatial[contents=2]", "slot9"), seeds=(0,), tables=False)
    for place in (tmp_path / "runs").glob("*/*/spatial/seed0/samples/final/*/*"):
        Image.new("L", Image.open(place / "source.png").size, 255).save(place / "foreground.png")
    request = Request((tmp_path / "runs",), tmp_path / "out", ("html",), pictures=ShownPictures.ALL)
    page = write_report(request).read_text(encoding="utf-8")
    gallery = page.split('-masks-A2B-1"', 1)[1].split("</section>", 1)[0]
    rows = re.split(r'<div class="row">', gallery)[1:]
    labels = [re.findall('<span class="label">([^<]+)', row) for row in rows]
    overlays = [[label for label in each if label in ("segments", "true foreground")] for each in labels]
    assert sorted(overlays) == [[], ["segments"], ["segments", "true foreground"]]


@pytest.fixture(scope="module")
def odd_page(tmp_path_factory: pytest.TempPathFactory, mini: ModuleType) -> str:
    """The page of a study with a nasty name, broken pictures, a failed and a half written run."""
    root = tmp_path_factory.mktemp("odd")
    mini.write_study(root / "runs", ("spatial",), seeds=(0, 1))
    run = mini.Mini(mini.protocol(), "toy-stripes", "slot9", 1)
    nasty = mini.record(run).model_copy(
        update={"cell": mini.record(run).cell.model_copy(update={"variant": NASTY}), "warnings": ["<i>&"]}
    )
    mini.write_run(root / "runs", run, pictures=True)
    mini.write_record(run.folder(root / "runs"), nasty)
    final = run.folder(root / "runs") / "samples" / "final" / "A2B" / "000"
    (final / "output.png").write_bytes(b"\x89PNG not really")
    (final / "mask-0.png").unlink()
    index = run.folder(root / "runs") / "samples" / "index.json"
    index.write_text(index.read_text().replace("samples/final/B2A/000", "../../../../../../etc"))
    failed = mini.Mini(mini.protocol(), "toy-stripes", "slot5", 0)
    mini.write_record(
        failed.folder(root / "runs"), mini.record(failed, status="failed", reason="a <script> broke")
    )
    mini.Mini(mini.protocol(), "toy-stripes", "slot5", 1).folder(root / "runs").mkdir(parents=True)
    return report(root / "runs", root / "out")


def test_names_are_text_never_markup(odd_page: str) -> None:
    assert "<b>&" not in odd_page
    assert "<script> broke" not in odd_page
    assert "a &lt;script&gt; broke" in odd_page
    assert "&lt;b&gt;&amp;&#34;" + "x" * 90 in odd_page


def test_broken_pictures_are_shown_as_missing(odd_page: str) -> None:
    assert "The picture cannot be read." in odd_page


def test_the_page_asks_for_nothing_from_anywhere(odd_page: str) -> None:
    assert not re.search(r'(?:src|href)="(?!data:|#)', odd_page)
    assert "@import" not in odd_page
    assert "url(http" not in odd_page


def test_failed_and_half_written_runs_are_listed(odd_page: str) -> None:
    assert "2 runs not in the comparison, or not yet" in odd_page
    assert "It holds no run.json (yet)." in odd_page


def test_one_run_makes_a_report(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path / "runs", ("spatial",), seeds=(0,), pictures=False, tables=False)
    html = report(tmp_path / "runs", tmp_path / "out")
    assert "Which variant is better: there is only one." in html
    assert "<b>Only one was trained.</b>" in html


def test_a_copy_alone_is_no_missing_distance_and_draws_no_empty_axis(
    tmp_path: Path, mini: ModuleType
) -> None:
    mini.write_study(tmp_path / "runs", ("copy",), seeds=(0,), pictures=False)
    html = report(tmp_path / "runs", tmp_path / "out")
    assert "Nothing was trained here, so nothing can beat copying the input." in html
    assert 'id="distance"' not in html
    assert "Nothing was measured image by image" not in html, "the copy was"


def test_a_floor_that_nobody_measured_is_no_row_of_blanks(tmp_path: Path, mini: ModuleType) -> None:
    path = mini.write_external(tmp_path / "runs", "other") / "scores.json"
    scores = json.loads(path.read_text())
    for direction in scores["selections"]["last"]["directions"].values():
        for score in direction["metrics"].values():
            score["floor"] = None
    path.write_text(json.dumps(scores))
    html = report(tmp_path / "runs", tmp_path / "out")
    assert "copy of the input" in html
    assert "floor: real against real" not in html


def test_values_of_an_edited_metric_are_called_so_where_both_stand(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path / "runs", ("spatial", "copy"), seeds=(0,), pictures=False, tables=False)
    assert "was edited between these runs" not in report(tmp_path / "runs", tmp_path / "out")
    for source, path in zip(("aaaa", "bbbb"), sorted(tmp_path.glob("runs/**/scores.json")), strict=True):
        scores = json.loads(path.read_text())
        scores["card"]["metric_source(shadow_loss)"] = source
        path.write_text(json.dumps(scores))
    assert "shadow_loss was edited between these runs" in report(tmp_path / "runs", tmp_path / "out")


@pytest.mark.parametrize("name", ["index.html", "report.md", "results.json"])
def test_what_is_no_report_is_not_written_over(tmp_path: Path, mini: ModuleType, name: str) -> None:
    mini.write_study(tmp_path / "runs", ("copy",), seeds=(0,), pictures=False, tables=False)
    out = tmp_path / "site"
    out.mkdir()
    (out / name).write_text("mine")
    with pytest.raises(UsageError, match=f"holds {name}, and not of a report"):
        report(tmp_path / "runs", out)
    assert [each.name for each in out.iterdir()] == [name]
    assert (out / name).read_text() == "mine"
    (out / name).rename(out / "kept")
    assert report(tmp_path / "runs", out) == report(tmp_path / "runs", out), "a report is written over"


def test_a_hundred_variants_make_a_report(tmp_path: Path, mini: ModuleType) -> None:
    variants = [f"slot9[iterations={count}]" for count in range(1, 101)]
    mini.write_study(tmp_path / "runs", variants, seeds=(0,), pictures=False, tables=False)
    write_report(Request((tmp_path / "runs",), tmp_path / "out", ("md",)))
    text = (tmp_path / "out" / "report.md").read_text()
    assert text.startswith(
        "# All 100 variants come nearer than a copy everywhere. 1 seed: no winner is named.\n\n- "
    )
    assert "92 variants beyond the first 8 not drawn." in text


def test_tables_of_a_finished_run_that_cannot_be_read_are_named(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path / "runs", ("slot9",), seeds=(0, 1), pictures=False)
    folder = next((tmp_path / "runs").rglob("seed1"))
    paths = [folder / name for name in ("images.csv", "losses.csv", "validation.csv")]
    whole = [path.read_text() for path in paths]
    for path in paths:
        path.write_bytes(b"\x00\xff damaged")
    told = "Of finished runs 3 tables cannot be read, and what belongs there is missing here: "
    assert told + ", ".join(map(str, paths)) in report(tmp_path / "runs", tmp_path / "out")
    for path, text in zip(paths, whole, strict=True):
        path.write_text(text)
    assert "cannot be read" not in report(tmp_path / "runs", tmp_path / "out")


@pytest.mark.parametrize("name", ["losses.csv", "validation.csv"])
def test_a_word_where_a_number_belongs_costs_that_table_and_no_report(
    tmp_path: Path, mini: ModuleType, name: str
) -> None:
    mini.write_study(tmp_path / "runs", ("slot9",), seeds=(0, 1), pictures=False)
    path = next((tmp_path / "runs").rglob("seed1")) / name
    header, first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([header, first.rpartition(",")[0] + ",oops", *rest]) + "\n")
    assert (
        f"Of finished runs 1 table cannot be read, and what belongs there is missing here: {path}"
        in report(tmp_path / "runs", tmp_path / "out")
    )


def test_a_run_that_is_being_written_makes_a_report(tmp_path: Path, mini: ModuleType) -> None:
    run = mini.Mini(mini.protocol(), "toy-stripes", "slot9", 0)
    mini.write_record(run.folder(tmp_path / "runs"), mini.record(run, status="running", trace_hash=None))
    (run.folder(tmp_path / "runs") / "losses.csv").write_text(mini.losses_csv(run))
    html = report(tmp_path / "runs", tmp_path / "out")
    assert "Cycle losses" in html
    assert "it again to go on" in html


def test_only_damaged_runs_still_say_what_is_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "smoke" / "toy-stripes" / "slot9" / "seed0"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{")
    assert "is damaged" in report(tmp_path / "runs", tmp_path / "out")


def test_nothing_to_report_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"nothing to report.*bench run --variant slot9") as error:
        report(tmp_path, tmp_path / "out")
    assert error.value.exit_code == 1
    with pytest.raises(BenchError, match="nothing to report"):
        report(tmp_path / "runs", tmp_path / "out")


def test_a_selection_without_runs_says_so(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path / "runs", ("copy",), seeds=(0,), pictures=False, tables=False)
    with pytest.raises(BenchError, match="no run with protocol paper-128"):
        write_report(Request((tmp_path / "runs",), tmp_path / "out", protocols=("paper-128",)))


def test_an_unknown_format_is_refused() -> None:
    assert parse_formats("md, html") == ("md", "html")
    with pytest.raises(UsageError, match="Unknown format 'pdf'"):
        parse_formats("md,pdf")
    with pytest.raises(UsageError, match="names no format"):
        parse_formats(" , ")


def test_watching_writes_again_after_a_change_and_the_page_reloads(tmp_path: Path, mini: ModuleType) -> None:
    mini.write_study(tmp_path / "runs", ("copy",), seeds=(0,), pictures=False, tables=False)
    seen: list[tuple[str, bool]] = []

    def tell(path: Path, first: bool) -> None:
        seen.append((path.read_text(), first))
        if first:
            mini.write_study(tmp_path / "runs", ("copy",), seeds=(1,), pictures=False, tables=False)

    request = Request((tmp_path / "runs",), tmp_path / "out", ("html",))
    follow(lambda: request, 0.0, tell, rounds=3)
    assert [first for _, first in seen] == [True, False]
    assert all('http-equiv="refresh" content="2"' in html for html, _ in seen)
    assert 'http-equiv="refresh"' not in (tmp_path / "out" / "index.html").read_text()


def test_the_command_prints_where_the_page_lies(tmp_path: Path, mini: ModuleType) -> None:
    from bench.cli import app

    mini.write_study(tmp_path / "runs", ("copy",), seeds=(0,), pictures=False, tables=False)
    out = tmp_path / "out"
    outcome = CliRunner().invoke(
        app, ["report", str(tmp_path / "runs"), "--out", str(out), "--format", "md,html"]
    )
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stdout.strip() == str(out / "index.html")
    assert json.loads((out / "results.json").read_text())["schema_version"] == 2
    assert not list(out.glob("tables/*.tex"))
