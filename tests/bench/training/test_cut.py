"""The objective of CUT: PatchNCE as in the paper, one direction never through the other."""

import copy
import math

import pytest
import torch

import variants
from bench.errors import UsageError
from bench.streams import Streams
from bench.training import train
from bench.training.contrast import PATCHES, TEMPERATURE, UNITS, PatchContrast, Projection, patch_nce
from bench.training.loop import RunFolder
from bench.training.objective import build_objective
from bench.training.schedule import Rates, StepStreams
from bench.training.session import fresh_generators

STREAMS = Streams(0)


def pair(batch: int = 1, size: int = 32, seed: int = 0) -> dict[str, torch.Tensor]:
    chance = torch.Generator().manual_seed(seed)
    return {domain: torch.rand(batch, 3, size, size, generator=chance) * 2 - 1 for domain in "AB"}


def objective_of(cell_of, dtype: torch.dtype = torch.float32, **settings) -> PatchContrast:
    cell = cell_of("cut", **settings)
    generators = fresh_generators(cell, torch.device("cpu"))
    objective = build_objective("cut", generators, cell.protocol.train, cell.streams())
    for network in networks(objective):
        network.to(dtype)
    return objective


def networks(objective: PatchContrast) -> list[torch.nn.Module]:
    return [
        part
        for parts in (objective.generators, objective.discriminators, objective.projections)
        for part in parts.values()
    ]


def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one * other).sum() / (one.square().sum().sqrt() * other.square().sum().sqrt()))


def naive_patch_nce(queries: torch.Tensor, keys: torch.Tensor) -> float:
    """Equations 2 and 3 of the paper, one patch after the other, averaged over patches."""
    losses = []
    for image in range(len(queries)):
        patches = range(queries.shape[1])
        for place in patches:
            query = queries[image, place]
            positive = math.exp(cosine(query, keys[image, place]) / 0.07)
            negatives = [
                math.exp(cosine(query, keys[image, other]) / 0.07) for other in patches if other != place
            ]
            losses.append(-math.log(positive / (positive + sum(negatives))))
    return sum(losses) / len(losses)


def vectors(seed: int, batch: int = 2, patches: int = 6, units: int = 5) -> torch.Tensor:
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(batch, patches, units, generator=chance, dtype=torch.float64)


def test_the_loss_is_that_of_the_paper():
    queries, keys = vectors(0), vectors(1)
    assert TEMPERATURE == 0.07
    assert patch_nce(queries, keys).item() == pytest.approx(naive_patch_nce(queries, keys), rel=1e-12)


def test_the_length_of_a_vector_does_not_count():
    queries, keys = vectors(0), vectors(1)
    torch.testing.assert_close(patch_nce(3 * queries, 0.1 * keys), patch_nce(queries, keys))


def test_patches_that_are_all_alike_cost_the_logarithm_of_their_number():
    alike = torch.ones(1, PATCHES, UNITS)
    assert patch_nce(alike, alike).item() == pytest.approx(math.log(PATCHES), rel=1e-5)


def test_negatives_are_of_the_same_image_alone():
    queries, keys = vectors(0), vectors(1)
    apart = [patch_nce(queries[one : one + 1], keys[one : one + 1]) for one in range(2)]
    torch.testing.assert_close(patch_nce(queries, keys), torch.stack(apart).mean())


def test_a_projection_takes_the_places_that_it_is_told():
    projection = Projection([3])
    layer = torch.rand(2, 3, 4, 4)
    (found,) = projection([layer], [torch.tensor([5, 2])])
    assert found.shape == (2, 2, UNITS)
    torch.testing.assert_close(found[:, 0], projection.perceptrons[0](layer[:, :, 1, 1]))
    torch.testing.assert_close(found[:, 1], projection.perceptrons[0](layer[:, :, 0, 2]))


def test_places_are_another_draw_for_every_step_role_and_layer_and_the_same_twice():
    def draw(step: int = 1, role: str = "fake_B", layer: int = 0) -> list[int]:
        return StepStreams(STREAMS, step).patches(role, layer, 1000, PATCHES).tolist()

    assert draw() == draw()
    assert len(set(draw())) == PATCHES
    assert len({tuple(each) for each in (draw(), draw(step=2), draw(role="x"), draw(layer=1))}) == 4


