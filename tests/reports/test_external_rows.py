"""Images of other programs in a report: a row with every number, and no say in anybody else's."""

import csv
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.scoring.external import external_card, write_external
from bench.scoring.folders import Folders, score_folders
from bench.scoring.networks import load_network
from reports.comparability import Group, groups
from reports.findings import summarise_group
from reports.frame import read_study, run_folders
from reports.galleries.extremes import extreme_galleries
from reports.galleries.outputs import output_galleries
from reports.galleries.pictures import LARGE, Pictures
from reports.galleries.sources import shown_runs
from reports.results import Results
from reports.tables.distances import distances_table
from reports.tables.model import Row
from reports.write import Request, write_report

Read = Callable[[Path], Group]
Rows = dict[str, dict[str, str]]
KERNEL = "A → B KD(tiny)"


def tables(root: Path, out: Path) -> dict[str, Rows]:
    """Every table of the report by its file's name: row -> column -> field."""
    write_report(Request((root,), out, ("csv",)))
    found = {}
    for path in sorted((out / "tables").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.stem] = {row["variant"]: row for row in csv.DictReader(file) if "variant" in row}
    return found


@pytest.fixture
def root(tmp_path: Path, mini: ModuleType) -> Path:
    """A study of two variants with three seeds each."""
    return mini.write_study(
        tmp_path / "runs", ("spatial", "copy"), seeds=(0, 1, 2), pictures=False, tables=False
    )


def test_images_of_another_program_have_a_full_row(root: Path, tmp_path: Path, mini: ModuleType) -> None:
    mini.write_external(root, "theirs", value=0.0456)
    found = tables(root, tmp_path / "out")
    main = found["toy-stripes-distances-last"]["theirs"]
    assert float(main[KERNEL]) == 0.0456
    assert (main[f"{KERNEL} (spread)"], main[f"{KERNEL} (note)"]) == ("", "")
    for name, column in (("faithfulness", "edges kept"), ("artefacts", "noise [levels]")):
        row = found[f"toy-stripes-{name}-A2B"]["theirs"]
        assert float(row[f"A → B {column}"]) == 0.0456
    told = Results.model_validate_json((tmp_path / "out" / "results.json").read_text())
    score = next(one for one in told.groups[0].scores if (one.variant, one.metric) == ("theirs", "kd(tiny)"))
    assert (score.values, score.mean, score.interval) == ({}, 0.0456, None)
    assert "theirs: images of another program." in told.groups[0].summary["compared"]


def test_without_a_copy_s_distance_the_main_table_has_the_value_alone(
    tmp_path: Path, mini: ModuleType
) -> None:
    mini.write_external(tmp_path / "runs", "theirs", value=0.0456, reference=-1.0)
    row = tables(tmp_path / "runs", tmp_path / "out")["toy-stripes-main-last"]["theirs"]
    assert float(row["KD(tiny), horse → zebra value"]) == 0.0456
    assert not any("of a copy" in column for column in row)


def test_a_row_left_out_says_what_its_measurements_lack(root: Path, tmp_path: Path, mini: ModuleType) -> None:
    mini.write_external(root, "theirs", directions=("A2B",))
    write_report(Request((root,), tmp_path / "page", ("md",)))
    text = (tmp_path / "page/report.md").read_text(encoding="utf-8")
    assert "theirs (Its images of this direction were not scored)" in text
    measured = text.split("### Cost")[0]
    assert "theirs (Images of another program" not in measured


def test_a_row_without_a_seed_says_so_in_place_of_a_count(
    root: Path, mini: ModuleType, group_of: Read, tmp_path: Path
) -> None:
    mini.write_external(root, "theirs")
    row = tables(root, tmp_path / "out")["toy-stripes-distances-last"]["theirs"]
    assert row["n = 3"] == ""
    assert row["n = 3 (note)"] == "Images of another program: one value, no seed, so no interval."


