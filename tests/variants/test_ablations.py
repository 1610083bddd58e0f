"""The ablations of the paper's section 7: each does what it claims."""

import zlib

import pytest
import torch

import variants
from variants import VariantError
from variants.contract import Generator
from variants.parts.cost import forward_gflop, parameter_count
from variants.parts.slot_head import HIDDEN

NARROW = {"width": 4, "blocks": 1, "slot_size": 16, "encoder": "4-4-4-8"}
SLOTS = ("slot9", "slot5", "encoded-slot5", "light-slot5")
BACKGROUNDS = ("reuse", "own", "none", "head")


def draw(name: str) -> torch.Generator:
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


def narrow(text: str, **changes: object) -> Generator:
    generator = variants.build(text, NARROW | changes)
    variants.initialise(generator, draw)
    return generator.eval()


def image(batch: int = 1, size: int = 32) -> torch.Tensor:
    return torch.rand(batch, 3, size, size, generator=draw("image")) * 2 - 1


def fresh(generator: Generator, number: int) -> torch.Tensor:
    head = generator.head.attention
    return torch.randn(1, 9, head.mu.shape[-1], generator=draw(f"noise {number}"))


def phase_spread(decoder: str) -> tuple[float, float]:
    """Of a constant slot's logits, away from borders: deviation in space, and between the four phases."""
    generator = narrow(f"slot9[decoder={decoder},init=kaiming]")
    with torch.no_grad():
        generator.head.decoder.position.weight.zero_()  # every cell of the grid says the same
        slots = torch.randn(1, 9, 16, generator=draw("slots"))
        logits = generator.head.decoder(slots, 8, 8)[0, :, 0, 40:-40, 40:-40]
    phases = torch.stack([logits[:, i::2, j::2].mean((1, 2)) for i in (0, 1) for j in (0, 1)])
    return float(logits.std((1, 2)).mean() / logits.abs().mean()), float(phases.std(0).max())


def test_the_resize_decoder_answers_a_constant_with_a_constant():
    deviation, phases = phase_spread("resize")
    assert deviation < 1e-6
    assert phases < 1e-6


@pytest.mark.parametrize("decoder", ["published", "narrow"])
def test_transposed_convolutions_answer_a_constant_with_a_checkerboard(decoder):
    deviation, phases = phase_spread(decoder)
    assert deviation > 0.1
    assert phases > 0.1


def test_the_resize_decoder_has_the_published_number_of_parameters_and_more_work():
    published, resize = variants.build("slot9"), variants.build("slot9[decoder=resize]")
    assert parameter_count(resize) == parameter_count(published)
    assert forward_gflop(resize, 64) > forward_gflop(published, 64)


def identified(generator: Generator, draws: int = 6) -> float:
    """Share of slots whose nearest slot under another draw of the noise is the one with the same number."""
    with torch.no_grad():
        tokens = generator.head.tokens(generator.head.encoder(image()))
        slots = [generator.head.attention(tokens, fresh(generator, each))[0] for each in range(draws)]
    centred = [each - each.mean(0) for each in slots]
    pairs = [(a, b) for a in centred for b in centred if a is not b]
    return sum(
        float((torch.cdist(a, b).argmin(1) == torch.arange(len(a))).float().mean()) for a, b in pairs
    ) / len(pairs)


def test_slots_that_start_from_their_own_means_keep_their_order_and_others_do_not():
    assert identified(narrow("slot9[slot_init=own]", slot_size=128)) > 0.9
    assert identified(narrow("slot9", slot_size=128)) < 0.3


@pytest.mark.parametrize("name", SLOTS)
def test_own_starts_are_trained_only_when_learned(name):
    generators = {
        learned: variants.build(f"{name}[slot_init=own,learned_init={learned}]", NARROW)
        for learned in ("true", "false")
    }
    slots = generators["true"].noise_shape[0]
    trained = {key: parameter_count(each) for key, each in generators.items()}
    assert trained["true"] - trained["false"] == 2 * slots * 16
    assert generators["false"].head.attention.mu.shape == (1, slots, 16)


def test_own_means_reach_the_output():
    generator = narrow("slot9[slot_init=own,learned_init=true,init=kaiming]")
    generator(image(), fresh(generator, 0)).image.mean().backward()
    assert (generator.head.attention.mu.grad.abs().sum(2) > 0).all()


@pytest.mark.parametrize("name", SLOTS)
def test_shared_noise_makes_the_output_a_function_of_the_image_alone(name):
    generator, source = narrow(f"{name}[noise=shared,init=kaiming]"), image(2)
    assert generator.noise_shape is None
    given = [None, draw("one"), draw("other"), torch.zeros(2, 3, 4)]
    with torch.no_grad():
        outputs = [generator(source, noise).image for noise in given]
        fresh_outputs = [
            narrow(f"{name}[init=kaiming]")(source, noise).image for noise in (draw("one"), draw("other"))
        ]
    assert all(torch.equal(outputs[0], each) for each in outputs)
    assert not torch.equal(*fresh_outputs)