def test_a_layer_with_few_places_is_compared_whole():
    places = StepStreams(STREAMS, 1).patches("fake_B", 0, 10, PATCHES)
    assert sorted(places.tolist()) == list(range(10))


@pytest.mark.parametrize(
    ("blocks", "stages"),
    [(0, (0, 1, 2)), (1, (0, 1, 3)), (3, (0, 1, 3, 5)), (5, (0, 1, 3, 7)), (9, (0, 1, 3, 7))],
)
def test_pixels_both_halving_convolutions_first_and_fifth_block_are_compared(blocks, stages):
    generator = variants.build("cut", {"width": 4, "blocks": blocks})
    variants.initialise(generator, lambda name: torch.Generator().manual_seed(len(name)))
    image = pair()["A"]
    pixels, *shown = generator.patch_features(image)
    every = list(generator.trunk.encode_stages(image))  # two convolutions, the second normalised, the blocks
    assert torch.equal(pixels, image)
    assert [tuple(layer.shape[1:]) for layer in shown[:2]] == [(8, 16, 16), (16, 8, 8)]
    for layer, place in zip(shown, stages, strict=True):
        assert torch.equal(layer, every[place])


def test_stages_are_not_changed_after_they_were_given(cell_of):
    trunk = fresh_generators(cell_of("cut"), torch.device("cpu"))["A2B"].trunk
    with torch.no_grad():
        kept = [(stage, stage.clone()) for stage in trunk.encode_stages(pair()["A"])]
    assert all(torch.equal(stage, then) for stage, then in kept)
    torch.testing.assert_close(kept[-1][0], trunk.encode(pair()["A"]))


def test_a_step_reports_every_loss_and_changes_every_network(cell_of):
    objective = objective_of(cell_of)
    before = copy.deepcopy([list(network.parameters()) for network in networks(objective)])
    done = objective.step(pair(), StepStreams(STREAMS, 1))
    assert set(done.losses) == set(objective.losses)
    assert all(loss.shape == () and not loss.requires_grad for loss in done.losses.values())
    assert done.swaps == ()
    for network, earlier in zip(networks(objective), before, strict=True):
        changes = zip(network.parameters(), earlier, strict=True)
        assert any(not torch.equal(now, then) for now, then in changes)


def test_the_contrast_reaches_encoder_decoder_and_perceptrons_through_the_translation_alone(cell_of):
    objective = objective_of(cell_of)
    generator, projection = objective.generators["A2B"], objective.projections["A2B"]
    source = pair()["A"].requires_grad_(True)
    translated = generator(source.detach()).image
    objective.contrast("A2B", source, translated, StepStreams(STREAMS, 1), "fake_B").backward()
    assert source.grad is None
    for network in (generator, projection):
        for name, parameter in network.named_parameters():
            if name.endswith(".weight"):  # normalisation cancels most biases of the trunk
                assert parameter.grad.abs().max() > 0, name
    assert all(each.grad is None for each in objective.generators["B2A"].parameters())


def joint_generator_loss(objective: PatchContrast, images, streams: StepStreams) -> torch.Tensor:
    """All that generators and perceptrons learn from, written as one sum; discriminators as they are."""
    total = torch.zeros((), dtype=images["A"].dtype)
    for source, target in (("A", "B"), ("B", "A")):
        direction = f"{source}2{target}"
        generator, projection = objective.generators[direction], objective.projections[direction]
        translated = generator(images[source]).image
        total = total + (objective.discriminators[target](translated) - 1).square().mean()
        for image, made, role in (
            (images[source], translated, f"fake_{target}"),
            (images[target], generator(images[target]).image, f"identity_{target}"),
        ):
            layers = zip(generator.patch_features(image), generator.patch_features(made), strict=True)
            losses = []
            for number, (of_image, of_made) in enumerate(layers):
                places = streams.patches(role, number, of_image.shape[2] * of_image.shape[3], 256)
                perceptron = projection.perceptrons[number]
                key, query = (
                    torch.nn.functional.normalize(
                        perceptron(each.flatten(2).transpose(1, 2)[:, places]), dim=-1
                    )
                    for each in (of_image, of_made)
                )
                logits = query @ key.detach().transpose(1, 2) / 0.07
                losses.append(-torch.diagonal(logits.log_softmax(-1), dim1=1, dim2=2).mean())
            total = total + 0.5 * sum(losses) / len(losses)
    return total


