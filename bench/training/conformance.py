"""What an objective must do to be trained with, stopped and continued like every other: `bench check`.

    for result in check_objective("hinge"):
        print(result.name, result.passed, result.detail)

Every check does steps with two narrow generators, which show features as those of `cut` do, on random images.
"""

import io
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

import variants
from bench.errors import UsageError
from bench.names import counted
from bench.protocol import TrainSettings
from bench.runs.records import DIRECTIONS
from bench.streams import Streams
from bench.training.objective import (
    OBJECTIVES,
    RULES_TO_HONOUR,
    Objective,
    ObjectiveEntry,
    Step,
    build_objective,
)
from bench.training.schedule import Rates, StepStreams
from variants.contract import Generator
from variants.registry.checks import CheckResult, Failed, run, twice

GENERATOR = "cut"
NARROW = {"width": 4, "blocks": 1}
BATCH, SIZE, WIDTH = 2, 32, 4
STREAMS = Streams(0)


def check_objective(name: str) -> list[CheckResult]:
    """Every check of an objective. Raises UsageError for an unknown name."""
    entry = OBJECTIVES.find(name)
    return [run(title, check, entry) for title, check in OBJECTIVE_CHECKS.items()]


def listed_objectives() -> list[dict[str, Any]]:
    """What `bench list objectives` prints."""
    return [
        {
            "name": each.name,
            "summary": each.summary,
            "losses": ", ".join(each.make.losses),
            "honours": ", ".join(rule for rule in RULES_TO_HONOUR if rule in each.make.honours),
        }
        for each in OBJECTIVES.entries().values()
    ]


def settings_of(entry: ObjectiveEntry, **rules: Any) -> TrainSettings:
    """Settings with an image pool, or without one where the objective refuses it."""
    made = [
        TrainSettings(images_seen=8, discriminator_width=WIDTH, objective=entry.name, pool=pool, **rules)
        for pool in (1, 0)
    ]
    try:
        entry.make.refuse(entry.name, made[0])
    except UsageError:
        return made[1]
    return made[0]


def fresh(entry: ObjectiveEntry, **rules: Any) -> Objective:
    """The objective over generators whose weights follow from their names."""
    generators: dict[str, Generator] = {}
    for direction in DIRECTIONS:
        generators[direction] = variants.build(GENERATOR, NARROW)
        variants.initialise(generators[direction], partial(STREAMS.torch, "initial-weights", direction))
    return build_objective(entry.name, generators, settings_of(entry, **rules), STREAMS)


def steps_of(objective: Objective, *numbers: int) -> list[Step]:
    """Do the steps of these numbers, on images that follow from the number."""
    done = []
    for number in numbers:
        rng = torch.Generator().manual_seed(number)
        images = {each: torch.rand(BATCH, 3, SIZE, SIZE, generator=rng) * 2 - 1 for each in "AB"}
        done.append(objective.step(images, StepStreams(STREAMS, number)))
    return done


def networks_by_name(objective: Objective) -> Mapping[str, nn.Module]:
    """What has to learn, by what it is called in messages."""
    generators = {f"generator {direction}": each for direction, each in objective.generators.items()}
    discriminators = {f"discriminator {domain}": each for domain, each in objective.discriminators.items()}
    return generators | discriminators


def copied_weights(objective: Objective) -> dict[str, list[Tensor]]:
    """A copy of the weights of every network."""
    return {
        name: [each.detach().clone() for each in network.parameters()]
        for name, network in networks_by_name(objective).items()
    }


def untouched_networks(before: Mapping[str, list[Tensor]], after: Mapping[str, list[Tensor]]) -> list[str]:
    """The networks none of whose weights is another."""
    return [name for name in before if all(map(torch.equal, before[name], after[name]))]


def documented(entry: ObjectiveEntry) -> str:
    """It says in words what it is, and names its losses once each."""
    if not entry.summary.strip() or not (entry.make.__doc__ or "").strip():
        raise Failed("it has no summary or its class no docstring: say the losses and their source there")
    losses = entry.make.losses
    if not losses or len(set(losses)) < len(losses):
        raise Failed(f"losses names each column of losses.csv once, not {', '.join(losses) or 'none'}")
    unknown = entry.make.honours - set(RULES_TO_HONOUR)
    if unknown:
        raise Failed(f"honours has {', '.join(sorted(unknown))}; there are {', '.join(RULES_TO_HONOUR)}")
    return entry.summary


