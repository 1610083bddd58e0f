"""Masks that are the attention itself, slots without noise, losses of a generator's own, and the controls."""

import pytest
import torch
from torch import Tensor

import variants
from variants.controls import clusters
from variants.parts.slot_attention import PointwiseAttention, SlotAttention

SMALL = {"width": 8, "blocks": 1, "slot_size": 8, "encoder": "4-4-4-8"}
ATTENDING = "init=default,masks=attention,noise=none,slot_init=own"


def built(text: str) -> variants.Generator:
    generator = variants.build(text, SMALL)
    variants.initialise(generator, lambda name: torch.Generator().manual_seed(len(name)))
    return generator


def image(seed: int = 0, size: int = 32) -> Tensor:
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("name", ["slot5", "slot9", "encoded-slot5", "light-slot5"])
def test_the_attention_of_the_last_round_can_be_the_masks(name: str) -> None:
    generator = built(f"{name}[background=own,{ATTENDING}]")
    masks = generator(image()).masks
    torch.testing.assert_close(masks.sum(dim=1), torch.ones_like(masks[:, 0]))
    assert not any("decoder" in key for key in generator.state_dict())
    assert (masks - generator(image(1)).masks).abs().max() > 1e-4  # they see the image


def test_slots_without_noise_give_the_same_translation_each_time() -> None:
    generator = built(f"slot5[{ATTENDING}]")
    assert generator.noise_shape is None
    assert torch.equal(generator(image()).image, generator(image()).image)


def test_the_queries_of_slots_are_trained_straight_through_the_last_round_alone() -> None:
    attention = SlotAttention(8, iterations=3, own_starts=4, queries=True)
    tokens = torch.randn(2, 20, 8, requires_grad=True)
    attention.bind(tokens, None).slots.sum().backward()
    assert attention.mu.grad is not None
    assert attention.mu.grad.abs().sum() > 0
    assert "log_sigma" not in attention.state_dict()


def test_a_convolution_is_the_first_round_of_slot_attention_with_trained_queries() -> None:
    slots = SlotAttention(8, iterations=1, own_starts=4, queries=True)
    convolution = PointwiseAttention(8, channels=4)
    with torch.no_grad():
        convolution.logits.weight.copy_(
            slots.query(slots.norm_slots(slots.mu[0])) @ slots.key.weight * 8**-0.5
        )
        convolution.logits.bias.zero_()
    tokens = torch.randn(2, 20, 8)
    expected = slots.bind(tokens, None).attention
    torch.testing.assert_close(convolution.bind(tokens, None).attention, expected)


def test_tokens_of_a_pooled_image_are_fewer_and_their_masks_as_large_as_the_image() -> None:
    generator = built(f"slot5[token_stride=4,{ATTENDING}]")
    seen: list[int] = []
    generator.head.tokens.register_forward_hook(lambda module, inputs, output: seen.append(output.shape[1]))
    assert generator(image(size=64)).masks.shape[2:] == (64, 64)
    assert seen == [16 * 16]


@pytest.mark.parametrize("text", ["slot5[reconstruct=2]", f"slot5[reconstruct=2,{ATTENDING}]"])
def test_a_reconstruction_is_a_loss_of_the_generators_own(text: str) -> None:
    generator = built(text)
    noise = None if generator.noise_shape is None else torch.zeros(1, *generator.noise_shape)
    translation, losses = generator.with_losses(image(), noise)
    assert tuple(losses) == generator.own_losses == ("reconstruction",)
    torch.testing.assert_close(translation.image, generator(image(), noise).image)
    losses["reconstruction"].backward()
    last = "head.colour.output.weight" if "attention" in text else "head.decoder.colours_and_alpha.weight"
    assert dict(generator.named_parameters())[last].grad.abs().sum() > 0
    half = built(text.replace("=2", "=1")).with_losses(image(), noise)[1]
    torch.testing.assert_close(losses["reconstruction"], 2 * half["reconstruction"])


def test_without_a_weight_there_is_no_loss_and_no_part_for_it() -> None:
    generator = built(f"slot5[{ATTENDING}]")
    assert generator.own_losses == ()
    assert generator.with_losses(image())[1] == {}
    assert not any("colour" in key for key in generator.state_dict())


def test_the_attentive_variant_trains_every_part_and_has_no_way_to_copy() -> None:
    generator = built("attentive-slot5")
    assert generator.background is None
    translation = generator(image())
    assert translation.contents.shape[1] == translation.masks.shape[1] == 5
    translation.image.square().mean().backward()
    assert all(each.grad.abs().sum() > 0 for name, each in generator.named_parameters() if "gru" in name)


def test_the_isolating_pair_differs_in_the_masks_source_alone() -> None:
    first, second = (
        variants.recorded_parameters(f"attentive-slot5{end}", SMALL) for end in ("", "[masks=decoder]")
    )
    assert first == second | {"masks": "attention"}
    shared = built("attentive-slot5").state_dict()
    other = built("attentive-slot5[masks=decoder]").state_dict()
    assert all(torch.equal(value, other[name]) for name, value in shared.items())
    assert all("decoder" in name for name in other.keys() - shared.keys())


def test_what_is_off_is_in_no_record() -> None:
    recorded = variants.recorded_parameters("slot9", SMALL)
    assert not {"masks", "reconstruct", "norm_eps", "token_stride", "gradient"} & set(recorded)
    assert variants.canonical("slot9[masks=decoder,reconstruct=0,token_stride=1]") == "slot9"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("slot5[noise=none]", "slot_init=own,noise=none"),
        ("slot5[token_stride=3]", "one of 1, 2, 4"),
        ("slot5[reconstruct=-1]", "at least 0"),
        ("light-slot5[masks=attention,mask_norm=none]", "masks=decoder"),
        ("slot5[masks=attention,decoder=narrow]", "builds no decoder"),
        ("attentive-slot5[decoder=narrow]", "builds no decoder"),
        ("slot5[gradient=all]", "take noise=none"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(text: str, said: str) -> None:
    with pytest.raises(variants.VariantError, match=said):
        variants.build(text, SMALL)


def test_a_protocol_may_have_a_decoder_that_attention_has_no_use_for() -> None:
    variants.build("slot5[masks=attention]", SMALL | {"decoder": "narrow"})


def test_clusters_are_one_hot_the_largest_last_and_of_each_image_by_itself() -> None:
    both = torch.cat([image(2, 48), image(3, 48)])
    masks = clusters(both, 5)
    assert torch.equal(masks.sum(dim=1), torch.ones(2, 48, 48))
    sizes = masks.sum(dim=(2, 3))
    assert (sizes[:, -1] >= sizes[:, :-1].amax(dim=1)).all()
    assert (sizes[:, :-2] >= sizes[:, 1:-1]).all()
    assert torch.equal(clusters(both[1:], 5)[0], masks[1])


def test_clusters_find_the_parts_of_a_picture_of_two_colours() -> None:
    picture = torch.full((1, 3, 32, 32), -1.0)
    picture[:, :, 8:16, 8:16] = 1.0
    masks = clusters(picture, 2)
    assert torch.equal(masks[0, 0], (picture[0, 0] > 0).float())