@pytest.mark.parametrize("batch", [1, 2])
def test_gradients_term_by_term_are_those_of_the_joint_loss_with_the_new_discriminators(batch, cell_of):
    ours, joint = (objective_of(cell_of, torch.float64) for _ in range(2))
    images = {domain: image.double() for domain, image in pair(batch).items()}
    streams = StepStreams(STREAMS, 1)
    ours.step(images, streams)
    for target in "AB":
        joint.discriminators[target].load_state_dict(ours.discriminators[target].state_dict())
    joint_generator_loss(joint, images, streams).backward()
    for left, right in zip(networks(ours), networks(joint), strict=True):
        if left in ours.discriminators.values():
            continue
        theirs = dict(right.named_parameters())
        for name, parameter in left.named_parameters():
            if parameter.grad is None and theirs[name].grad is None:
                continue
            torch.testing.assert_close(parameter.grad, theirs[name].grad, rtol=1e-9, atol=1e-9, msg=name)


def test_neither_direction_hears_of_the_other(cell_of):
    one, other = (objective_of(cell_of) for _ in range(2))
    with torch.no_grad():
        for part in (other.generators["B2A"], other.discriminators["A"], other.projections["B2A"]):
            for parameter in part.parameters():
                parameter.add_(0.01)
    for step in (1, 2):
        for objective in (one, other):
            objective.step(pair(), StepStreams(STREAMS, step))
    for left, right in (
        (one.generators["A2B"], other.generators["A2B"]),
        (one.discriminators["B"], other.discriminators["B"]),
        (one.projections["A2B"], other.projections["A2B"]),
    ):
        theirs = right.state_dict()
        assert all(torch.equal(tensor, theirs[name]) for name, tensor in left.state_dict().items())


def test_what_has_no_use_here_changes_nothing(cell_of):
    plain = objective_of(cell_of).step(pair(), StepStreams(STREAMS, 1)).losses
    rules = {"cycle_weight": 100.0, "identity_weight": 0.0, "pool": 0, "objective": "wgan-gp"}
    changed = objective_of(cell_of, **rules).step(pair(), StepStreams(STREAMS, 1)).losses
    assert all(torch.equal(plain[name], changed[name]) for name in plain)


def test_the_perceptrons_follow_the_learning_rate_and_belong_to_the_checkpoint(cell_of):
    objective = objective_of(cell_of)
    objective.set_rates(Rates(0.5))
    assert objective.projection_optimiser.param_groups[0]["lr"] == 0.5
    assert {"projection_A2B", "projection_B2A", "optimiser_projections"} <= objective.state_dict().keys()


def test_bf16_computes_losses_in_fp32_near_those_of_fp32(cell_of):
    exact = objective_of(cell_of).step(pair(), StepStreams(STREAMS, 1)).losses
    rough = objective_of(cell_of, precision="bf16")
    found = rough.step(pair(), StepStreams(STREAMS, 1)).losses
    assert {loss.dtype for loss in found.values()} == {torch.float32}
    for name in ("patchnce_A2B", "patchnce_identity_B", "gan_A2B"):
        assert found[name].item() == pytest.approx(exact[name].item(), rel=0.05, abs=0.05)


def test_a_generator_that_shows_no_features_is_refused(cell_of):
    cell = cell_of("spatial")
    generators = fresh_generators(cell, torch.device("cpu"))
    with pytest.raises(UsageError, match=r"Spatial shows none\. Define patch_features"):
        build_objective("cut", generators, cell.protocol.train, cell.streams())


def test_a_run_is_trained_with_its_own_objective_and_fed_what_others_are(cell_of, dataset, tmp_path):
    settings = {"images_seen": 8, "pool": 2, "validations": 1}
    ours = train(cell_of("cut", **settings), dataset, RunFolder(tmp_path / "cut"))
    theirs = train(cell_of("cyclegan", **settings), dataset, RunFolder(tmp_path / "cyclegan"))
    columns = (tmp_path / "cut" / "losses.csv").read_text().splitlines()[0].split(",")
    assert tuple(columns[2:-2]) == PatchContrast.losses
    assert ours.trace_hash_without_pool == theirs.trace_hash_without_pool
    assert ours.trace_hash_without_pool == ours.trace_hash  # it has no pool
    assert ours.trace_hash != theirs.trace_hash
