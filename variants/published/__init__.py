"""Checkpoints of the published systems, as our generators.

state = torch.load("latest_net_G_A.pth", map_location="cpu", weights_only=True)
generator = variants.from_published("attentiongan", state)
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from variants.published.names import PublishedNames
from variants.registry.parameters import VariantError, unknown

if TYPE_CHECKING:
    from torch import Tensor

    from variants.contract import Generator
    from variants.published.files import Misfit

SYSTEMS = {
    "attentiongan": "spatial",
    "attentiongan-v1": "attentiongan-v1",
    "cyclegan": "cyclegan",
    "light-spatial5": "light-spatial5",
    "light-slot5": "light-slot5",
    "slot9": "slot9",
}
"""The variant that each published system is."""


def from_published(system: str, state: object, name: str = "This checkpoint") -> "Generator":
    """Our generator with the weights of a published checkpoint; its size is inferred from the weights.

    `state` is the state dict of one generator, or what a training saved around it: the one state dict in it
    that fits is taken, without the names that wrappers put before its own (`module.`, `netG.`). Entries that
    never reach the output are dropped. Raises VariantError, with a list, where none or several fit: any other
    entry that is missing, left over or of the wrong shape; no partial loading. `name` is that of the file.
    """
    from variants.published.files import choose

    require_system(system)

    def judge(tensors: "dict[str, Tensor]") -> "Misfit | None":
        return misfit(system, tensors)

    wanted = (
        f"the state dict of one generator of {system}, with entries such as {', '.join(examples(system))}"
    )
    chosen = choose(state, judge, f"{wanted} (systems: {', '.join(SYSTEMS)})", name)
    generator = sized(system, chosen.tensors)
    theirs = theirs_of(list(generator.state_dict()), names_of(system).modules(generator.parameter_values))
    generator.load_state_dict({ours: chosen.tensors[key] for ours, key in theirs.items()})
    return generator


def require_system(system: str) -> None:
    """Raise VariantError, with those that there are, for a published system that is not known."""
    if system not in SYSTEMS:
        raise unknown("published system", system, SYSTEMS)


def names_of(system: str) -> PublishedNames:
    """How a system names its weights."""
    # Imported here because the variants themselves import the names in this package.
    from variants.registry.catalogue import find

    names = find(SYSTEMS[system]).generator.published
    assert names is not None  # every system of the table declares its names
    return names


def sized(system: str, state: "Mapping[str, Tensor]") -> "Generator":
    """Our generator of the size that the weights tell. KeyError or VariantError where they tell none."""
    from variants.registry.spelling import build

    shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
    return build(SYSTEMS[system], names_of(system).parameters(shapes))


def examples(system: str) -> list[str]:
    """Names of some weights of a system."""
    from variants.registry.spelling import build

    generator = build(SYSTEMS[system], {"width": 2, "blocks": 1})
    theirs = theirs_of(list(generator.state_dict()), names_of(system).modules(generator.parameter_values))
    return list(theirs.values())[:3]


def misfit(system: str, state: "dict[str, Tensor]") -> "Misfit | None":
    """Why a state dict is not one of this system; None where it is, entry by entry."""
    from variants.published.files import Misfit

    try:
        generator = sized(system, state)
    except (KeyError, IndexError, VariantError) as error:
        reason = str(error) if isinstance(error, VariantError) else f"it lacks {error}."
        return Misfit(10**6, [f"This is no checkpoint of {system}: {reason}"])
    names, ours = names_of(system), generator.state_dict()
    theirs = theirs_of(list(ours), names.modules(generator.parameter_values))
    alive = {key for key in state if not any(re.fullmatch(dead, key) for dead in names.dead)}
    problems = [f"  missing: {key}" for key in theirs.values() if key not in alive]
    problems += [f"  left over: {key}" for key in sorted(alive - set(theirs.values()))]
    for name, key in theirs.items():
        if key in alive and state[key].shape != ours[name].shape:
            shapes = f"{list(state[key].shape)}, expected {list(ours[name].shape)}"
            problems.append(f"  wrong shape: {key} is {shapes}")
        elif key in alive and state[key].is_floating_point() != ours[name].is_floating_point():
            problems.append(f"  wrong type: {key} is {state[key].dtype}")
    return Misfit(len(problems), [f"These weights do not fit {system}:", *problems]) if problems else None


def theirs_of(keys: list[str], modules: Mapping[str, str]) -> dict[str, str]:
    """The published name of each of our keys."""
    by_length = sorted(modules, key=len, reverse=True)
    found = {}
    for key in keys:
        prefix = next(each for each in by_length if key == each or key.startswith(f"{each}."))
        found[key] = modules[prefix] + key[len(prefix) :]
    return found
