"""`colour`: the statistics of l-alpha-beta are transferred, and nothing else."""

import math

import numpy as np
import pytest
import torch

import variants
from baselines.untrained import Colour, lab_statistics, to_lab, to_rgb
from bench.cell import Cell
from bench.data import load_dataset
from bench.data.tensors import to_tensor
from bench.progress import Silent
from bench.protocol import load_protocol
from bench.runs.folder import RunFolder
from bench.runs.records import read_scores
from bench.setup import resolve_device
from bench.studies.execute import Machine, execute
from bench.training import load_generators


def drawn(count: int, seed: int, low: float = -1.0, high: float = 1.0) -> torch.Tensor:
    chance = torch.Generator().manual_seed(seed)
    return low + (high - low) * torch.rand(count, 3, 16, 16, generator=chance)


def fitted(source: torch.Tensor, target: torch.Tensor) -> Colour:
    generator = Colour()
    generator.fit([source], [target])
    return generator


def test_every_colour_survives_the_round_trip():
    levels = torch.linspace(-1, 1, 17)
    colours = torch.cartesian_prod(levels, levels, levels).T.reshape(1, 3, 17, -1)
    torch.testing.assert_close(to_rgb(to_lab(colours)), colours, rtol=0, atol=1e-5)


def test_lab_is_that_of_the_paper():
    red, green, blue = 200, 120, 30  # levels of one pixel
    r, g, b = ((level + 1) / 256 for level in (red, green, blue))
    cone_l = math.log10(0.3811 * r + 0.5783 * g + 0.0402 * b)
    cone_m = math.log10(0.1967 * r + 0.7244 * g + 0.0782 * b)
    cone_s = math.log10(0.0241 * r + 0.1288 * g + 0.8444 * b)
    expected = [
        (cone_l + cone_m + cone_s) / math.sqrt(3),
        (cone_l + cone_m - 2 * cone_s) / math.sqrt(6),
        (cone_l - cone_m) / math.sqrt(2),
    ]
    pixel = torch.tensor([red, green, blue], dtype=torch.float64).view(1, 3, 1, 1) / 127.5 - 1
    np.testing.assert_allclose(to_lab(pixel).flatten(), expected, rtol=0, atol=1e-12)


def test_black_has_a_colour():
    assert torch.isfinite(to_lab(torch.full((1, 3, 16, 16), -1.0))).all()


def test_the_statistics_of_the_translated_domain_are_those_of_the_target_before_clipping():
    source, target = drawn(5, 0), drawn(7, 1, -0.4, 0.3)
    generator = fitted(source, target)
    mean, deviation = (each.float() for each in lab_statistics([target]))
    translated = generator.transfer(to_lab(source))
    torch.testing.assert_close(translated.mean((0, 2, 3)), mean, rtol=0, atol=1e-5)
    torch.testing.assert_close(translated.std((0, 2, 3), correction=0), deviation, rtol=0, atol=1e-5)


def test_statistics_do_not_depend_on_how_images_are_batched():
    images = drawn(6, 0)
    together, apart = lab_statistics([images]), lab_statistics(images.split(1))
    torch.testing.assert_close(together, apart, rtol=0, atol=1e-12)


def test_colours_that_no_screen_can_show_are_clipped():
    dark, bright = drawn(2, 0, -1.0, -0.6), drawn(2, 1, 0.2, 1.0)
    generator = fitted(dark, bright)
    translated = generator(drawn(1, 2)).image  # lighter than anything it was fitted to
    assert translated.max() == 1
    assert translated.min() >= -1
    assert to_rgb(generator.transfer(to_lab(drawn(1, 2)))).max() > 1


def test_a_channel_that_is_constant_in_the_source_is_moved_and_not_stretched():
    grey = drawn(2, 0)[:, :1].expand(-1, 3, -1, -1)
    translated = fitted(torch.full((1, 3, 16, 16), -0.2), drawn(2, 1))(grey).image
    assert torch.isfinite(translated).all()


def test_before_it_is_fitted_it_returns_its_input():
    image = drawn(1, 0)
    torch.testing.assert_close(Colour()(image).image, image, rtol=0, atol=1e-5)


def test_a_domain_without_images_is_refused():
    with pytest.raises(ValueError, match="no images"):
        Colour().fit([drawn(1, 0)], [])


def test_nothing_is_trained():
    assert not variants.build("colour").trainable


RULES = ("images.per_domain=12", "images.validation=2", "images.test=8", "score.kid_subset_size=4")


def run(variant: str, runs) -> RunFolder:
    cell = Cell(load_protocol("smoke", RULES), "toy-season", variant, seed=0)
    execute(cell, runs, Machine(resolve_device("cpu"), threads=1), Silent())
    return RunFolder(cell.folder(runs))


def test_a_run_is_done_and_nearer_to_the_target_than_a_copy(tmp_path):
    colour, copied = run("colour", tmp_path), run("copy", tmp_path)
    record = colour.read()
    assert (record.status, record.steps, record.images_seen) == ("done", 0, 0)
    for direction in ("A2B", "B2A"):
        ours, theirs = (
            read_scores(each.scores_json).selections["last"].directions[direction].metrics
            for each in (colour, copied)
        )
        for metric in ("fd(tiny)", "kd(tiny)", "colourfulness_gap", "counterfactual_l1"):
            assert ours[metric].value < theirs[metric].value, (direction, metric)


def test_it_is_fitted_to_the_training_images_alone_and_kept_in_the_folder(tmp_path):
    generators = load_generators(run("colour", tmp_path).generator)
    dataset = load_dataset("toy-season", load_protocol("smoke", RULES).images)
    mean, deviation = lab_statistics([to_tensor(dataset.B.train.images)])
    torch.testing.assert_close(generators["A2B"].target_mean, mean.float())
    torch.testing.assert_close(generators["A2B"].target_deviation, deviation.float())
    assert torch.equal(generators["A2B"].source_mean, generators["B2A"].target_mean)
