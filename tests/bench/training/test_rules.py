"""Rules of training that came later: absent where off, alike for all variants, in the trace where on."""

import copy
import csv
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import UsageError
from bench.progress import Silent
from bench.protocol import TrainSettings, load_protocol
from bench.runs.folder import RunFolder
from bench.streams import Streams
from bench.training import load_generators, train
from bench.training.discriminators import augment
from bench.training.memory import bytes_of_a_step
from bench.training.objective import OBJECTIVES, build_objective, objective, objective_name
from bench.training.schedule import Schedule, StepStreams
from bench.training.session import Session, fresh_generators

STREAMS = Streams(0)
CPU = torch.device("cpu")
WGAN = {"objective": "wgan-gp", "pool": 0}
EMA = {"ema_half_life": 4.0, "ema_ramp_up": 0.5}
AUGMENT = {"diffaugment": "colour-translation-cutout"}
ALL = {**EMA, **AUGMENT, "discriminator_learning_rate": 4e-4}
FADE = {"identity_fade": 0.5}


def table(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def session_of(cell, images: int = 12) -> Session:
    return Session(cell, fresh_generators(cell, CPU), Schedule(images, cell.protocol.train))


def pair(batch: int = 1, seed: int = 0) -> dict[str, torch.Tensor]:
    chance = torch.Generator().manual_seed(seed)
    return {domain: torch.rand(batch, 3, 32, 32, generator=chance) * 2 - 1 for domain in "AB"}


@pytest.mark.parametrize(
    ("variant", "rules", "trace"),
    [
        ("spatial", {}, "e5072b97d59eb1c0c4ed07f85fa42b4c6615a7540d8664ef319fbd6ca47f372d"),
        ("spatial", WGAN, "7e9677c2f78af8ae496d26769d566eb28eebe6c0364cd5a19245ca8ccaee1af1"),
        ("cut", {}, "7e9677c2f78af8ae496d26769d566eb28eebe6c0364cd5a19245ca8ccaee1af1"),
    ],
)
def test_without_later_rules_a_run_is_fed_what_it_always_was(variant, rules, trace, cell_of, dataset, folder):
    cell = cell_of(variant, images_seen=6, validations=1, **rules)
    assert train(cell, dataset, folder).trace_hash == trace
    assert list(table(folder.losses_csv)[0])[-2:] == ["learning_rate", "seconds"]


class TestNames:
    def test_a_rule_that_is_off_is_in_no_name_and_in_no_hash(self):
        plain = load_protocol("small")
        for rule in ("ema_half_life", "diffaugment", "discriminator_learning_rate", "identity_fade"):
            off = load_protocol("small", (f"train.{rule}=off",))
            assert (off.name, off.hash()) == (plain.name, plain.hash())
        beside = load_protocol("small", ("train.ema_half_life=off", "train.batch=2"))
        assert beside.name == "small[train.batch=2]"

    def test_a_rule_that_is_on_is_in_both(self):
        on = load_protocol("small", ("train.diffaugment=cutout-colour",))
        assert on.name == "small[train.diffaugment=cutout-colour]"
        assert on.hash() != load_protocol("small").hash()
        assert on.hash() == load_protocol("small", ("train.diffaugment=colour-cutout",)).hash()

    def test_switching_off_what_a_file_has_on_is_told(self, tmp_path):
        file = tmp_path / "mine.toml"
        text = "[images]\nsize = 32\nload_size = 32\n[train]\nimages_seen = 4\nema_half_life = 5\n[score]\n"
        file.write_text(text)
        off = load_protocol(str(file), ("train.ema_half_life=off",))
        assert off.name == "mine[train.ema_half_life=off]"
        assert off.train.ema_half_life is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            ["ema_half_life=0"],
            r"train.ema_half_life = 0: must be above 0; leave ema_half_life out",
        ),
        (["ema_half_life=-3.5"], r"train.ema_half_life = -3.5: must be above 0"),
        (["ema_half_life=inf"], r"train.ema_half_life = inf: Input should be a finite number"),
        (["ema_half_life=nan"], r"Input should be a finite number"),
        (["ema_half_life=long"], r"train.ema_half_life = 'long': Input should be a valid number"),
        (["ema_half_life=9", "ema_ramp_up=0"], r"train.ema_ramp_up = 0: must be above 0"),
        (["ema_ramp_up=0.1"], r"there is none: give train.ema_half_life in images, or leave ema_ramp_up out"),
        (["diffaugment=color"], r"takes each of colour, translation, cutout at most once, joined by '-'"),
        (["diffaugment=cutout-cutout"], r"at most once"),
        (['diffaugment=""'], r"takes each of colour, translation, cutout"),
        (["discriminator_learning_rate=0"], r"must be above 0"),
        (["identity_fade=0"], r"must be above 0"),
        (["identity_fade=1.5"], r"is a share of the training: at most 1"),
        (["identity_fade=0.5", "identity_weight=0"], r"give it a weight, or leave identity_fade out"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_at_load_with_the_remedy(changes, message):
    with pytest.raises(UsageError, match=message):
        load_protocol("small", tuple(f"train.{change}" for change in changes))


class TestAverage:
    def test_is_that_of_the_weights_after_each_step_by_the_half_life(self, cell_of):
        session = session_of(cell_of("spatial", batch=2, **EMA))
        name = "trunk.stem.weight"
        expected = session.generators["A2B"].state_dict()[name].clone()
        for step in range(1, 5):
            session.learn(pair(2, step), StepStreams(STREAMS, step), images_seen=2 * step)
            left = 0.5 ** (2 / min(4.0, 0.5 * 2 * step))
            expected = left * expected + (1 - left) * session.generators["A2B"].state_dict()[name]
        torch.testing.assert_close(session.kept["A2B"].state_dict()[name], expected)
        assert not torch.equal(expected, session.generators["A2B"].state_dict()[name])

    def test_has_running_statistics_of_its_own(self, cell_of):
        session = session_of(cell_of("attentiongan-v1", **EMA))
        session.learn(pair(), StepStreams(STREAMS, 1), images_seen=1)
        first = {
            name: each.clone()
            for name, each in session.kept["A2B"].named_buffers()
            if each.is_floating_point()
        }
        session.learn(pair(seed=1), StepStreams(STREAMS, 2), images_seen=2)
        trained = dict(session.generators["A2B"].named_buffers())
        averaged = dict(session.kept["A2B"].named_buffers())
        assert first
        for name, before in first.items():
            torch.testing.assert_close(
                averaged[name], 0.5 * before + 0.5 * trained[name], rtol=1e-5, atol=1e-6
            )
        for name, each in averaged.items():
            if not each.is_floating_point():
                assert torch.equal(each, trained[name])

    def test_is_what_is_validated_scored_and_kept(self, cell_of, dataset, tmp_path, measure):
        plain, averaged = (RunFolder(tmp_path / name) for name in ("plain", "averaged"))
        train(cell_of(), dataset, plain, **measure)
        trained = train(cell_of(**EMA), dataset, averaged, **measure)
        # Training itself is the same: losses are those of the trained weights.
        losses = [[row["gan_A2B"] for row in table(each.losses_csv)] for each in (plain, averaged)]
        assert losses[0] == losses[1]
        assert table(plain.validation_csv)[-1]["kd_A2B"] != table(averaged.validation_csv)[-1]["kd_A2B"]
        saved = torch.load(averaged.checkpoints / "last.pt", weights_only=True)
        kept = load_generators(averaged.generator)["B2A"].state_dict()
        best = load_generators(averaged.checkpoints / "validation.safetensors")["B2A"].state_dict()
        last = load_generators(plain.generator)["B2A"].state_dict()
        for name, each in trained.generators["B2A"].state_dict().items():
            assert torch.equal(each, kept[name])
            assert torch.equal(each, saved["average_B2A"][name])
            assert torch.equal(saved["generator_B2A"][name], last[name])
        assert trained.validation_step == 12 or any(not torch.equal(best[name], kept[name]) for name in kept)
        assert any(not torch.equal(kept[name], last[name]) for name in kept)

    @given(images=st.integers(1, 10**6), batch=st.integers(1, 64), half_life=st.floats(1e-3, 1e6))
    def test_of_equal_weights_is_those_weights(self, images, batch, half_life):
        from bench.training.session import decay

        assert 0 <= decay(half_life, 0.05, images, batch) < 1

    def test_leaves_what_is_not_trained_as_it_is(self, cell_of, dataset, folder):
        trained = train(cell_of("copy", **ALL), dataset, folder)
        assert (trained.steps, trained.trace_hash) == (0, None)


class StopAt(Silent):
    def __init__(self, step: int) -> None:
        self.left = step

    def start(self, task, total, done=0):
        self.left -= done

    def advance(self, units=1, figures=""):
        self.left -= units
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("variant", "rules"),
    [("spatial", {}), ("slot9", FADE), ("spatial", WGAN | FADE), ("attentiongan-v1", WGAN), ("cut", {})],
    ids=["lsgan", "slots-fading", "wgan-gp-fading", "batch-norm", "cut"],
)
def test_with_every_rule_a_run_interrupted_after_every_step_ends_equal(
    variant, rules, cell_of, dataset, tmp_path, measure
):
    cell = cell_of(variant, batch=2, images_seen=12, log_every=1, **ALL, **rules)
    whole, pieces = (RunFolder(tmp_path / name) for name in ("whole", "pieces"))
    expected = train(cell, dataset, whole, **measure)
    for step in range(1, 6):
        with pytest.raises(KeyboardInterrupt):
            train(cell, dataset, pieces, progress=StopAt(step), seconds_between_checkpoints=0, **measure)
    resumed = train(cell, dataset, pieces, **measure)
    assert resumed.trace_hash == expected.trace_hash
    assert pieces.generator.read_bytes() == whole.generator.read_bytes()
    assert pieces.validation_csv.read_text() == whole.validation_csv.read_text()
    rows = [[row | {"seconds": ""} for row in table(each.losses_csv)] for each in (whole, pieces)]
    assert rows[0] == rows[1]


