"""The discriminators against the published ones."""

import pytest
import torch

from bench.streams import Streams
from bench.training.discriminators import (
    LightDiscriminator,
    PatchGAN,
    initialise_discriminator,
    load_published,
)


@pytest.mark.parametrize(("kind", "parameters"), [(PatchGAN, 2_764_737), (LightDiscriminator, 2_763_776)])
def test_parameter_counts_are_the_published_ones(kind, parameters):
    assert sum(each.numel() for each in kind().parameters()) == parameters


@pytest.mark.parametrize(
    ("kind", "name", "tolerance"),
    [(PatchGAN, "patchgan", 2e-4), (LightDiscriminator, "light", 2e-5)],
)
def test_judgements_are_the_published_ones(kind, name, tolerance, fill):
    golden = fill.arrays("discriminator")
    judge = kind()
    load_published(judge, fill.filled_state(fill.shapes(f"discriminator_{name}")))
    judgement = judge(torch.from_numpy(golden["input"]))
    expected = torch.from_numpy(golden[f"output_{name}"])
    torch.testing.assert_close(judgement.detach(), expected, rtol=0, atol=tolerance)


def test_a_left_over_or_missing_key_is_refused(fill):
    judge = PatchGAN()
    state = fill.filled_state(fill.shapes("discriminator_patchgan"))
    with pytest.raises(KeyError, match=r"model\.99\.weight"):
        load_published(judge, state | {"model.99.weight": torch.zeros(1)})
    with pytest.raises(KeyError, match=r"model\.5\.bias"):
        load_published(judge, {name: value for name, value in state.items() if name != "model.5.bias"})


@pytest.mark.parametrize("kind", [PatchGAN, LightDiscriminator])
def test_initial_weights_are_normal_with_deviation_two_hundredths_and_depend_on_the_name(kind):
    def draw(name):
        return Streams(0).torch("initial-weights", "discriminator_A", name)

    judge, again = kind(16), kind(16)
    initialise_discriminator(judge, draw)
    initialise_discriminator(again, draw)
    for (name, parameter), (_, twin) in zip(judge.named_parameters(), again.named_parameters(), strict=True):
        assert torch.equal(parameter, twin)
        if name.endswith(".bias"):
            assert not parameter.any()
        else:
            assert parameter.std().item() == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("kind", [PatchGAN, LightDiscriminator])
def test_an_image_is_judged_alike_alone_and_in_a_batch(kind):
    torch.manual_seed(0)
    judge, images = kind(8), torch.rand(2, 3, 48, 48) * 2 - 1
    together = judge(images)
    torch.testing.assert_close(together[:1], judge(images[:1]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("kind", [PatchGAN, LightDiscriminator])
def test_gradients_at_batch_1_are_right_in_every_memory_layout(kind, layout):
    torch.manual_seed(0)
    judge, image = kind(8), torch.rand(1, 3, 48, 48) * 2 - 1
    exact = kind(8).double()
    exact.load_state_dict(judge.state_dict())
    reference = image.double().requires_grad_(True)
    exact(reference).square().sum().backward()
    given = image.to(memory_format=layout).requires_grad_(True)
    judge(given).square().sum().backward()
    scale = reference.grad.abs().max()
    assert (given.grad - reference.grad).abs().max() < 1e-4 * scale
