"""Death of a mask head foretold: from one pass over it, untrained, and held against training."""

import sys

import pytest
import torch
from torch import nn

import variants
from bench.profiling.measure import TrainingStep
from bench.profiling.signal_chain import foretell, foretold, signal_chain
from bench.protocol import load_protocol
from variants.parts.masks import mask_spatial_deviation

ATTENDING = "masks=attention,noise=none,slot_init=own,token_stride=2"
TINY = (
    *("images.size=32", "images.load_size=32", "train.discriminator_width=8", "train.learning_rate=5e-4"),
    *("model.width=8", "model.blocks=1", "model.slot_size=16", "model.encoder=8-8-8-16"),
)


@pytest.mark.parametrize(
    ("variant", "verdict"),
    [
        ("slot9", "dead"),
        ("slot5", "dead"),
        ("encoded-slot5", "dead"),
        ("light-slot5", "dead"),
        (f"slot5[background=own,{ATTENDING}]", "dead"),
        ("spatial", "weak"),
        (f"slot5[background=head,init=default,{ATTENDING}]", "weak"),
        ("light-spatial5", "awake"),
        ("slot9[init=kaiming]", "awake"),
        (f"slot5[background=none,init=kaiming,{ATTENDING}]", "awake"),
    ],
)
def test_heads_of_the_studies_are_what_they_were_found_to_be(variant, verdict):
    chain = foretell(variant)
    assert chain is not None
    assert chain.verdict == verdict
    assert f"mask head {verdict} at initialisation" in chain.in_words
    assert chain.stages[-1].name == "masks"


def test_the_place_where_the_signal_falls_under_the_norm_is_named():
    published, awake = foretell("slot9"), foretell("slot9[init=kaiming]")
    assert published is not None
    assert awake is not None
    assert "falls under the norm's eps before attention.norm_tokens" in published.in_words
    assert "falls under" not in awake.in_words
    before = next(stage for stage in published.stages if stage.name == "tokens")
    assert before.deviation < 1e-3


def test_a_smaller_eps_gives_the_tokens_their_scale_back():
    chain = foretell(f"slot5[background=own,norm_eps=1e-12,{ATTENDING}]")
    assert chain is not None
    assert "falls under" not in chain.in_words
    assert chain.deviation > 10 * foretell(f"slot5[background=own,{ATTENDING}]").deviation


@pytest.mark.parametrize("variant", ["uniform", "kmeans5", "oracle", "copy", "cyclegan"])
def test_of_masks_that_are_not_learned_nothing_is_foretold(variant):
    assert foretell(variant) is None


def test_a_head_by_another_name_is_judged_by_its_masks():
    class Own(variants.Generator):
        convex = True

        def __init__(self) -> None:
            super().__init__()
            self.mine = nn.Conv2d(3, 2, 1)

        def forward(self, image, noise=None):
            masks = self.mine(image).softmax(dim=1)
            contents = torch.stack([image, -image], dim=1)
            return variants.Translation(variants.compose(contents, masks), contents, masks)

    chain = signal_chain(Own(), torch.rand(1, 3, 32, 32))
    assert [stage.name for stage in chain.stages] == ["masks"]


def test_a_generator_that_raises_is_left_to_those_who_use_it():
    assert foretold("nobody", load_protocol("small")) is None


def trained_deviation(variant: str, steps: int) -> float:
    """Of the masks, after so many steps on images of two halves."""
    protocol = load_protocol("small", TINY)
    step = TrainingStep(variants.canonical(variant), protocol, torch.device("cpu"))
    for domain, colour in (("A", 0), ("B", 2)):
        step.images[domain].mul_(0.1)
        step.images[domain][:, colour, 8:24, 8:24] += 0.8
    for _ in range(steps):
        step()
    generator = step.objective.generators["A2B"].eval()
    noise = torch.Generator().manual_seed(0)
    with torch.no_grad():
        return float(mask_spatial_deviation(generator(step.images["A"], noise).masks).mean())


@pytest.mark.parametrize("masks", ["masks=decoder,noise=none,slot_init=own,token_stride=2", ATTENDING])
@pytest.mark.parametrize("init", ["published", "kaiming"])
def test_what_is_foretold_holds_after_training(init, masks):
    """A grid of init and mask source at a width that no bound was set with."""
    variant = f"slot5[background=none,init={init},{masks}]"
    chain = foretell(variant, load_protocol("small", TINY), seed=1)
    after = trained_deviation(variant, steps=30)
    assert chain is not None
    assert (chain.verdict, after < 1e-3, after > 1e-2) in {("dead", True, False), ("awake", False, True)}


def test_it_is_printed_by_check_and_by_profile(forked):
    tiny = [word for change in TINY for word in ("--set", change)]
    for arguments in (
        ["check", "spatial"],
        ["profile", "spatial", "--protocol", "small", "--steps", "1", "--threads", "1", *tiny],
    ):
        done = forked.run(
            [sys.executable, "-m", "bench", *arguments], capture_output=True, text=True, check=True
        )
        assert "mask head " in done.stdout
        assert "at initialisation: deviation over space" in done.stdout
        assert "up1" in done.stdout