def test_shared_noise_is_drawn_by_name_and_kept_with_the_weights_but_not_trained():
    first, second = narrow("slot9[noise=shared]"), narrow("slot9[noise=shared]")
    state = first.state_dict()
    assert torch.equal(state["shared_noise.values"], second.state_dict()["shared_noise.values"])
    assert 0.7 < float(state["shared_noise.values"].std()) < 1.3
    assert "shared_noise.values" not in dict(first.named_parameters())
    assert parameter_count(first) == parameter_count(narrow("slot9"))


def test_shared_noise_means_what_the_same_noise_means_when_it_is_given():
    shared, given = narrow("slot9[noise=shared,init=kaiming]"), narrow("slot9[init=kaiming]")
    source = image()
    with torch.no_grad():
        expected = given(source, shared.shared_noise.values).image
        assert torch.equal(shared(source).image, expected)


def test_a_deeper_encoder_repeats_the_last_width_and_leaves_the_decoder_alone():
    four, seven = variants.build("slot9", NARROW), variants.build("slot9[encoder_layers=7]", NARROW)
    assert [layer.out_channels for layer in seven.head.encoder] == [4, 4, 4, 8, 8, 8, 8]
    decoders = [
        {key: each.shape for key, each in generator.head.decoder.state_dict().items()}
        for generator in (four, seven)
    ]
    assert decoders[0] == decoders[1]
    assert parameter_count(seven) - parameter_count(four) == 3 * (8 * 8 * 25 + 8)


@pytest.mark.parametrize("name", SLOTS)
@pytest.mark.parametrize("background", BACKGROUNDS)
def test_every_slot_variant_takes_every_background(name, background):
    generator, source = narrow(f"{name}[background={background},init=kaiming]"), image(2)
    translation = generator(source, draw("noise"))
    assert generator.convex == (background != "reuse")
    assert (generator.background is None) == (background == "none")
    if generator.background is not None:
        first = name == "light-slot5"
        assert generator.background == (0 if first else translation.contents.shape[1] - 1)
        assert torch.equal(translation.contents[:, generator.background], source)


@pytest.mark.parametrize("name", SLOTS)
def test_the_foreground_head_divides_every_mask_between_its_content_and_the_input(name):
    generator, source = narrow(f"{name}[background=head,init=kaiming]"), image(2)
    slots = generator.noise_shape[0]
    noise = torch.randn(2, *generator.noise_shape, generator=draw("noise"))
    plain = narrow(f"{name}[background=none,init=kaiming]")
    with torch.no_grad():
        translation, whole = generator(source, noise), plain(source, noise).masks
    contents = [k for k in range(slots + 1) if k != generator.background]
    shares = translation.masks[:, contents] / whole
    torch.testing.assert_close(shares, shares[:, :, :1, :1].expand_as(shares), rtol=1e-3, atol=1e-5)
    assert ((shares > 0) & (shares < 1)).all()
    torch.testing.assert_close(
        translation.masks[:, generator.background], 1 - translation.masks[:, contents].sum(1)
    )
    torch.testing.assert_close(translation.masks.sum(1), torch.ones(2, 32, 32))


def test_the_foreground_head_starts_undecided_and_is_small():
    generator = narrow("slot9[background=head]")
    weight = generator(image(), draw("noise")).masks[:, generator.background]
    torch.testing.assert_close(weight, torch.full_like(weight, 0.5), rtol=0, atol=0.05)
    added = parameter_count(generator) - parameter_count(narrow("slot9[background=none]"))
    assert added == 16 * HIDDEN + HIDDEN + HIDDEN + 1


def test_masks_of_the_light_pair_are_normalised_alike():
    slots = narrow("light-slot5[mask_norm=none,init=kaiming]")
    masks = {
        name: generator(image(), draw("noise")).masks.detach()
        for name, generator in (("slots", slots), ("spatial", narrow("light-spatial5")))
    }
    assert not slots.convex
    for each in masks.values():
        assert (each >= 0).all()
        # What ReLU leaves of mean 0 and deviation 1 over the pixels: a mean below 1/2.
        assert 0.1 < float(each.mean()) < 0.5
        assert float(each.sum(1).min()) < 0.9


def test_without_the_softmax_the_slots_start_with_nearly_the_same_mask():
    masks = narrow("light-slot5[mask_norm=none]")(image(), draw("noise")).masks.detach()
    assert float(masks.std((2, 3)).min()) > 0.5
    assert float((masks - masks.mean(1, keepdim=True)).abs().max()) < 0.2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("slot9[decoder=deconvolution]", r"decoder is one of published, narrow, resize"),
        ("slot9[slot_init=learned]", r"slot_init is one of shared, own"),
        ("slot9[noise=drawn]", r"noise is one of fresh, shared, none"),
        ("slot9[background=model]", r"background is one of reuse, own, none, head"),
        ("slot9[encoder_layers=0]", r"encoder_layers is a whole number of at least 1"),
        ("slot9[mask_norm=none]", r"Unknown parameter of slot9 'mask_norm'"),
        ("encoded-slot5[encoder_layers=6]", r"Unknown parameter of encoded-slot5 'encoder_layers'"),
        ("light-slot5[mask_norm=relu]", r"mask_norm is one of softmax, none"),
    ],
)
def test_what_a_variant_cannot_be_is_refused(text, message):
    with pytest.raises(VariantError, match=message):
        variants.build(text)
