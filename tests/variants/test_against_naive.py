"""The generators at widths where every fast path is taken, against the published arithmetic done naively."""

import copy
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F

import variants
from variants.parts.slot_head import SlotDecoder

WIDE = {
    "spatial": {"blocks": 2},
    "slot9": {"width": 8, "blocks": 1, "slots": 2, "slot_size": 32, "encoder": "64-64-64-64"},
}
"""Residual blocks of 256 channels; a slot encoder and decoder of 64."""
SIZE = 16
NEAR = 1e-5
"""How near its kink a unit must be for rounding to decide on which side it lies, in deviations of its layer:
twice the error of a Winograd convolution."""


@pytest.fixture(scope="module")
def naive() -> ModuleType:
    path = Path(__file__).parents[1] / "bench" / "training" / "naive.py"
    spec = importlib.util.spec_from_file_location("naive", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def generator_of(name: str) -> variants.Generator:
    generator = variants.build(name, WIDE[name])
    variants.initialise(generator, lambda name: torch.Generator().manual_seed(len(name)))
    return generator


def nearest_kink(generator, image, noise, naive, monkeypatch) -> float:
    """The least distance from 0 of all that goes into a (leaky) ReLU, in deviations of its layer."""
    nearest = []

    def noting(function):
        def noted(features, *options):
            nearest.append(float((features.abs() / features.std()).min()))
            return function(features, *options)

        return noted

    with monkeypatch.context() as patch, torch.no_grad():
        for name in ("relu", "leaky_relu"):
            patch.setattr(F, name, noting(getattr(F, name)))
        naive.translate(generator, image, noise)
    return min(nearest)


def inputs_off_kinks(generator, naive, monkeypatch) -> tuple[torch.Tensor, torch.Tensor]:
    """The first image and noise with no unit near its kink, where a gradient jumps however it is computed."""
    for seed in range(200):
        chance = torch.Generator().manual_seed(seed)
        image = torch.rand(1, 3, SIZE, SIZE, generator=chance) * 2 - 1
        noise = torch.randn(1, 2, 32, generator=chance)
        if nearest_kink(generator, image.double(), noise.double(), naive, monkeypatch) > NEAR:
            return image, noise
    pytest.fail("In 200 images some unit lies near its kink: make them smaller.")


def gradients(generator: variants.Generator, image: torch.Tensor) -> dict[str, torch.Tensor]:
    generator.zero_grad()
    (image - 0.3).square().mean().backward()
    return {name: each.grad.clone() for name, each in generator.named_parameters() if each.grad is not None}


@pytest.mark.parametrize("most_kept", [0, 2**40], ids=["slot by slot", "all slots at once"])
@pytest.mark.parametrize("name", list(WIDE))
def test_outputs_and_gradients_are_those_of_the_naive_arithmetic(name, most_kept, naive, monkeypatch):
    monkeypatch.setattr("variants.parts.slot_head.MOST_KEPT", most_kept)
    generator = generator_of(name)
    exact = copy.deepcopy(generator).double()
    image, noise = inputs_off_kinks(exact, naive, monkeypatch)
    fast = generator(image, noise).image
    torch.testing.assert_close(fast, naive.translate(generator, image, noise), rtol=0, atol=1e-5)
    # In float64, lest two roundings be compared.
    expected = gradients(exact, naive.translate(exact, image.double(), noise.double()))
    found = gradients(generator, fast)
    largest = max(float(gradient.norm()) for gradient in expected.values())
    for parameter, gradient in expected.items():
        if gradient.norm() > 1e-12 * largest:  # less: cancelled by normalisation or softmax
            assert (found[parameter] - gradient).norm() < 1e-3 * gradient.norm(), parameter


def test_the_way_that_spares_memory_is_taken_on_large_images_alone():
    decoder = SlotDecoder(256, (64, 64, 64, 256))
    assert decoder.memory_binds(torch.empty(9, 64, 64, 64, device="cpu"))
    assert not decoder.memory_binds(torch.empty(9, 64, 16, 16, device="cpu"))
    assert not decoder.memory_binds(torch.empty(9, 64, 64, 64, device="meta"))