def test_what_images_alone_cannot_have_is_a_dash_with_its_reason(
    root: Path, mini: ModuleType, tmp_path: Path
) -> None:
    mini.write_external(root, "theirs", directions=("A2B",), sources=False)
    found = tables(root, tmp_path / "out")
    note = {
        (name, direction): found[f"toy-stripes-{name}-{direction}"]["theirs"]
        for name in ("faithfulness", "masks")
        for direction in ("A2B", "B2A")
    }
    edges, entropy = "edges kept (note)", "entropy (note)"
    assert "bench score with --source DIR" in note["faithfulness", "A2B"][f"A → B {edges}"]
    assert "of this direction were not scored" in note["faithfulness", "B2A"][f"B → A {edges}"]
    assert "images alone, which have no masks" in note["masks", "A2B"][f"A → B {entropy}"]


def test_images_are_told_apart_by_their_folder_not_by_their_title(
    root: Path, mini: ModuleType, tmp_path: Path
) -> None:
    before = tables(root, tmp_path / "before")["toy-stripes-distances-last"]
    mini.write_external(root, "theirs", folder="first", value=0.01)
    mini.write_external(root, "theirs", folder="second", value=0.02)
    mini.write_external(root, "spatial", folder="third", value=0.03)
    after = tables(root, tmp_path / "after")["toy-stripes-distances-last"]
    values = {"theirs (first)": 0.01, "theirs (second)": 0.02, "spatial (third)": 0.03}
    assert {name: float(after[name][KERNEL]) for name in values} == values
    assert {name: after[name] for name in before} == before


def main_rows(group: Group) -> dict[str, Row]:
    return {row.title: row for row in distances_table(group).rows}


@settings(max_examples=8, deadline=None)
@given(
    theirs=st.lists(
        st.tuples(st.floats(0.5, 2), st.sampled_from(["same", "other", "another"])), min_size=1, max_size=4
    )
)
def test_no_folder_moves_the_numbers_of_the_runs_or_their_references(
    tmp_path_factory: pytest.TempPathFactory, mini: ModuleType, theirs: list[tuple[float, str]]
) -> None:
    root = tmp_path_factory.mktemp("moved")
    mini.write_study(root, ("spatial", "copy"), seeds=(0,), pictures=False)
    (alone,) = groups(read_study(run_folders([root])))
    before = main_rows(alone)
    for number, (reference, real) in enumerate(theirs):
        other = {} if real == "same" else {"real_fingerprint_A2B": real}
        mini.write_external(root, f"theirs{number}", reference=reference, **other)
    first, *apart = groups(read_study(run_folders([root])))
    after = main_rows(first)
    assert {name: after[name] for name in before} == before
    same = {f"theirs{number}" for number, (_, real) in enumerate(theirs) if real == "same"}
    assert set(after) - set(before) == same
    assert len(apart) == len({real for _, real in theirs} - {"same"})


@pytest.mark.parametrize("changed", ["real_fingerprint_A2B", "real_fingerprint_B2A", "weights_sha256"])
def test_images_held_against_others_have_a_table_with_references_of_their_own(
    root: Path, mini: ModuleType, changed: str
) -> None:
    mini.write_external(root, "theirs", reference=2, **{changed: "another"})
    first, second = groups(read_study(run_folders([root])))
    assert (first.dataset, second.dataset) == ("toy-stripes", "toy-stripes, against other real images")
    assert (first.variants, second.variants) == (["spatial", "copy"], ["theirs"])
    rows = second.study.scores[second.study.scores["metric"] == "kd(tiny)"]
    assert second.reference(rows, "floor") == pytest.approx(2 * mini.FLOOR)
    assert any("held against other real images" in line for line in summarise_group(second).not_told)
    assert first.key != second.key


def real_features(folder: Path, seed: int) -> None:
    features = np.random.default_rng(seed).normal(size=(9, 5)).astype(np.float32)
    (folder / "features").mkdir(exist_ok=True)
    np.save(folder / "features" / "real-A2B-tiny.npy", features[:: -1 if "theirs" in str(folder) else 1])


