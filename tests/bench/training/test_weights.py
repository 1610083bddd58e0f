"""generator.safetensors: both generators for use elsewhere."""

import pytest
import safetensors.torch
import torch

from bench.errors import BenchError
from bench.training.checkpoint import load_generators, read_origin, save_generators
from bench.training.session import fresh_generators

CPU = torch.device("cpu")


@pytest.mark.parametrize("variant", ["spatial", "slot9[iterations=2,background=own]", "attentiongan-v1"])
def test_generators_that_were_saved_translate_the_same(variant, cell_of, tmp_path):
    generators = fresh_generators(cell_of(variant), CPU)
    save_generators(tmp_path / "generator.safetensors", generators, variant, step=7)
    loaded = load_generators(tmp_path / "generator.safetensors")
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for direction, generator in generators.items():
        noise = None if generator.noise_shape is None else torch.ones(1, *generator.noise_shape)
        expected = generator.eval()(image, noise).image
        assert torch.equal(loaded[direction](image, noise).image, expected)
        assert not loaded[direction].training


def test_the_file_says_where_it_comes_from(cell_of, tmp_path):
    path = tmp_path / "generator.safetensors"
    save_generators(
        path, fresh_generators(cell_of("slot9[iterations=2]"), CPU), "slot9[iterations=2]", step=7
    )
    origin = read_origin(path)
    assert (origin.variant, origin.step) == ("slot9[iterations=2]", 7)
    assert origin.parameters["width"] == "4"
    assert origin.parameters["encoder"] == "4-4-4-8"
    keys = safetensors.torch.load_file(path)
    assert {key.split(".")[0] for key in keys} == {"A2B", "B2A"}


def test_equal_generators_give_equal_bytes(cell_of, tmp_path):
    for name in ("one", "two"):
        save_generators(tmp_path / name, fresh_generators(cell_of(), CPU), "spatial", step=1)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(BenchError, match="Cannot read"):
        load_generators(tmp_path / "absent.safetensors")


def test_a_truncated_file_is_an_error(cell_of, tmp_path):
    path = tmp_path / "generator.safetensors"
    save_generators(path, fresh_generators(cell_of(), CPU), "spatial", step=1)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(BenchError, match="is not a whole safetensors file"):
        load_generators(path)


def test_a_file_of_other_weights_is_an_error(tmp_path):
    path = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(BenchError, match="holds no generators of a run"):
        load_generators(path)


def test_weights_that_do_not_fit_the_variant_are_an_error(cell_of, tmp_path):
    path = tmp_path / "generator.safetensors"
    narrow = fresh_generators(cell_of(), CPU)
    for generator in narrow.values():
        generator.parameter_values = {**generator.parameter_values, "width": 8}
    save_generators(path, narrow, "spatial", step=1)
    with pytest.raises(BenchError, match="do not fit spatial"):
        load_generators(path)
