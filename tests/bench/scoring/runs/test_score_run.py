"""A scored run: what stands in its folder, and what is undefined for whom."""

import csv
import json
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from bench.cell import Cell
from bench.data.dataset import Dataset
from bench.data.tensors import quantise, to_tensor
from bench.protocol import Protocol
from bench.runs.folder import RunFolder
from bench.runs.records import Score, read_scores
from bench.scoring.kernel import kernel_distance
from bench.scoring.measure import Batch, DirectionMeasurement, measure_images
from bench.scoring.metrics.colour import colourfulness, levels
from bench.scoring.networks.network import FeatureNetwork
from bench.scoring.score_run import score_run
from bench.scoring.translate import translate
from bench.streams import Streams
from bench.training import Trained
from variants.contract import Generator, compose

Scored = Callable[[str], RunFolder]
MakeGenerators = Callable[[str], dict[str, Generator]]


def metrics(folder: RunFolder) -> dict[str, Score]:
    return read_scores(folder.scores_json).selections["last"].directions["A2B"].metrics


def rows(folder: RunFolder) -> list[dict[str, str]]:
    with folder.images_csv.open(newline="") as file:
        return list(csv.DictReader(file))


def entries(folder: RunFolder, kind: str) -> list[dict]:
    index = json.loads((folder.samples / "index.json").read_text())
    return [entry for entry in index if entry["kind"] == kind]


def test_every_entry_of_the_catalogue_has_a_score_or_a_reason(scored: Scored) -> None:
    for variant in ("spatial", "slot9", "copy"):
        found = metrics(scored(variant))
        assert found.keys() == read_scores(scored(variant).scores_json).metrics.keys() - {"realism(tiny)"}
        for key, score in found.items():
            assert (score.value is None) <= bool(score.reason), key


def test_images_csv_has_one_row_for_every_test_image_of_each_direction(
    scored: Scored, dataset: Dataset
) -> None:
    table = rows(scored("spatial"))
    expected = [("A2B", name) for name in dataset.A.test.names]
    expected += [("B2A", name) for name in dataset.B.test.names]
    assert [(row["direction"], row["file"]) for row in table] == expected


def test_scores_are_the_means_of_the_columns(scored: Scored) -> None:
    folder = scored("spatial")
    table = [row for row in rows(folder) if row["direction"] == "A2B"]
    for key in ("edge_correlation", "mask_entropy", "counterfactual_l1", "cycle_l1", "attention_effect"):
        column = np.array([float(row[key]) for row in table])
        score = metrics(folder)[key]
        assert score.value == pytest.approx(column.mean(), rel=1e-5)
        assert score.spread == pytest.approx(column.std(ddof=1), rel=1e-4)


def test_every_mask_has_columns_of_its_own(scored: Scored) -> None:
    row = rows(scored("spatial"))[0]
    coverage = [float(row[f"mask_coverage_{k}"]) for k in range(10)]
    assert sum(coverage) == pytest.approx(1, abs=1e-4)
    assert "mask_deviation_9" in row
    assert "mask_coverage_10" not in row


def test_the_columns_stand_in_the_order_of_the_catalogue(scored: Scored) -> None:
    keys = list(rows(scored("spatial"))[0])
    assert keys[:4] == ["direction", "file", "colourfulness", "noise"]
    assert keys.index("mask_coverage_2") + 1 == keys.index("mask_coverage_3")
    assert keys[-1] == "realism(tiny)"


def test_masks_of_a_generator_without_masks_are_undefined_and_never_zero(scored: Scored) -> None:
    folder = scored("copy")
    for key in (
        "mask_entropy",
        "mask_background",
        "attention_effect",
        "attention_kd(tiny)",
        "foreground_iou",
    ):
        score = metrics(folder)[key]
        assert score.value is None
        assert score.reason == "the generator has no masks"
    assert not any(key.startswith("mask_") for key in rows(folder)[0])


def test_copying_the_input_is_found_out(scored: Scored) -> None:
    found = metrics(scored("copy"))
    assert found["unchanged"].value == 1
    assert found["mean_change"].value == 0
    assert found["cycle_l1"].value == 0
    assert found["edge_correlation"].value == pytest.approx(1)
    for key in ("counterfactual_l1", "colourfulness", "noise_gap", "kd(tiny)", "background_psnr"):
        assert found[key].value == pytest.approx(found[key].ceiling)


