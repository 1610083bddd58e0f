"""The objectives: equal to the naive joint step, frugal, exact about who learns from what."""

import copy
import math

import pytest
import torch

from bench.errors import UsageError
from bench.streams import Streams
from bench.training.adversarial import gradient_penalty, relativistic, steepness
from bench.training.objective import build_objective
from bench.training.schedule import StepStreams
from bench.training.session import fresh_generators

STREAMS = Streams(0)


def pair(batch: int = 1, size: int = 32, seed: int = 0) -> dict[str, torch.Tensor]:
    chance = torch.Generator().manual_seed(seed)
    return {domain: torch.rand(batch, 3, size, size, generator=chance) * 2 - 1 for domain in "AB"}


def objective_of(cell_of, variant: str = "spatial", dtype: torch.dtype = torch.float32, **settings):
    cell = cell_of(variant, **settings)
    generators = fresh_generators(cell, torch.device("cpu"))
    for generator in generators.values():
        generator.to(dtype)
    train = cell.protocol.train
    objective = build_objective(train.objective, generators, train, cell.streams())
    for judge in objective.discriminators.values():
        judge.to(dtype)
    return objective


WGAN = {"objective": "wgan-gp", "pool": 0}
ALL = [{}, {"objective": "relativistic"}, WGAN]


@pytest.mark.parametrize("variant", ["spatial", "slot9", "cyclegan"])
@pytest.mark.parametrize("batch", [1, 2])
def test_gradients_term_by_term_are_those_of_the_joint_loss(variant, batch, cell_of, naive):
    ours, joint = objective_of(cell_of, variant), objective_of(cell_of, variant)
    images, streams = pair(batch), StepStreams(STREAMS, 1)
    ours.step(images, streams)
    naive.joint_loss(joint, images, streams)[0].backward()
    for direction in ("A2B", "B2A"):
        theirs = dict(joint.generators[direction].named_parameters())
        for name, parameter in ours.generators[direction].named_parameters():
            gradient, expected = zero_for_none(parameter), zero_for_none(theirs[name])
            torch.testing.assert_close(gradient, expected, rtol=1e-5, atol=1e-5, msg=name)


def zero_for_none(parameter: torch.nn.Parameter) -> torch.Tensor:
    """The gradient; a bias that normalisation cancels may have none."""
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def test_several_steps_in_float64_leave_the_weights_of_the_naive_step(cell_of, naive):
    ours = objective_of(cell_of, "slot9", torch.float64, pool=1)
    joint = objective_of(cell_of, "slot9", torch.float64, pool=1)
    naive_step = naive.NaiveStep(joint)
    for step in range(1, 4):
        images = {domain: image.double() for domain, image in pair(seed=step).items()}
        ours.step(images, StepStreams(STREAMS, step))
        naive_step(images, StepStreams(STREAMS, step))
    image = pair(seed=9)["A"].double()
    noise = torch.randn(1, 9, 8, generator=torch.Generator().manual_seed(0))
    left, right = (each.generators["A2B"](image, noise).image for each in (ours, joint))
    torch.testing.assert_close(left, right, rtol=0, atol=1e-8)
    for domain in "AB":
        judged = ours.discriminators[domain](image)
        torch.testing.assert_close(judged, joint.discriminators[domain](image), rtol=0, atol=1e-8)


@pytest.mark.parametrize("settings", ALL, ids=["lsgan", "relativistic", "wgan-gp"])
def test_at_most_two_generator_graphs_are_alive(settings, cell_of):
    objective = objective_of(cell_of, "spatial", **settings)
    alive, most = 0, 0

    def made(module, inputs, translation):
        nonlocal alive, most
        alive += 1
        most = max(most, alive)
        # Once its output has a gradient, a pass is differentiated and freed piece by piece.
        translation.image.register_hook(lambda gradient: freed())

    def freed():
        nonlocal alive
        alive -= 1

    for generator in objective.generators.values():
        generator.register_forward_hook(made)
    objective.step(pair(), StepStreams(STREAMS, 1))
    assert (alive, most) == (0, 2)


