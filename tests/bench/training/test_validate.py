"""Validation and progress pictures: measured alike whatever the batch, chosen by the smallest distance."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from bench.data.dataset import Split
from bench.data.tensors import quantise
from bench.scoring.kernel import kernel_leave_one_out
from bench.scoring.metrics.truth import iou_of_best_mask
from bench.statistics import against_copy
from bench.streams import Streams
from bench.training import validate
from bench.training.session import evaluating, fresh_generators
from bench.training.validate import (
    Validation,
    ValidationLog,
    Validator,
    sample_split,
    translations,
    write_progress,
)

STREAMS = Streams(0)
CPU = torch.device("cpu")


def row(step: int, distance: float | None) -> Validation:
    return Validation(step, step, None if distance is None else distance / 2, distance and distance / 2)


def test_translations_do_not_depend_on_the_size_of_the_batches(cell_of, dataset, monkeypatch):
    generator = fresh_generators(cell_of("slot9"), CPU)["A2B"].eval()
    together = [each.image for each in translations(generator, dataset.A.test, STREAMS, "A2B")]
    monkeypatch.setattr(validate, "PIXELS_AT_ONCE", 1)
    single = [each.image for each in translations(generator, dataset.A.test, STREAMS, "A2B")]
    assert (len(together), len(single)) == (1, 5)
    torch.testing.assert_close(together[0], torch.cat(single), rtol=0, atol=1e-5)


def test_validation_changes_neither_weights_nor_batch_statistics(cell_of, dataset, measure):
    generators = fresh_generators(cell_of("attentiongan-v1"), CPU)
    before = {name: tensor.clone() for name, tensor in generators["A2B"].state_dict().items()}
    with evaluating(generators):
        Validator(dataset, STREAMS, **measure).validate(generators, 1, 1)
    assert generators["A2B"].training
    for name, tensor in generators["A2B"].state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_the_distance_is_that_of_translations_to_the_other_domain(cell_of, dataset, measure):
    generators = fresh_generators(cell_of("copy"), CPU)
    found = Validator(dataset, STREAMS, **measure).validate(generators, 5, 10)
    network, distance = measure["network"], measure["distance"]
    features = {domain: network(getattr(dataset, domain).validation.images) for domain in "AB"}
    assert (found.step, found.images_seen) == (5, 10)
    assert found.kd_A2B == pytest.approx(distance(features["A"], features["B"]))
    assert found.kd_B2A == pytest.approx(distance(features["B"], features["A"]))
    assert found.mask_entropy is None


def test_validation_is_paired_with_the_copy_of_the_same_images(cell_of, dataset, measure):
    copied = Validator(dataset, STREAMS, **measure).validate(fresh_generators(cell_of("copy"), CPU), 5, 10)
    for direction in ("A2B", "B2A"):
        assert getattr(copied, f"unchanged_{direction}") == 1.0
        assert getattr(copied, f"kd_from_copy_{direction}") == 0.0
        assert getattr(copied, f"collapsed_{direction}") is True
    trained = fresh_generators(cell_of("spatial"), CPU)
    found = Validator(dataset, STREAMS, **measure).validate(trained, 5, 10)
    images = [
        quantise(each.image) for each in translations(trained["A2B"], dataset.A.validation, STREAMS, "A2B")
    ]
    network = measure["network"]
    real, sources = (network(getattr(dataset, domain).validation.images) for domain in "BA")
    against = against_copy(
        kernel_leave_one_out(network(np.concatenate(images)), real), kernel_leave_one_out(sources, real)
    )
    assert found.copy_kd_A2B == copied.copy_kd_A2B == against.copy
    assert found.kd_from_copy_A2B == against.difference
    assert (found.kd_from_copy_low_A2B, found.kd_from_copy_high_A2B) == against.interval
    assert (found.unchanged_A2B, found.collapsed_A2B) == (0.0, False)


def test_a_generator_without_a_mask_of_the_input_has_no_background_statistic(cell_of, dataset):
    generators = fresh_generators(cell_of("slot9[background=none]"), CPU)
    found = Validator(dataset, STREAMS, None, None).validate(generators, 1, 1)
    assert found.mask_background is None
    assert 1 <= found.mask_effective_number <= 9


def test_the_best_mask_is_held_against_the_true_foreground_where_it_is_known(cell_of, dataset):
    generators = fresh_generators(cell_of("slot9[init=kaiming]"), CPU)
    known = replace(dataset, A=with_masks(dataset.A, halves(dataset.A.validation)))
    found = Validator(known, STREAMS, None, None, mask_iou=iou_of_best_mask).validate(generators, 1, 1)
    masks = [each.masks for each in translations(generators["A2B"], known.A.validation, STREAMS, "A2B")]
    ious = iou_of_best_mask(torch.cat(masks), known.A.validation.masks())
    assert found.mask_best_iou_A2B == pytest.approx(float(ious.mean()), abs=1e-6)
    assert found.mask_best_iou_B2A is None


def test_images_without_a_foreground_have_no_part_in_it(cell_of, dataset):
    generators = fresh_generators(cell_of("slot9[init=kaiming]"), CPU)
    some, none = halves(dataset.A.validation), halves(dataset.A.validation)
    some[1:], none[:] = False, False
    of_one, of_none = (
        Validator(
            replace(dataset, A=with_masks(dataset.A, each)), STREAMS, None, None, mask_iou=iou_of_best_mask
        ).validate(generators, 1, 1)
        for each in (some, none)
    )
    assert 0 < of_one.mask_best_iou_A2B <= 1
    assert of_none.mask_best_iou_A2B is None


def test_masks_that_a_generator_is_told_find_nothing(cell_of, dataset):
    known = replace(
        dataset, **{name: with_masks(domain, halves(domain.validation)) for name, domain in domains(dataset)}
    )
    generators = fresh_generators(cell_of("oracle"), CPU)
    found = Validator(known, STREAMS, None, None, mask_iou=iou_of_best_mask).validate(generators, 1, 1)
    assert found.mask_entropy is not None
    assert found.mask_best_iou_A2B is None


def domains(dataset):
    return (("A", dataset.A), ("B", dataset.B))


def halves(split: Split) -> np.ndarray:
    """Masks of the left half of every image."""
    masks = np.zeros(split.images.shape[:3], dtype=bool)
    masks[:, :, : masks.shape[2] // 2] = True
    return masks


def with_masks(domain, masks: np.ndarray):
    return replace(domain, validation=replace(domain.validation, masks=lambda: masks))


def test_the_smallest_distance_is_chosen_and_the_first_of_equals():
    log = ValidationLog()
    assert [log.add(row(step, distance)) for step, distance in enumerate([3.0, 1.0, 2.0, 1.0])] == [
        True,
        True,
        False,
        False,
    ]
    assert log.best.step == 1


def test_rows_without_a_distance_are_never_chosen():
    log = ValidationLog()
    assert [log.add(row(step, None)) for step in range(2)] == [False, False]
    assert log.best is None


def test_samples_are_spread_over_the_split_under_their_own_names(dataset):
    assert sample_split(dataset.A.test, 2).names == ("test0.png", "test2.png")


def test_progress_pictures_are_outputs_listed_in_the_index(cell_of, dataset, folder):
    generators = fresh_generators(cell_of("copy"), CPU)
    sources = {"A": sample_split(dataset.A.test, 2), "B": sample_split(dataset.B.test, 2)}
    for step in (5, 5, 10):
        write_progress(folder, generators, sources, STREAMS, step)
    entries = json.loads((folder.samples / "index.json").read_text(encoding="utf-8"))
    assert len(entries) == 8
    assert {entry["kind"] for entry in entries} == {"progress"}
    first = next(entry for entry in entries if entry["direction"] == "B2A" and entry["step"] == 10)
    picture = np.asarray(Image.open(folder.path / first["folder"] / "output.png"))
    np.testing.assert_array_equal(picture, dataset.B.test.images[0])


def test_an_empty_split_has_no_translations(cell_of):
    empty = Split(np.zeros((0, 32, 32, 3), dtype=np.uint8), ())
    generator = fresh_generators(cell_of("spatial"), CPU)["A2B"]
    assert list(translations(generator, empty, STREAMS, "A2B")) == []