def losses_are_told(entry: ObjectiveEntry) -> str:
    """A step gives every loss that it names and no other, each a finite scalar without a graph."""
    objective = fresh(entry)
    for done in steps_of(objective, 1, 2):
        if set(done.losses) != set(objective.loss_names):
            differing = sorted(set(done.losses) ^ set(objective.loss_names))
            raise Failed(f"the losses named and those of a step differ in {', '.join(differing)}")
        for name, loss in done.losses.items():
            if loss.shape != () or loss.requires_grad:
                raise Failed(f"{name} is no scalar without gradients: detach it")
            if not torch.isfinite(loss):
                raise Failed(f"{name} is {loss.item()}")
    return ", ".join(objective.losses)


def everything_learns(entry: ObjectiveEntry) -> str:
    """Gradients reach both generators and both discriminators, and nothing moves at learning rate 0."""
    objective = fresh(entry)
    before = copied_weights(objective)
    objective.set_rates(Rates(0.0))
    steps_of(objective, 1)
    moved = sorted(set(before) - set(untouched_networks(before, copied_weights(objective))))
    if moved:
        raise Failed(f"{', '.join(moved)} changed at learning rate 0: its optimiser belongs in _optimisers")
    objective.set_rates(Rates(objective.settings.learning_rate))
    steps_of(objective, 2)
    idle = untouched_networks(before, copied_weights(objective))
    if idle:
        raise Failed(f"a step changes nothing in {', '.join(idle)}")
    return counted(len(before), "network")


def same_steps_again(entry: ObjectiveEntry) -> str:
    """The same seed gives the same weights, bit for bit, whatever the global random generators say."""

    def trained() -> dict[str, list[Tensor]]:
        objective = fresh(entry)
        steps_of(objective, 1, 2, 3)
        return copied_weights(objective)

    where = "a second training with the same seed: draw from the step's streams alone"
    refuse_other_weights(*twice(trained), where)
    return "same bits"


def continues_exactly(entry: ObjectiveEntry) -> str:
    """Stopped and taken up from a checkpoint, it gives the weights of a training that went on."""
    whole, resumed = fresh(entry), fresh(entry)
    steps_of(whole, 1, 2)
    state = whole.state_dict(), {name: each.state_dict() for name, each in whole.generators.items()}
    file = io.BytesIO()
    torch.save(state, file)
    of_objective, of_generators = torch.load(io.BytesIO(file.getvalue()), weights_only=True)
    for name, each in resumed.generators.items():
        each.load_state_dict(of_generators[name])
    resumed.load_state_dict(of_objective)
    steps_of(whole, 3, 4)
    steps_of(resumed, 3, 4)
    remedy = "what its steps change belongs in _parts, or in _optimisers"
    refuse_other_weights(copied_weights(whole), copied_weights(resumed), f"a continued training: {remedy}")
    return "same bits"


def refuse_other_weights(one: dict[str, list[Tensor]], other: dict[str, list[Tensor]], where: str) -> None:
    """Raise Failed where two sets of networks differ in a bit."""
    differing = sorted(set(one) - set(untouched_networks(one, other)))
    if differing:
        raise Failed(f"{', '.join(differing)} came out otherwise in {where}")


def rules_are_honoured(entry: ObjectiveEntry) -> str:
    """Where it says that it augments, all that discriminators see is augmented, and told for the trace."""
    if "diffaugment" not in entry.make.honours:
        return f"refused: {', '.join(rule for rule in RULES_TO_HONOUR if rule not in entry.make.honours)}"
    (done,) = steps_of(fresh(entry, diffaugment="colour"), 1)
    roles = {f"{role}_{domain}" for role in ("real", "judged", "fake") for domain in "AB"}
    missing = sorted(roles - set(done.augmentations))
    if missing:
        raise Failed(f"with train.diffaugment on, {', '.join(missing)} are not passed through `shown`")
    return ", ".join(sorted(entry.make.honours))


OBJECTIVE_CHECKS: dict[str, Callable[[ObjectiveEntry], str]] = {
    "documented": documented,
    "losses": losses_are_told,
    "learning": everything_learns,
    "determinism": same_steps_again,
    "resuming": continues_exactly,
    "rules": rules_are_honoured,
}