def test_the_floor_of_paired_measures_is_that_of_the_true_counterfactuals(
    scored: Scored, dataset: Dataset
) -> None:
    assert dataset.A.truth is not None
    right = levels(dataset.A.truth.counterfactual)
    pairs = measure_images(Batch(output=right, source=levels(dataset.A.test.images), period=4))
    found = metrics(scored("spatial"))
    for key in ("edge_correlation", "structure", "mean_change", "grid_decoder"):
        assert found[key].floor == pytest.approx(pairs[key].mean().item(), rel=1e-4)


def test_the_floor_of_single_images_is_the_target_domain(scored: Scored, dataset: Dataset) -> None:
    real = colourfulness(levels(dataset.B.test.images)).mean().item()
    assert metrics(scored("spatial"))["colourfulness"].floor == pytest.approx(real, rel=1e-5)


def test_uniform_masks_have_no_attention_effect_and_are_called_dead(scored: Scored) -> None:
    found = metrics(scored("uniform"))
    assert found["attention_effect"].value == pytest.approx(0, abs=1e-4)
    assert found["attention_effect_swapped"].value == pytest.approx(0, abs=1e-4)
    assert found["attention_kd(tiny)"].value == pytest.approx(0, abs=1e-9)
    assert found["mask_entropy"].value == pytest.approx(1)
    assert str(found["mask_spatial_deviation"].reason).startswith("dead head")
    assert found["mask_input_dependence"].value is None


def test_only_a_generator_with_noise_depends_on_its_draws(scored: Scored) -> None:
    without, noisy = metrics(scored("spatial")), metrics(scored("slot9[init=kaiming]"))
    for key in ("noise_sensitivity", "noise_kd_spread(tiny)", "noise_fd_spread(tiny)"):
        assert without[key].value == 0
    assert noisy["noise_sensitivity"].value is not None
    assert noisy["noise_sensitivity"].value > 0
    assert noisy["noise_fd_spread(tiny)"].value is not None


def test_small_images_have_no_spectrum_and_the_reason_says_so(scored: Scored) -> None:
    for key in ("grid_peak", "mask_grid_peak"):
        score = metrics(scored("spatial"))[key]
        assert score.value is None
        assert score.reason == "the image is smaller than 64 pixels"


def test_features_lie_in_the_order_of_the_rows(
    scored: Scored, dataset: Dataset, network: FeatureNetwork
) -> None:
    for selection in ("last", "validation"):
        kept = np.load(scored("copy").features / f"{selection}-B2A-tiny.npy", allow_pickle=False)
        assert kept.dtype == np.float32
        assert kept == pytest.approx(network(dataset.B.test.images), abs=1e-5)


def test_equal_steps_are_equal_weights_under_both_selections(scored: Scored) -> None:
    selections = read_scores(scored("spatial").scores_json).selections
    assert selections["validation"] == selections["last"]