@pytest.mark.parametrize("settings", ALL, ids=["lsgan", "relativistic", "wgan-gp"])
def test_a_step_reports_every_loss_and_changes_every_network(settings, cell_of):
    objective = objective_of(cell_of, "spatial", **settings)
    networks = [*objective.generators.values(), *objective.discriminators.values()]
    before = copy.deepcopy([list(network.parameters()) for network in networks])
    done = objective.step(pair(), StepStreams(STREAMS, 1))
    assert set(done.losses) == set(objective.losses)
    assert all(loss.shape == () and not loss.requires_grad for loss in done.losses.values())
    for network, earlier in zip(networks, before, strict=True):
        changes = zip(network.parameters(), earlier, strict=True)
        assert any(not torch.equal(now, then) for now, then in changes)


def test_discriminators_learn_from_what_the_generators_made_before_their_update(cell_of):
    objective = objective_of(cell_of, pool=0)
    images, streams = pair(), StepStreams(STREAMS, 1)
    with torch.no_grad():
        fake = objective.generators["A2B"](images["A"]).image
        judge = objective.discriminators["B"]
        expected = 0.5 * ((judge(images["B"]) - 1).square().mean() + judge(fake).square().mean())
    done = objective.step(images, streams)
    assert done.losses["discriminator_B"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_swaps_are_reported_for_both_domains(cell_of):
    objective = objective_of(cell_of, pool=1)
    swaps = [objective.step(pair(2), StepStreams(STREAMS, step)).swaps for step in range(1, 7)]
    assert all(len(each) == 4 for each in swaps)
    assert {swap for each in swaps for swap in each} == {-1, 0}


def test_slot_noise_depends_on_the_role_and_never_on_the_order_of_calls():
    forth = [torch.randn(3, generator=StepStreams(STREAMS, 5).slot_noise(role)) for role in ("a", "b")]
    back = [torch.randn(3, generator=StepStreams(STREAMS, 5).slot_noise(role)) for role in ("b", "a")]
    assert torch.equal(forth[0], back[1])
    assert not torch.equal(forth[0], forth[1])


def test_the_gradient_penalty_of_a_linear_critic_is_its_slope():
    weight = torch.randn(3, 32, 32, generator=torch.Generator().manual_seed(0))

    class Linear(torch.nn.Module):
        def forward(self, image):
            return (weight * image).sum(dim=(1, 2, 3), keepdim=True)[:, :, 0, 0]

    images = pair(batch=2)
    penalty = gradient_penalty(Linear(), images["A"], images["B"], torch.tensor([0.3, 0.9]))
    assert penalty.item() == pytest.approx((weight.norm().item() - 1) ** 2, rel=1e-5)


def test_the_steepness_of_linear_logits_is_the_square_of_their_mean_slope():
    weights = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    images = torch.zeros(5, 3, 8, 8, requires_grad=True)
    logits = (images[:, None] * weights).sum(dim=(2, 3, 4))
    assert steepness(logits, images).item() == pytest.approx(weights.mean(dim=0).square().sum().item())


def test_relativistic_sides_want_opposite_orders_and_only_differences_count(cell_of):
    real, translated = torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 3.0]])
    expected = (math.log1p(math.exp(-1)) + math.log1p(math.exp(4))) / 2
    assert relativistic(real, translated).item() == pytest.approx(expected)
    assert relativistic(real + 7, translated + 7).item() == pytest.approx(expected)
    objective = objective_of(cell_of, objective="relativistic", pool=0)
    images, streams = pair(), StepStreams(STREAMS, 1)
    judge = objective.discriminators["B"]
    both = torch.cat([images["B"], objective.generators["A2B"](images["A"]).image.detach()])
    logits = judge(both.requires_grad_(True))
    of_discriminator = relativistic(*logits.chunk(2)) + steepness(logits, both)
    of_generator = relativistic(logits[1:], logits[:1])
    done = objective.step(images, streams)
    assert done.losses["gan_A2B"].item() == pytest.approx(of_generator.item(), rel=1e-4)
    assert done.losses["discriminator_B"].item() == pytest.approx(of_discriminator.item(), rel=1e-4)


