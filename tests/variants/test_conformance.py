"""The conformance suite: every shipped variant passes, and each check fails on the fault it is for."""

import re

import pytest
import torch
from torch import Tensor, nn

import variants
from variants import Generator, Translation, compose, register
from variants.conformance import CHECKS, Subject
from variants.registry import REGISTRY
from variants.registry.checks import run


@pytest.mark.parametrize(
    "text",
    [
        *variants.names(),
        "slot9[background=own,init=kaiming,learned_init=true]",
        "slot5[background=none,iterations=1,mlp_hidden=5]",
        "slot9[decoder=resize,encoder_layers=6]",
        "slot9[learned_init=true,slot_init=own]",
        "slot5[background=head,slot_init=own,noise=shared]",
        "encoded-slot5[background=head,noise=shared]",
        "light-slot5[background=head,decoder=resize]",
        "light-slot5[mask_norm=none]",
        "encoded-slot5[background=reuse,decoder=narrow]",
        "light-spatial5[mask_norm=softmax,masks=3]",
        "light-slot5[background=reuse,slots=2]",
        "slot5[background=head,init=default,masks=attention,noise=none,slot_init=own,token_stride=2]",
        "slot5[background=head,encoder_layers=3,masks=attention,reconstruct=10]",
        "slot9[init=kaiming,reconstruct=1]",
        "encoded-slot5[masks=attention]",
        "light-slot5[masks=attention,token_stride=4]",
        "convolution5[background=head,token_stride=2]",
    ],
)
def test_every_shipped_variant_conforms(text):
    assert [(each.name, each.detail) for each in variants.check(text) if not each.passed] == []


class Sound(Generator):
    """A small generator that passes; each faulty one below breaks it in one way."""

    background = 1
    convex = True

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, image: Tensor, noise: object = None) -> Translation:
        made = self.conv(image)
        mask = torch.sigmoid(made[:, :1])
        masks = torch.cat([mask, 1 - mask], dim=1)
        contents = torch.stack([torch.tanh(made[:, 1:]), image], dim=1)
        return Translation(compose(contents, masks), contents, masks)


def changed(change) -> type[Generator]:
    """Sound, with `change` made to its translation."""

    class Changed(Sound):
        def forward(self, image: Tensor, noise: object = None) -> Translation:
            return change(super().forward(image, noise))

    return Changed


class DeadWeight(Sound):
    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Conv2d(3, 3, 1)


class MixedBatch(Sound):
    def forward(self, image: Tensor, noise: object = None) -> Translation:
        return super().forward(image - image.mean(0) + image, noise)


class OwnNoise(Sound):
    background = None

    def forward(self, image: Tensor, noise: object = None) -> Translation:
        return super().forward(image + torch.randn_like(image), noise)


class HiddenState(Sound):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0.0

    def forward(self, image: Tensor, noise: object = None) -> Translation:
        self.calls += 1
        output, contents, masks = super().forward(image, noise)
        return Translation(output + self.calls, contents, masks)


class OneSizeOnly(Sound):
    def forward(self, image: Tensor, noise: object = None) -> Translation:
        assert image.shape[-1] == 64, "one size only"
        return super().forward(image, noise)


class Leaving(Sound):
    def forward(self, image: Tensor, noise: object = None) -> Translation:
        raise SystemExit(4)


class OwnWeights(Sound):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("table", torch.randn(3))


class Plain(Sound):
    """Keeps a weight where no state dict finds it."""

    built = 0

    def __init__(self) -> None:
        super().__init__()
        Plain.built += 1
        self.shift = float(Plain.built)

    def forward(self, image: Tensor, noise: object = None) -> Translation:
        return super().forward(image + self.shift, noise)


class SilentTrap(Generator):
    """Instance-normalised features become tokens, so that their gradient arrives channels_last."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.InstanceNorm2d(8)
        self.mix = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 3))

    def forward(self, image: Tensor, noise: object = None) -> Translation:
        tokens = self.mix(self.norm(self.conv(image)).flatten(2).transpose(1, 2))
        output = tokens.transpose(1, 2).reshape(image.shape)
        return Translation(output, output.unsqueeze(1), None)


FAULTS = {
    "shapes": [
        (changed(lambda given: given._replace(masks=given.masks[:, :, 1:])), "masks is"),
        (changed(lambda given: given._replace(image=given.image[:, :2])), r"image is \[2, 2, 64, 64\], not"),
        (changed(lambda given: given._replace(masks=None)), "2 contents but no masks"),
        (type("Beyond", (Sound,), {"background": 2}), "background is 2, but there are 2 contents"),
        (OneSizeOnly, "AssertionError: one size only"),
        (changed(lambda given: given._replace(image=given.image.double())), "image is float64, not float32"),
        (Leaving, "SystemExit: 4"),
    ],
    "weighted sum": [
        (changed(lambda given: given._replace(image=given.image + 0.1)), "differs from the weighted sum"),
        (type("Swapped", (Sound,), {"background": 0}), "content 0 is declared the background but is not"),
    ],
    "convexity": [
        (changed(lambda given: given._replace(masks=given.masks * 1.1)), "sums are off by 0.1"),
        (changed(lambda given: given._replace(masks=given.masks * 3 - 1)), "the least mask is -"),
    ],
    "finite loss and gradients": [
        (changed(lambda given: given._replace(image=given.image / 0)), "the loss is"),
        (DeadWeight, "unused.weight gets no gradient"),
    ],
    "gradients in every layout": [(SilentTrap, "conv.weight in contiguous_format.*layers.instance_norm")],
    "batch of 2": [(MixedBatch, "a batch of 2 differs from two batches of 1")],
    "determinism": [(OwnNoise, "draw only from the `noise` argument"), (HiddenState, "differ")],
    "initial weights": [(OwnWeights, "table is not drawn by variants.initialise")],
    "save and load": [(Plain, "the translation changes")],
}


@pytest.fixture
def named():
    """`named(class)`: the class registered under a name, forgotten after the test."""

    def give(generator: type[Generator]) -> str:
        register("under-test", summary="")(generator)
        return "under-test"

    yield give
    del REGISTRY["under-test"]


def test_the_sound_generator_passes_every_check(named):
    assert [each.detail for each in variants.check(named(Sound)) if not each.passed] == []


@pytest.mark.parametrize(
    ("check", "generator", "message"),
    [(check, *fault) for check, faults in FAULTS.items() for fault in faults],
)
def test_each_check_finds_its_fault(named, check, generator, message):
    result = run(check, CHECKS[check], Subject(named(generator), False, None))
    assert not result.passed
    assert re.search(message, result.detail)


def test_another_number_of_parameters_than_expected_fails(named):
    results = {each.name: each for each in variants.check(named(Sound), expected_parameters=111)}
    assert not results["parameter count"].passed
    assert results["parameter count"].detail == "112, but 111 are pinned"


def test_a_number_of_parameters_nobody_pinned_is_told(named):
    results = {each.name: each for each in variants.check(named(Sound))}
    assert results["parameter count"].detail == "112, not pinned"


def test_every_check_is_tested_on_a_fault():
    assert set(FAULTS) | {"parameter count"} == set(CHECKS)


def test_an_unknown_name_is_refused_not_failed():
    with pytest.raises(variants.VariantError, match="Did you mean 'slot9'"):
        variants.check("slto9")
