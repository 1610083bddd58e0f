"""`bench compare` with images of another program: over the test images, against the same real ones."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bench.comparing import ComparedRuns, ComparisonRequest, compare_runs
from bench.comparing.pairing import Catalogue
from bench.errors import BenchError, UsageError
from bench.runs.folder import RunFolder
from bench.scoring.kernel import kernel_leave_one_out
from bench.statistics import Verdict
from bench.statistics.paired import jackknife_error


@pytest.fixture
def compare(tmp_path: Path, catalogue: Catalogue):  # type: ignore[no-untyped-def]
    def run(a: str = "slot9", b: str = "theirs", **changes: Any) -> ComparedRuns:
        return compare_runs(ComparisonRequest(a, b, tmp_path / "runs", **changes), catalogue)

    return run


def of(outcome: ComparedRuns, metric: str, direction: str = "A2B"):  # type: ignore[no-untyped-def]
    return next(one for one in outcome.comparisons if (one.metric, one.direction) == (metric, direction))


def features(folder: RunFolder, which: str = "last") -> np.ndarray:
    return np.load(folder.features / f"{which}-A2B-tiny.npy").astype(np.float64)


def edges(folder: RunFolder) -> np.ndarray:
    rows = [line.split(",") for line in folder.images_csv.read_text().splitlines()[1:]]
    return np.array([float(row[2]) for row in rows if row[0] == "A2B"])


def rename(folder: RunFolder, written: str) -> None:
    """Call the test images otherwise: `{}` stands for a name without its ending."""
    text = folder.images_csv.read_text()
    folder.images_csv.write_text(re.sub(r"(\d{3})\.png", lambda found: written.format(found[1]), text))


def test_a_run_and_images_are_compared_over_the_test_images(make_run, make_images, compare) -> None:  # type: ignore[no-untyped-def]
    run, images = make_run("slot9", 0, 0.1), make_images("theirs", 0.6)
    kernel = of(compare(str(run.path), str(images.path)), "kd(tiny)")
    real = features(run, "real")
    mine, theirs = (kernel_leave_one_out(features(folder), real) for folder in (run, images))
    assert kernel.mean_difference == pytest.approx(mine.value - theirs.value)
    assert kernel.error.total == pytest.approx(jackknife_error(mine.minus(theirs)))
    assert (kernel.seeds, kernel.images, kernel.over_images) == ((0,), 30, True)
    assert kernel.verdict is Verdict.SUPPORTED
    assert kernel.favours == "a"
    assert "of these translations alone, not of another training" in kernel.sentence


def test_a_mean_over_images_is_tested_as_by_a_paired_t_test(make_run, make_images, compare) -> None:  # type: ignore[no-untyped-def]
    run, images = make_run("slot9", 0, 0.1), make_images("theirs", 0.11)
    found = of(compare(metrics=("edge_correlation",)), "edge_correlation")
    expected = stats.ttest_rel(edges(run), edges(images))
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.interval == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_images_are_named_by_folder_or_by_name_and_compared_with_each_other(make_images, compare) -> None:  # type: ignore[no-untyped-def]
    first, second = make_images("theirs", 0.6), make_images("others", 0.1)
    by_name, by_folder = compare("theirs", "others"), compare(str(first.path), str(second.path))
    assert by_name == by_folder
    kernel = of(by_name, "kd(tiny)")
    assert (kernel.a, kernel.b, kernel.seeds, kernel.favours) == ("theirs", "others", (), "b")


@pytest.mark.parametrize("written", ["{}_fake.png", "{}_fake_B.jpg", "fake_{}.png", "{}-epoch200.png"])
@pytest.mark.parametrize("turned", [False, True])
def test_other_names_and_another_order_change_nothing(  # type: ignore[no-untyped-def]
    make_run, make_images, compare, written: str, turned: bool
) -> None:
    make_run("slot9", 0, 0.1)
    images = make_images("theirs", 0.6)
    before = compare()
    rename(images, written)
    if turned:
        header, *rows = images.images_csv.read_text().splitlines()
        images.images_csv.write_text("\n".join([header, *reversed(rows)]) + "\n")
        for path in images.features.glob("last-*"):
            np.save(path, np.load(path)[::-1])
    after = compare()
    for one, other in zip(before.comparisons, after.comparisons, strict=True):
        assert (one.metric, one.images, one.verdict) == (other.metric, other.images, other.verdict)
        assert one.mean_difference == pytest.approx(other.mean_difference)
        assert one.p_value == pytest.approx(other.p_value)


def test_of_some_images_both_sides_are_measured_over_those(make_run, make_images, compare) -> None:  # type: ignore[no-untyped-def]
    run, images = make_run("slot9", 0, 0.1), make_images("theirs", 0.6, kept=20)
    outcome = compare(metrics=("kd",), directions=("A2B",))
    (kernel,) = outcome.comparisons
    mine, theirs = (kernel_leave_one_out(features(one)[:20], features(run, "real")) for one in (run, images))
    assert kernel.mean_difference == pytest.approx(mine.value - theirs.value)
    assert kernel.images == 20
    assert any("over the 20 test images that both translated, of 30 and 20" in one for one in outcome.remarks)


def test_images_of_no_common_names_are_compared_as_sets_which_finds_less(  # type: ignore[no-untyped-def]
    make_run, make_images, compare
) -> None:
    make_run("slot9", 0, 0.1)
    images = make_images("theirs", 0.15)
    paired = of(compare(), "kd(tiny)")
    text = images.images_csv.read_text()
    images.images_csv.write_text(re.sub(r"(\d{3})\.png", lambda found: f"x{int(found[1]) + 500}.png", text))
    outcome = compare()
    apart = of(outcome, "kd(tiny)")
    assert apart.mean_difference == pytest.approx(paired.mean_difference)
    assert apart.error.total > paired.error.total
    assert any("share too few names of test images" in one for one in outcome.remarks)


def test_five_seeds_of_a_variant_vary_against_the_same_images(make_run, make_images, compare) -> None:  # type: ignore[no-untyped-def]
    for seed in range(5):
        make_run("slot9", seed, 0.1)
    make_images("theirs", 1.5)
    kernel = of(compare(), "kd(tiny)")
    assert (kernel.seeds, kernel.over_images) == ((0, 1, 2, 3, 4), False)
    assert len(set(kernel.values_b)) == 1
    assert kernel.verdict is Verdict.SUPPORTED


def test_the_same_images_under_two_names_do_not_differ(make_images, compare) -> None:  # type: ignore[no-untyped-def]
    make_images("theirs", 0.6)
    make_images("again", 0.6)
    outcome = compare("theirs", "again")
    assert {one.favours for one in outcome.comparisons} == {None}
    assert {one.mean_difference for one in outcome.comparisons} == {0.0}


def test_a_folder_of_images_from_elsewhere_says_how_they_are_scored_again(make_images) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(
        BenchError, match=r"images from elsewhere, no run.*--real DIR --fake DIR --name theirs"
    ):
        make_images("theirs", 0.6).read()


@pytest.mark.parametrize("link", ["smoke/toy-stripes/theirs", "smoke/toy-stripes", "smoke"])
def test_images_are_found_behind_a_link_as_runs_are(  # type: ignore[no-untyped-def]
    make_run, make_images, compare, tmp_path, link: str
) -> None:
    make_run("slot9", 0, 0.1)
    make_images("theirs", 0.6)
    place = tmp_path / "runs" / link
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    assert of(compare("slot9", "theirs"), "kd(tiny)").b == "theirs"


def test_a_folder_without_runs_hides_no_variant_of_its_name(  # type: ignore[no-untyped-def]
    make_run, make_images, compare, tmp_path, monkeypatch
) -> None:
    make_run("slot9", 0, 0.1)
    make_images("theirs", 0.6)
    expected = compare("slot9", "theirs")
    for name in ("slot9", "theirs"):
        (tmp_path / "here" / name).mkdir(parents=True)
    (tmp_path / "here" / "slot9" / "notes.txt").write_text("mine")
    monkeypatch.chdir(tmp_path / "here")
    assert compare("slot9", "theirs") == expected


def test_an_unknown_name_is_answered_by_images_too_and_by_a_run_only_for_a_variant(  # type: ignore[no-untyped-def]
    make_run, make_images, compare
) -> None:
    make_run("slot9", 0, 0.1)
    make_images("theirs", 0.6)
    with pytest.raises(UsageError, match=r"Did you mean 'theirs'\?.*See: bench list runs; images") as error:
        compare("slot9", "their")
    assert "bench run" not in str(error.value)
    with pytest.raises(UsageError, match=r"bench run --variant spatial, to make one"):
        compare("slot9", "spatial")


def test_images_held_against_other_real_ones_are_refused_with_what_to_do(  # type: ignore[no-untyped-def]
    make_run, make_images, compare
) -> None:
    make_run("slot9", 0, 0.1)
    make_images("theirs", 0.6, real=7)
    with pytest.raises(
        BenchError,
        match=r"different real images.*bench score --real DIR --fake DIR --size 64 "
        "--name theirs --protocol smoke --dataset toy-stripes",
    ):
        compare()


def test_the_fingerprints_of_the_cards_decide_before_the_features(make_run, make_images, compare) -> None:  # type: ignore[no-untyped-def]
    for folder in (make_run("slot9", 0, 0.1), make_images("theirs", 0.6)):
        told = json.loads(folder.scores_json.read_text())
        told["card"] |= {"real_fingerprint_A2B": str(folder.path), "real_fingerprint_B2A": "same"}
        folder.scores_json.write_text(json.dumps(told))
    with pytest.raises(BenchError, match="different real images"):
        compare()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"features": "squeezenet"}, "features of tiny, theirs on those of squeezenet.*--features NAME"),
        ({"weights": "others"}, "different weights of tiny.*--weights FILE"),
    ],
)
def test_images_scored_on_other_features_are_refused(  # type: ignore[no-untyped-def]
    make_run, make_images, compare, changed: dict[str, str], message: str
) -> None:
    make_run("slot9", 0, 0.1)
    make_images("theirs", 0.6, **changed)
    with pytest.raises(BenchError, match=message):
        compare()


def test_without_features_there_are_values_and_no_test(make_run, make_images, compare) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0, 0.1)
    images = make_images("theirs", 0.6)
    (images.features / "last-A2B-tiny.npy").unlink()
    outcome = compare(metrics=("kd",))
    assert of(outcome, "kd(tiny)", "A2B").verdict is Verdict.VALUES_ONLY
    assert "Values only" in of(outcome, "kd(tiny)", "A2B").sentence
    assert of(outcome, "kd(tiny)", "B2A").verdict is Verdict.SUPPORTED


def test_errors_are_read_on_one_screen_however_many_runs_there_are(
    make_run, make_images, compare, tmp_path
) -> None:  # type: ignore[no-untyped-def]
    for number in range(40):
        make_run(f"a variant of a rather long name, number {number}", 0, scored=False)
        make_images(f"theirs{number}", 0.1, name="theirs")
    for a, b in (("nobody", "theirs0"), (str(tmp_path / "runs"), "x"), ("theirs", "theirs0")):
        with pytest.raises((UsageError, BenchError)) as error:
            compare(a, b)
        assert len(str(error.value)) < 100 + 7 * len(
            str(tmp_path / "runs" / "smoke" / "toy-stripes" / "theirs10x")
        )
    with pytest.raises(
        UsageError, match=r"theirs may be 40 folders of images: .* and 34 more. Name one of them"
    ):
        compare("theirs", "theirs0")


def test_a_folder_without_scores_says_how_to_make_them(make_run, compare, tmp_path) -> None:  # type: ignore[no-untyped-def]
    make_run("slot9", 0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no finished run and no scored images\. .*bench score --real DIR"):
        compare("slot9", str(tmp_path / "empty"))


def test_the_command_tells_that_nothing_is_said_of_another_training(  # type: ignore[no-untyped-def]
    make_run, make_images, run_command, tmp_path
) -> None:
    make_run("slot9", 0, 0.1)
    make_images("theirs", 0.6)
    asked = ("slot9", "theirs", "--runs", tmp_path / "runs", "--metric", "kd")
    text = " ".join(run_command(*asked).split())
    assert "slot9 against theirs on toy-stripes" in text
    assert "over the test images: another training, or another seed, may give another difference" in text
    assert "holds images of another program: how they were made is not recorded" in text
    told = json.loads(run_command(*asked, "--json"))
    assert told["comparisons"][0]["over_images"] is True