@pytest.mark.parametrize(("seed", "together"), [(0, True), (1, False)])
def test_scores_without_fingerprints_are_joined_by_the_features_of_the_real_images(
    root: Path, mini: ModuleType, seed: int, together: bool
) -> None:
    theirs = mini.write_external(root, "theirs")
    real_features(theirs, seed)
    for path in root.rglob("scores.json"):
        told = json.loads(path.read_text())
        told["card"] = {key: value for key, value in told["card"].items() if "fingerprint" not in key}
        path.write_text(json.dumps(told))
        if path.parent != theirs:
            real_features(path.parent, 0)
    found = groups(read_study(run_folders([root])))
    assert len(found) == (1 if together else 2)
    assert ("theirs" in found[0].variants) == together


def test_galleries_show_the_same_test_images_whatever_the_other_program_calls_them(
    mini: ModuleType, group_of: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    root = mini.write_study(tmp_path / "runs", ("spatial",), seeds=(0,))
    network, each = load_network("tiny"), np.random.default_rng(0)
    for folder, written in (("fake", "{:03}_fake_B.png"), ("real", "{}.png")):
        (tmp_path / folder).mkdir()
        for at in range(5):
            pixels = each.integers(0, 255, (32, 32, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / folder / written.format(at))
    found, _ = score_folders(Folders(tmp_path / "real", tmp_path / "fake"), network)
    spatial = mini.Mini(mini.protocol(), "toy-stripes", "spatial", 0)
    names = {"name": "theirs", "protocol": "smoke", "dataset": "toy-stripes"}
    card = {**external_card(network, "A2B", found), **mini.card(spatial), **names}
    write_external(root / "smoke" / "toy-stripes" / "theirs", found, "A2B", card)
    group = group_of(root)
    pictures = Pictures()
    first, _ = output_galleries(group, shown_runs(group), pictures)
    assert first.columns == ("source", "spatial", "theirs")
    assert [strip.title for strip in first.strips] == ["000.png", "001.png", "002.png"]
    fakes = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "fake").iterdir())]
    assert [strip.shots[2].picture for strip in first.strips] == [
        pictures.add(pixels, LARGE) for pixels in fakes[:3]
    ]


def test_a_source_is_never_called_by_the_name_of_its_translation(
    mini: ModuleType, group_of: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    network, each = load_network("tiny"), np.random.default_rng(0)
    for folder, written in (("fake", "{:03}_fake_B.png"), ("real", "{}.png"), ("source", "{:03}.png")):
        (tmp_path / folder).mkdir()
        for at in range(5):
            pixels = each.integers(0, 255, (32, 32, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / folder / written.format(at))
    folders = Folders(tmp_path / "real", tmp_path / "fake", source=tmp_path / "source")
    found, _ = score_folders(folders, network)
    card = {**external_card(network, "A2B", found), "name": "theirs"}
    write_external(tmp_path / "runs" / "theirs", found, "A2B", card)
    group, pictures = group_of(tmp_path / "runs"), Pictures()
    shown = shown_runs(group)
    galleries = [*output_galleries(group, shown, pictures), *extreme_galleries(group, shown, pictures)]
    sources = [
        shot
        for gallery in galleries
        for strip in gallery.strips
        for shot in strip.shots
        if shot.label.endswith("source")
    ]
    assert len(sources) > 3
    assert all(shot.picture and "fake" not in shot.caption for shot in sources)


def test_a_damaged_folder_of_images_is_named_with_its_reason(
    root: Path, mini: ModuleType, tmp_path: Path
) -> None:
    (mini.write_external(root, "theirs") / "scores.json").write_text("{")
    row = tables(root, tmp_path / "out")["runs-left-out"]["theirs"]
    assert (row["protocol"], row["dataset"], row["status"]) == ("smoke", "toy-stripes", "external")
    assert "cannot be read" in row["reason"]


def test_the_report_names_the_command_that_compares_them(
    root: Path, mini: ModuleType, group_of: Read
) -> None:
    theirs = mini.write_external(root, "their images", folder="their images")
    (said,) = [line for line in summarise_group(group_of(root)).not_told if "bench compare" in line]
    _, _, run, images = shlex.split(said.partition("says: ")[2])
    assert Path(run, "run.json").is_file()
    assert Path(images) == theirs