class TestTrace:
    def test_is_the_same_for_every_variant_and_another_for_every_rule(self, cell_of, dataset, tmp_path):
        def trace_of(variant: str, **rules) -> str:
            cell = cell_of(variant, images_seen=4, validations=1, **rules)
            folder = RunFolder(tmp_path / str(len(list(tmp_path.iterdir()))))
            return train(cell, dataset, folder).trace_hash

        both = AUGMENT | FADE | {"discriminator_learning_rate": 4e-4}
        assert trace_of("spatial", **both) == trace_of("slot9", **both)
        traces = [trace_of("spatial", **each) for each in ({}, AUGMENT, FADE, both)]
        assert len(set(traces)) == len(traces)

    def test_of_objectives_with_and_without_a_pool_agrees_where_pools_are_left_out(
        self, cell_of, dataset, tmp_path
    ):
        found = [
            train(
                cell_of(variant, images_seen=4, validations=1, **ALL, **rules),
                dataset,
                RunFolder(tmp_path / f"{number}"),
            ).trace_hash_without_pool
            for number, (variant, rules) in enumerate([("spatial", {}), ("spatial", WGAN), ("cut", {})])
        ]
        assert len(set(found)) == 1


class TestDiffAugment:
    NEUTRAL = np.full((2, 7), 0.5)

    def test_neutral_draws_change_nothing_but_the_cutout(self):
        image = pair(2)["A"]
        torch.testing.assert_close(augment(image, self.NEUTRAL, ["colour", "translation"]), image)
        cut = augment(image, self.NEUTRAL, ["cutout"])
        assert (cut[:, :, 8:24, 8:24] == 0).all()
        assert torch.equal(cut[:, :, :, :8], image[:, :, :, :8])

    def test_colour_has_the_ranges_of_the_paper(self):
        image = pair(1)["A"]
        low, high = np.zeros((1, 7)), np.full((1, 7), 1 - 1e-12)
        low[0, 1:], high[0, 1:] = 0.5, 0.5
        torch.testing.assert_close(augment(image, low, ["colour"]), image - 0.5)
        torch.testing.assert_close(augment(image, high, ["colour"]), image + 0.5)
        grey, vivid = self.NEUTRAL[:1].copy(), self.NEUTRAL[:1].copy()
        grey[0, 1], vivid[0, 1] = 0, 1 - 1e-12
        assert augment(image, grey, ["colour"]).std(dim=1).max() < 1e-6
        spread = augment(image, vivid, ["colour"]).std(dim=1) / image.std(dim=1)
        torch.testing.assert_close(spread, torch.full_like(spread, 2.0), rtol=1e-4, atol=1e-4)
        flat = self.NEUTRAL[:1].copy()
        flat[0, 2] = 0
        assert augment(image, flat, ["colour"]).std() / image.std() == pytest.approx(0.5, rel=1e-4)

    @settings(deadline=None)
    @given(down=st.floats(0, 1, exclude_max=True), right=st.floats(0, 1, exclude_max=True))
    def test_translation_moves_by_an_eighth_at_most_and_fills_with_zeros(self, down, right):
        draws = self.NEUTRAL[:1].copy()
        draws[0, 3:5] = down, right
        place = torch.zeros(1, 3, 32, 48)
        place[0, :, 16, 24] = 1
        moved = augment(place, draws, ["translation"])
        _, _, row, column = (int(each[0]) for each in moved.nonzero(as_tuple=True))
        assert moved.sum() == 3
        assert abs(row - 16) <= 4
        assert abs(column - 24) <= 6

    def test_every_shift_is_drawn(self):
        place = torch.zeros(1, 3, 32, 32)
        place[0, :, 16, 16] = 1
        rows = set()
        for down in np.linspace(0, 0.9999, 200):
            draws = self.NEUTRAL[:1].copy()
            draws[0, 3] = down
            rows.add(int(augment(place, draws, ["translation"]).nonzero()[0, 2]))
        assert rows == set(range(12, 21))

    @settings(deadline=None)
    @given(row=st.floats(0, 1, exclude_max=True), column=st.floats(0, 1, exclude_max=True))
    def test_a_cutout_covers_a_quarter_to_a_sixteenth_of_the_image(self, row, column):
        draws = self.NEUTRAL[:1].copy()
        draws[0, 5:] = row, column
        cut = augment(torch.ones(1, 3, 32, 32), draws, ["cutout"])
        assert 1 / 16 - 0.02 <= float((cut == 0).float().mean()) <= 1 / 4

    @settings(deadline=None, max_examples=20)
    @given(seed=st.integers(0, 99))
    def test_an_image_is_augmented_by_its_own_draws_whatever_is_beside_it(self, seed):
        images, draws = pair(3, seed)["A"], np.random.default_rng(seed).random((3, 7))
        kinds = ["colour", "translation", "cutout"]
        together = augment(images, draws, kinds)
        alone = [augment(images[place : place + 1], draws[place : place + 1], kinds) for place in range(3)]
        torch.testing.assert_close(together, torch.cat(alone))

    def test_gradients_reach_the_image(self):
        image = pair(2)["A"].requires_grad_(True)
        draws = np.random.default_rng(0).random((2, 7))
        augment(image, draws, ["colour", "translation", "cutout"]).sum().backward()
        assert image.grad.abs().sum() > 0

    @pytest.mark.parametrize(
        ("variant", "rules"),
        [("spatial", {}), ("spatial", WGAN), ("cut", {})],
        ids=["lsgan", "wgan-gp", "cut"],
    )
    def test_discriminators_see_nothing_that_is_not_augmented(self, variant, rules, cell_of):
        objective = session_of(cell_of(variant, diffaugment="cutout", **rules)).objective
        seen = []
        for judge in objective.discriminators.values():
            judge.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
        done = objective.step(pair(2), StepStreams(STREAMS, 1))
        # The gradient penalty is taken between a real and a translated image, both cut out elsewhere.
        images = [image for each in seen if not each.is_leaf or not each.requires_grad for image in each]
        assert len(images) >= 12
        assert all((image == 0).all(dim=0).float().mean() > 1 / 20 for image in images)
        assert sorted(done.augmentations) == sorted(
            f"{role}_{domain}" for role in ("real", "judged", "fake") for domain in "AB"
        )

    def test_it_is_no_augmentation_of_what_generators_see(self, cell_of):
        objective = session_of(cell_of(diffaugment="cutout")).objective
        seen = []
        for generator in objective.generators.values():
            generator.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
        images = pair()
        objective.step(images, StepStreams(STREAMS, 1))
        assert not any((each == 0).any() for each in seen)

    def test_the_memory_of_a_step_with_every_rule_can_be_foretold(self, cell_of):
        plain = session_of(cell_of()).objective
        ruled = session_of(cell_of(**ALL, **FADE)).objective
        assert bytes_of_a_step(ruled, 1, 32) > bytes_of_a_step(plain, 1, 32)


