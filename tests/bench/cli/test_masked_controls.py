"""The controls that are told what is foreground: trained where there are masks, refused elsewhere."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SPLITS = {"trainA": 6, "trainB": 6, "testA": 4, "testB": 4}


@pytest.fixture(scope="session")
def masked(workplace: Path) -> Path:
    """Images of noise, each with a mask of its left half."""
    folder = workplace / "masked"
    for split, count in SPLITS.items():
        for name in (split, f"{split}_masks"):
            (folder / name).mkdir(parents=True)
        for number in range(count):
            random = np.random.default_rng([number, len(split), ord(split[-1])])
            Image.fromarray(random.integers(0, 256, (36, 36, 3), dtype=np.uint8)).save(
                folder / split / f"{number}.png"
            )
            left = np.zeros((36, 36), dtype=np.uint8)
            left[:, :18] = 255
            Image.fromarray(left).save(folder / f"{split}_masks" / f"{number}.png")
    return folder


def record(workplace: Path, dataset: str, variant: str) -> dict:
    return json.loads((workplace / f"runs/tiny/{dataset}/{variant}/seed0/run.json").read_text())


@pytest.fixture(scope="session")
def told(bench, workplace, masked) -> Path:
    """A finished run of `oracle` on the folder with masks."""
    done = bench("run", "--variant", "oracle", "--dataset", str(masked), "--protocol", "tiny.toml")
    assert done.returncode == 0, done.stderr
    return workplace / "runs/tiny/masked/oracle/seed0"


def test_the_foreground_is_translated_and_the_background_is_the_input(told):
    assert json.loads((told / "run.json").read_text())["status"] == "done"
    for direction in ("A2B", "B2A"):
        final = told / f"samples/final/{direction}/00"
        source, output = (np.asarray(Image.open(final / f"{name}.png")) for name in ("source", "output"))
        reconstruction = np.asarray(Image.open(final / "reconstruction.png"))
        np.testing.assert_array_equal(output[:, 16:], source[:, 16:])
        assert (output[:, :16] != source[:, :16]).mean() > 0.5
        np.testing.assert_array_equal(reconstruction[:, 16:], source[:, 16:])


def test_masks_have_a_fingerprint_of_their_own_in_the_record(told, call, workplace, masked):
    kept = json.loads((told / "run.json").read_text())
    for dataset in (masked, "toy-stripes"):
        call("run", "--variant", "copy", "--dataset", dataset, "--protocol", "tiny.toml")
    other = record(workplace, "masked", "copy")
    assert len(kept["data"]["masks_fingerprint"]) == 64
    assert other["data"] == kept["data"]
    assert other["schedule_hash"] == kept["schedule_hash"]
    assert "masks_fingerprint" not in record(workplace, "toy-stripes", "copy")["data"]


def test_a_run_is_not_continued_with_other_masks(told, call, workplace, masked):
    elsewhere = workplace / "elsewhere/masked"
    shutil.copytree(masked, elsewhere)
    Image.new("L", (36, 36), 255).save(elsewhere / "trainA_masks/0.png")
    done = call("run", "--variant", "oracle", "--dataset", elsewhere, "--protocol", "tiny.toml")
    assert done.returncode == 1
    assert "masks of the data set" in done.stderr
    assert "Traceback" not in done.stderr


def test_shuffled_has_the_masks_of_others_of_the_same_scenes(call, workplace):
    for variant in ("oracle", "shuffled"):
        call("run", "--variant", variant, "--protocol", "tiny.toml")
    found = {
        variant: [
            np.asarray(Image.open(file)) > 0
            for file in sorted(
                (workplace / f"runs/tiny/toy-stripes/{variant}/seed0/samples/final").rglob("mask-0.png")
            )
        ]
        for variant in ("oracle", "shuffled")
    }
    assert len(found["oracle"]) == len(found["shuffled"]) == 4
    for own, other in zip(found["oracle"], found["shuffled"], strict=True):
        assert 0 < own.mean() < 1
        assert 0 < other.mean() < 1
        assert (own != other).any()
    traces = {
        record(workplace, "toy-stripes", variant)["trace_hash_without_pool"]
        for variant in ("oracle", "shuffled")
    }
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("dataset", "said"),
    [("toy-season", "everything changes in toy-season"), ("bare", "brings none for trainA")],
)
@pytest.mark.parametrize("variant", ["oracle", "shuffled"])
def test_without_masks_they_are_refused_before_anything_is_written(
    call, workplace, masked, variant, dataset, said
):
    bare = workplace / "bare"
    for split in SPLITS:
        shutil.copytree(masked / split, bare / split, dirs_exist_ok=True)
    given = dataset if dataset.startswith("toy") else f"./{dataset}"
    done = call("run", "--variant", variant, "--dataset", given, "--protocol", "tiny.toml")
    assert done.returncode == 1
    assert said in done.stderr
    assert "Take one that has masks" in done.stderr
    assert not (workplace / f"runs/tiny/{dataset}/{variant}").exists()


def test_images_from_elsewhere_have_no_masks_and_are_not_translated(told, call, masked, tmp_path):
    image = masked / "testA/0.png"
    done = call("translate", "--run", told, "--direction", "A2B", image, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "images from elsewhere have none" in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("format", ["onnx", "hub"])
def test_they_leave_in_no_format_as_images_from_elsewhere_have_no_masks(told, call, workplace, format):
    done = call("export", told, "--format", format, "--out", "exported")
    assert done.returncode == 2
    assert "oracle translates by the foreground masks" in " ".join(done.stderr.split())
    assert not (workplace / "exported").exists()


def test_they_stand_in_a_ballot_with_the_masks_of_its_images(told, call, workplace, masked):
    call("run", "--variant", "copy", "--dataset", masked, "--protocol", "tiny.toml")
    done = call(
        "ballot", "make", told, "copy", "--protocol", "tiny", "--dataset", "masked", "--out", "voted", "--yes"
    )
    assert done.returncode == 0, done.stderr
    key = json.loads((workplace / "voted/ballot.json").read_text())
    assert {system["name"] for system in key["systems"]} == {"oracle", "copy"}


def test_a_finished_run_is_scored_again_with_its_masks(told, call):
    before = json.loads((told / "scores.json").read_text())
    assert call("score", told).returncode == 0
    assert json.loads((told / "scores.json").read_text())["selections"] == before["selections"]


def test_they_are_profiled_like_others(call):
    done = call("profile", "shuffled", "--protocol", "tiny.toml", "--steps", "1", "--threads", "1")
    assert done.returncode == 0, done.stderr


def test_progress_pictures_show_the_masks_side_by_side(told):
    for direction in ("A2B", "B2A"):
        strips = sorted((told / f"samples/progress/{direction}").rglob("masks.png"))
        assert len(strips) == 4  # two samples, two validations
        pixels = np.asarray(Image.open(strips[0]))
        assert pixels.shape == (32, 2 * 32)
        np.testing.assert_array_equal(pixels[:, :32], 255 - pixels[:, 32:])


def test_masks_of_a_folder_give_the_measures_of_truth_to_photographs(told):
    scores = json.loads((told / "scores.json").read_text())["selections"]["last"]["directions"]
    for direction in scores.values():
        found = {key: score["value"] for key, score in direction["metrics"].items()}
        assert found["foreground_iou"] == found["foreground_ap"] == found["best_mask_ap"] == 1
        assert found["best_mask_constancy"] == 1
        assert found["background_psnr"] > 58
        assert found["kd_foreground(tiny)"] is not None
        assert found["counterfactual_l1"] is None


def test_a_folder_judges_the_wrong_masks_by_the_right_ones(call, workplace, masked):
    other = workplace / "wrong-halves"
    shutil.copytree(masked, other)
    right = np.zeros((36, 36), dtype=np.uint8)
    right[:, 18:] = 255
    for split in SPLITS:
        for number in range(0, SPLITS[split], 2):
            Image.fromarray(right).save(other / f"{split}_masks/{number}.png")
    call("run", "--variant", "shuffled", "--dataset", "./wrong-halves", "--protocol", "tiny.toml")
    scores = workplace / "runs/tiny/wrong-halves/shuffled/seed0/scores.json"
    metrics = json.loads(scores.read_text())["selections"]["last"]["directions"]["A2B"]["metrics"]
    assert metrics["foreground_iou"]["value"] < 1
