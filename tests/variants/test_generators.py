"""What each variant claims: parameters, masks, the place of the input, initial weights."""

import zlib

import pytest
import torch
from torch import nn

import variants
from variants import VariantError
from variants.conformance import PARAMETER_COUNTS
from variants.contract import Generator
from variants.parts.layers import instance_norm
from variants.parts.slot_head import ALPHA

NARROW = {"width": 4, "blocks": 1, "slot_size": 8, "encoder": "4-4-4-8"}
WITH_TRUNK = [name for name in variants.names() if name not in ("copy", "colour")]
SLOTS = ("slot9", "slot5", "encoded-slot5", "light-slot5")


def draw(name: str) -> torch.Generator:
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


def narrow(text: str) -> Generator:
    generator = variants.build(text, NARROW)
    variants.initialise(generator, draw)
    return generator


def image(batch: int = 1, height: int = 32, width: int = 32) -> torch.Tensor:
    return torch.rand(batch, 3, height, width, generator=draw("image")) * 2 - 1


@pytest.mark.parametrize("name", variants.names())
def test_trained_parameters_are_the_pinned_number(name):
    assert sum(each.numel() for each in variants.build(name).parameters()) == PARAMETER_COUNTS[name]


def test_every_name_is_pinned():
    assert set(PARAMETER_COUNTS) == set(variants.names())


def test_a_built_generator_tells_its_parameters():
    generator = variants.build("slot9[iterations=5]", NARROW)
    assert generator.parameter_values == variants.resolved_parameters("slot9[iterations=5]", NARROW)
    assert generator.head.attention.iterations == 5


@pytest.mark.parametrize(
    ("text", "contents", "masks", "background"),
    [
        ("spatial", 9, 10, 9),
        ("uniform", 9, 10, 9),
        ("slot9[background=own]", 8, 9, 8),
        ("slot9[background=none]", 9, 9, None),
        ("encoded-slot5", 4, 5, 4),
        ("light-slot5", 4, 5, 0),
        ("light-slot5[background=none]", 5, 5, None),
        ("light-spatial5[mask_norm=softmax]", 4, 5, 0),
    ],
)
def test_masks_of_convex_variants_sum_to_one_and_one_weighs_the_input(text, contents, masks, background):
    generator, source = narrow(text), image()
    translation = generator(source)
    assert generator.trunk.contents == contents
    assert translation.masks.shape[1] == masks
    assert generator.background == background
    assert generator.convex
    torch.testing.assert_close(translation.masks.sum(1), torch.ones(1, 32, 32))
    if background is not None:
        assert torch.equal(translation.contents[:, background], source)


@pytest.mark.parametrize(
    ("text", "twice"), [("slot9", 8), ("slot5", 4), ("light-slot5[background=reuse]", 1)]
)
def test_a_reused_mask_weighs_a_content_and_the_input(text, twice):
    generator, source = narrow(text), image()
    translation = generator(source)
    masks = translation.masks
    assert not generator.convex
    assert torch.equal(masks[:, generator.background], masks[:, twice])
    assert torch.equal(translation.contents[:, generator.background], source)
    torch.testing.assert_close(masks.sum(1), 1 + masks[:, twice])


def test_masks_of_light_spatial5_are_not_normalised():
    masks = narrow("light-spatial5")(image()).masks
    assert (masks >= 0).all()
    assert masks.sum(1).max() > 2
    assert masks.sum(1).min() < 0.5


def test_uniform_masks_are_one_over_their_number():
    assert torch.equal(narrow("uniform")(image()).masks, torch.full((1, 10, 32, 32), 0.1))


def test_masks_are_learned_but_those_that_are_told_fixed_or_clustered():
    given = {name for name in variants.names() if not variants.build(name, NARROW).learns_masks}
    assert given == {"uniform", "oracle", "shuffled", "kmeans5"}


@pytest.mark.parametrize("name", SLOTS)
def test_masks_start_uniform_with_the_published_initialisation(name):
    generator = narrow(name)
    masks = generator(image(), draw("noise")).masks
    share = 1 / generator.noise_shape[0]
    assert (masks - share).abs().max() < 1e-3


def test_kaiming_wakes_the_slot_head_that_the_published_initialisation_leaves_dead():
    deviations = {}
    for init in ("published", "default", "kaiming"):
        masks = narrow(f"slot9[init={init}]")(image(), draw("noise")).masks
        deviations[init] = masks.std(dim=(2, 3)).mean().item()
    assert deviations["published"] < 1e-6 < deviations["default"] < 1e-3 < deviations["kaiming"]


@pytest.mark.parametrize("name", SLOTS)
def test_noise_may_be_a_generator_a_tensor_or_left_to_torch(name):
    generator, source = narrow(f"{name}[init=kaiming]"), image(2)
    tensor = torch.randn(2, *generator.noise_shape, generator=draw("noise"))
    drawn = generator(source, draw("noise")).image
    assert torch.equal(drawn, generator(source, tensor).image)
    torch.manual_seed(0)
    first, second = generator(source).image, generator(source).image
    assert not torch.equal(first, second)


def test_noise_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"noise has shape \[1, 4, 8\]; this generator takes \[1, 9, 8\]"):
        narrow("slot9")(image(), torch.zeros(1, 4, 8))


@pytest.mark.parametrize("shape", [(1, 3, 40, 32), (1, 3, 32, 40), (1, 1, 32, 32), (3, 32, 32)])
def test_images_of_an_impossible_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"a generator takes \[b, 3, h, w\] with h and w multiples of 16"):
        narrow("spatial")(torch.zeros(shape))