def test_relativistic_discriminators_see_no_augmented_images_and_say_so(cell_of):
    with pytest.raises(UsageError, match=r"relativistic cannot honour train.diffaugment"):
        objective_of(cell_of, objective="relativistic", diffaugment="colour")


def test_identity_of_weight_zero_costs_no_pass_and_reports_zero(cell_of):
    objective = objective_of(cell_of, identity_weight=0.0)
    calls = []
    for generator in objective.generators.values():
        generator.register_forward_hook(lambda *_: calls.append(1))
    losses = objective.step(pair(), StepStreams(STREAMS, 1)).losses
    assert len(calls) == 4
    assert losses["identity_A"].item() == 0


@pytest.mark.parametrize("settings", ALL, ids=["lsgan", "relativistic", "wgan-gp"])
def test_bf16_computes_losses_in_fp32_near_those_of_fp32(settings, cell_of):
    exact = objective_of(cell_of, "slot9", **settings).step(pair(), StepStreams(STREAMS, 1)).losses
    rough = objective_of(cell_of, "slot9", precision="bf16", **settings)
    found = rough.step(pair(), StepStreams(STREAMS, 1)).losses
    assert {loss.dtype for loss in found.values()} == {torch.float32}
    assert {each.dtype for each in rough.generators["A2B"].parameters()} == {torch.float32}
    for name in ("cycle_A", "identity_B", "gan_A2B"):
        assert found[name].item() == pytest.approx(exact[name].item(), rel=0.05, abs=0.05)


def test_wgan_gp_with_an_image_pool_is_refused(cell_of):
    with pytest.raises(UsageError, match=r"no image pool.*--set train.pool=0"):
        objective_of(cell_of, objective="wgan-gp", pool=50)


def test_an_unknown_objective_is_refused_with_those_that_exist(cell_of):
    settings = cell_of().protocol.train
    with pytest.raises(UsageError, match=r"Unknown objective 'lsgam'.*'lsgan'"):
        build_objective("lsgam", {}, settings, STREAMS)


def test_equal_discriminators_for_every_variant(cell_of):
    one, other = objective_of(cell_of, "spatial"), objective_of(cell_of, "slot9")
    for domain in "AB":
        for left, right in zip(
            one.discriminators[domain].parameters(), other.discriminators[domain].parameters(), strict=True
        ):
            assert torch.equal(left, right)


OWN = "slot5[background=own,init=default,masks=attention,noise=none,reconstruct={},slot_init=own]"


@pytest.mark.parametrize("settings", ALL, ids=["lsgan", "relativistic", "wgan-gp"])
def test_a_generator_may_bring_losses_of_its_own_for_the_images_that_it_translates(settings, cell_of):
    objective = objective_of(cell_of, OWN.format(3), **settings)
    own = ("reconstruction_A2B", "reconstruction_B2A")
    assert objective.loss_names == (*objective.losses, *own)
    step = objective.step(pair(), StepStreams(STREAMS, 1))
    assert set(step.losses) == set(objective.loss_names)
    assert all(step.losses[name] > 0 for name in own)


def test_losses_of_its_own_change_nothing_but_the_generator_that_brings_them(cell_of):
    with_loss, without = objective_of(cell_of, OWN.format(3)), objective_of(cell_of, OWN.format(0))
    first = [each.step(pair(), StepStreams(STREAMS, 1)).losses for each in (with_loss, without)]
    for name in without.loss_names:
        torch.testing.assert_close(first[0][name], first[1][name])
    for domain in "AB":
        for ours, theirs in zip(
            with_loss.discriminators[domain].parameters(),
            without.discriminators[domain].parameters(),
            strict=True,
        ):
            torch.testing.assert_close(ours, theirs)
    learned = [each.generators["A2B"].head.attention.mu.grad for each in (with_loss, without)]
    assert (learned[0] - learned[1]).abs().max() > 0