class TestRates:
    def test_discriminators_have_a_rate_of_their_own_that_falls_alike(self, cell_of, dataset, folder):
        train(cell_of(log_every=1, discriminator_learning_rate=8e-4), dataset, folder)
        rows = table(folder.losses_csv)
        assert list(rows[0])[-3:] == ["learning_rate", "learning_rate_discriminators", "seconds"]
        for row in rows:
            own, other = float(row["learning_rate_discriminators"]), float(row["learning_rate"])
            assert own == pytest.approx(4 * other)
        assert float(rows[-1]["learning_rate_discriminators"]) < 8e-4 / 5

    @pytest.mark.parametrize("variant", ["spatial", "cut"])
    def test_every_optimiser_has_its_rate(self, variant, cell_of):
        session = session_of(cell_of(variant, discriminator_learning_rate=8e-4))
        session.objective.set_rates(Schedule(12, session.objective.settings).rates(1))
        rates = {
            name: state["param_groups"][0]["lr"]
            for name, state in session.objective.state_dict().items()
            if name.startswith("optimiser")
        }
        for name, rate in rates.items():
            assert rate == (8e-4 if "discriminator" in name else 2e-4), name

    @pytest.mark.parametrize("rules", [{}, WGAN], ids=["lsgan", "wgan-gp"])
    def test_a_fading_identity_weight_falls_to_nothing_and_then_costs_nothing(
        self, rules, cell_of, dataset, folder
    ):
        train(cell_of(log_every=1, **FADE, **rules), dataset, folder)
        rows = table(folder.losses_csv)
        weights = [float(row["identity_weight"]) for row in rows]
        assert weights[0] == 5.0
        assert weights[3] == pytest.approx(2.5)
        assert all(later < earlier for earlier, later in pairwise(weights[:7]))
        assert weights[6:] == [0.0] * 6
        assert all(float(row["identity_A"]) > 0 for row in rows[:6])
        assert all(float(row["identity_A"]) == 0 for row in rows[6:])

    def test_passes_of_the_identity_are_saved_once_it_has_faded(self, cell_of):
        objective = session_of(cell_of(**FADE)).objective
        calls = []
        for generator in objective.generators.values():
            generator.register_forward_hook(lambda *_: calls.append(1))
        for step, passes in ((1, 6), (7, 4)):
            calls.clear()
            objective.set_rates(Schedule(12, objective.settings).rates(step))
            objective.step(pair(), StepStreams(STREAMS, step))
            assert len(calls) == passes