def test_scoring_again_gives_the_same_scores(
    scored: Scored,
    dataset: Dataset,
    network: FeatureNetwork,
    make_generators: MakeGenerators,
    protocol: Protocol,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    generators = make_generators("slot9[init=kaiming]")
    trained = Trained(
        generators=generators,
        validation_generators=generators,
        validation_step=4,
        steps=7,
        images_seen=7,
        trace_hash=None,
        trace_hash_without_pool=None,
        seconds_training=0.0,
        seconds_data=0.0,
        seconds_per_step=None,
        peak_memory_bytes=None,
        warnings=(),
    )
    cell = Cell(protocol, "toy-stripes", "slot9[init=kaiming]", 0)
    folder = RunFolder(tmp_path_factory.mktemp("again"))
    scores = score_run(folder, cell, dataset, trained, network)
    before = read_scores(scored("slot9[init=kaiming]").scores_json)
    assert scores.selections["last"] == before.selections["last"]
    assert scores.selections["validation"].step == 4
    assert read_scores(folder.scores_json) == scores


def test_final_pictures_are_complete(scored: Scored, dataset: Dataset) -> None:
    folder = scored("spatial")
    final = [entry for entry in entries(folder, "final") if entry["direction"] == "A2B"]
    assert [entry["file"] for entry in final] == [dataset.A.test.names[place] for place in (0, 3)]
    first = final[0]
    assert (first["step"], first["masks"], first["mask_scale"], first["background"]) == (7, 10, 1.0, 9)
    names = {path.stem for path in (folder.path / first["folder"]).glob("*.png")}
    assert names == {
        *("source", "output", "reconstruction", "counterfactual", "foreground"),
        *(f"content-{k}" for k in range(10)),
        *(f"mask-{k}" for k in range(10)),
    }
    source = np.asarray(Image.open(folder.path / first["folder"] / "source.png"))
    assert np.array_equal(source, dataset.A.test.images[0])
    foreground = np.asarray(Image.open(folder.path / first["folder"] / "foreground.png"))
    assert np.array_equal(foreground == 255, dataset.A.truth.foreground[0])


def test_pictures_of_a_generator_without_masks_say_so(scored: Scored) -> None:
    first = entries(scored("copy"), "final")[0]
    assert (first["masks"], first["background"]) == (0, None)


def test_unnormalised_masks_are_scaled_to_their_largest(scored: Scored) -> None:
    assert max(entry["mask_scale"] for entry in entries(scored("light-spatial5"), "final")) > 1


def test_the_extremes_are_best_median_and_worst_by_their_measure(scored: Scored) -> None:
    folder = scored("spatial")
    column = {
        row["file"]: float(row["edge_correlation"]) for row in rows(folder) if row["direction"] == "A2B"
    }
    found = {
        entry["rank"]: entry
        for entry in entries(folder, "extreme")
        if entry["direction"] == "A2B" and entry["measure"] == "edge_correlation"
    }
    in_order = sorted(column.values())
    expected = {"best": in_order[-1], "median": in_order[2], "worst": in_order[0]}
    assert {rank: entry["value"] for rank, entry in found.items()} == pytest.approx(expected, rel=1e-5)
    for entry in found.values():
        assert column[entry["file"]] == pytest.approx(entry["value"], rel=1e-5)
        assert (folder.path / entry["folder"] / "output.png").exists()
    assert {entry["measure"] for entry in entries(folder, "extreme")} == {"edge_correlation", "realism(tiny)"}


def test_numbers_and_features_alone_are_kept_of_a_split(
    dataset: Dataset, network: FeatureNetwork, make_generators: MakeGenerators
) -> None:
    """What a pass keeps does not grow with the number of pixels."""
    from bench.progress import Silent

    measurement = DirectionMeasurement(make_generators("spatial"), "A2B", dataset.A, network, Streams(0), 3)
    measured = measurement.run(Silent())
    images = len(dataset.A.test)
    assert all(column.shape == (images,) for column in measured.columns.values())
    assert all(kept.shape == (images, network.dimension) for kept in measured.features.values())


def test_the_swapped_masks_are_those_of_the_image_before(
    scored: Scored, dataset: Dataset, make_generators: MakeGenerators
) -> None:
    split, generator = dataset.A.test, make_generators("spatial")["A2B"]
    translation = translate(generator, to_tensor(split.images), split.names, Streams(0), "A2B")
    assert translation.masks is not None
    swapped = compose(translation.contents, translation.masks.roll(1, dims=0))
    expected = 127.5 * (swapped - translation.image).abs().mean(dim=(1, 2, 3))
    table = [row for row in rows(scored("spatial")) if row["direction"] == "A2B"]
    column = [float(row["attention_effect_swapped"]) for row in table]
    assert column == pytest.approx(expected.tolist(), rel=1e-3)


def test_the_change_of_the_kernel_distance_is_that_of_the_ablated_outputs(
    scored: Scored, dataset: Dataset, network: FeatureNetwork, make_generators: MakeGenerators
) -> None:
    split, generator = dataset.A.test, make_generators("spatial")["A2B"]
    translation = translate(generator, to_tensor(split.images), split.names, Streams(0), "A2B")
    assert translation.masks is not None
    flat = translation.masks.mean(dim=(2, 3), keepdim=True).expand_as(translation.masks)
    real = network(dataset.B.test.images)
    with_attention, without = (
        kernel_distance(network(quantise(image)), real)
        for image in (translation.image, compose(translation.contents, flat))
    )
    found = metrics(scored("spatial"))["attention_kd(tiny)"].value
    assert found == pytest.approx(without - with_attention, abs=1e-5)