def test_a_generator_without_noise_refuses_to_draw_some():
    with pytest.raises(ValueError, match="Spatial draws no noise"):
        narrow("spatial").draw_noise(1, None)


@pytest.mark.parametrize("name", SLOTS)
def test_alpha_alone_is_computed_from_the_four_published_channels(name):
    decoder = narrow(name).head.decoder
    cells = torch.randn(2, decoder.full.out_channels, 8, 8)
    torch.testing.assert_close(
        decoder.painted(cells, ALPHA), decoder.colours_and_alpha(cells)[:, 3:], rtol=1e-4, atol=1e-7
    )


@pytest.mark.parametrize(("decoder", "channels"), [("published", (64, 64, 64, 256)), ("narrow", (64,) * 4)])
def test_the_published_decoder_wraps_around_to_the_encoders_last_channels(decoder, channels):
    ups = variants.build(f"slot9[decoder={decoder}]").head.decoder.ups
    assert tuple(up.out_channels for up in ups) == channels


def test_the_decoders_path_mirrors_unequal_encoder_channels():
    decoder = variants.build("slot9[encoder=1-2-3-4,slot_size=7]").head.decoder
    assert [up.in_channels for up in decoder.ups] == [7, 3, 2, 1]
    assert [up.out_channels for up in decoder.ups] == [3, 2, 1, 4]


def test_equal_parts_of_all_variants_start_bit_equal():
    states = {name: narrow(name).state_dict() for name in WITH_TRUNK}
    for group in (
        ("spatial", "uniform", "slot9", "slot5", "encoded-slot5", "cyclegan"),
        ("light-spatial5", "light-slot5"),
    ):
        first = states[group[0]]
        for name in group[1:]:
            shared = [
                key
                for key in first
                if key.startswith("trunk.") and first[key].shape == states[name][key].shape
            ]
            assert {"trunk.down1.weight", "trunk.up2.weight"} <= set(shared)
            assert all(torch.equal(first[key], states[name][key]) for key in shared)
    heads = [states[name] for name in ("slot9", "slot5")]
    assert all(torch.equal(heads[0][key], heads[1][key]) for key in heads[0] if key.startswith("head."))


def test_a_learned_start_is_drawn_as_the_fixed_one():
    fixed, learned = narrow("slot9").state_dict(), narrow("slot9[learned_init=true]").state_dict()
    assert all(torch.equal(fixed[key], learned[key]) for key in fixed)


def weights(generator: Generator, kind: type[nn.Module]) -> torch.Tensor:
    return torch.cat(
        [each.weight.detach().flatten() for each in generator.modules() if isinstance(each, kind)]
    )


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d, nn.Linear])
def test_resnet_systems_start_at_deviation_two_hundredths_without_biases(kind):
    generator = variants.build("slot9", {"width": 16, "blocks": 2})
    variants.initialise(generator, draw)
    drawn = weights(generator, kind)
    assert abs(float(drawn.std()) - 0.02) < 0.002
    assert all(
        each.bias is None or not each.bias.any() for each in generator.modules() if isinstance(each, kind)
    )


def test_light_systems_leave_transposed_convolutions_at_torchs_default():
    generator = variants.build("light-slot5", {"width": 16, "blocks": 2})
    variants.initialise(generator, draw)
    assert abs(float(weights(generator, nn.Conv2d).std()) - 0.02) < 0.002
    up = generator.trunk.up1.weight.detach()
    bound = (up.shape[1] * 9) ** -0.5
    assert bound * 0.95 < float(up.abs().max()) <= bound


def test_kaiming_keeps_the_variance_of_features_through_the_slot_decoder():
    generator = variants.build("slot9[init=kaiming]", {"slot_size": 64, "encoder": "64-64-64-64"})
    variants.initialise(generator, draw)
    layer = generator.head.decoder.ups[1]
    features = nn.functional.leaky_relu(torch.randn(1, 64, 24, 24, generator=draw("features")))
    with torch.no_grad():
        after = layer(features)[:, :, 8:-8, 8:-8]
    assert 0.8 < float(after.square().mean()) / 2 / float(features.square().mean()) < 1.25


def test_weights_that_no_rule_draws_are_refused():
    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = nn.Parameter(torch.ones(1))

    generator = narrow("spatial")
    generator.scale = Scale()
    with pytest.raises(ValueError, match=r"scale is a Scale with weights of its own: define draw_weights"):
        variants.initialise(generator, draw)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("batch", [1, 2])
def test_instance_norm_and_its_gradient_are_right_in_every_layout(layout, batch):
    features = torch.randn(batch, 6, 8, 8, generator=draw("features"))
    incoming = torch.randn(batch, 6, 8, 8, generator=draw("gradient"))
    exact = features.double().requires_grad_()
    variance, mean = torch.var_mean(exact, dim=(2, 3), correction=0, keepdim=True)
    expected = (exact - mean) / torch.sqrt(variance + 1e-5)
    expected.backward(incoming.double())
    ours = features.clone().requires_grad_()
    normalised = instance_norm(ours)
    normalised.backward(incoming.contiguous(memory_format=layout))
    torch.testing.assert_close(normalised.double(), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(ours.grad.double(), exact.grad, rtol=0, atol=1e-5)


def test_a_wrong_value_is_refused_when_building():
    with pytest.raises(VariantError, match="width is a whole number of at least 1"):
        variants.build("spatial", {"width": 0})