class TestRefusals:
    def test_an_objective_that_cannot_honour_a_rule_is_refused_by_name(self, cell_of, dataset, folder):
        with pytest.raises(
            UsageError, match=r"Objective cut cannot honour train.identity_fade, which is 0.5"
        ):
            train(cell_of("cut", **FADE), dataset, folder)

    def test_an_objective_says_which_rules_it_honours(self, cell_of, request):
        request.addfinalizer(lambda: OBJECTIVES.forget(__name__))

        @objective("theirs", summary="")
        class Silent(OBJECTIVES.find("lsgan").make):
            honours = frozenset()

        cell = cell_of(**AUGMENT)
        with pytest.raises(UsageError, match=r"Objective theirs cannot honour train.diffaugment"):
            build_objective("theirs", fresh_generators(cell, CPU), cell.protocol.train, STREAMS)
        plain = cell_of(**EMA, discriminator_learning_rate=1e-3)
        build_objective("theirs", fresh_generators(plain, CPU), plain.protocol.train, STREAMS)

    def test_the_rules_of_all_objectives_reach_them(self, cell_of):
        for variant, rules in (("spatial", {}), ("spatial", WGAN), ("cut", {})):
            cell = cell_of(variant, **ALL, **rules)
            session = session_of(cell)
            before = copy.deepcopy(session.kept["A2B"].state_dict())
            session.learn(pair(), StepStreams(STREAMS, 1), images_seen=1)
            after = session.kept["A2B"].state_dict()
            assert objective_name(cell) in {"lsgan", "wgan-gp", "cut"}
            assert any(not torch.equal(before[name], after[name]) for name in before)


def test_settings_of_later_rules_are_read_back_from_a_record():
    rules = TrainSettings(images_seen=9, **ALL, **FADE)
    assert TrainSettings.model_validate(rules.model_dump(mode="json") | {"betas": (0.5, 0.999)}) == rules
