"""Checkpoints of the published systems, as our generators.

state = torch.load("latest_net_G_A.pth", map_location="cpu", weights_only=True)
generator = variants.from_published("attentiongan", state)
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from variants.errors import VariantError, unknown
from variants.published.names import PublishedNames

if TYPE_CHECKING:
    from torch import Tensor

    from variants.contract import Generator

SYSTEMS = {
    "attentiongan": "spatial",
    "attentiongan-v1": "attentiongan-v1",
    "cyclegan": "cyclegan",
    "light-spatial5": "light-spatial5",
    "light-slot5": "light-slot5",
    "slot9": "slot9",
}
"""The variant that each published system is."""


def from_published(system: str, state: "Mapping[str, Tensor]") -> "Generator":
    """Our generator with the weights of a published checkpoint; its size is inferred from the weights.

    Entries that never reach the output are dropped, a common prefix `module.` too. Raises VariantError, with
    a list, where any other entry is missing, left over or of the wrong shape; no partial loading.
    """
    # Imported here because the variants themselves import the names in this package.
    from variants.catalogue import registered
    from variants.construction import build

    if system not in SYSTEMS:
        raise unknown("published system", system, SYSTEMS)
    names = registered(SYSTEMS[system]).generator.published
    assert names is not None  # every system of the table declares its names
    state = without_prefix(state)
    generator = build(SYSTEMS[system], infer(system, names, state))
    load(system, names, generator, state)
    return generator


def without_prefix(state: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """The state without the `module.` that torch's DataParallel puts before every name."""
    if state and all(key.startswith("module.") for key in state):
        return {key.removeprefix("module."): tensor for key, tensor in state.items()}
    return dict(state)


def infer(system: str, names: PublishedNames, state: "Mapping[str, Tensor]") -> dict[str, object]:
    """Our parameters for this checkpoint."""
    try:
        return names.parameters({key: tuple(tensor.shape) for key, tensor in state.items()})
    except (KeyError, IndexError) as error:
        raise VariantError(
            f"This is no checkpoint of {system}: it lacks {error}. It holds {len(state)} entries"
            f"{', such as ' + ', '.join(list(state)[:3]) if state else ''}. "
            f"Systems: {', '.join(SYSTEMS)}."
        ) from None


def load(system: str, names: PublishedNames, generator: "Generator", state: "Mapping[str, Tensor]") -> None:
    """Copy the entries of `state` into `generator`; all of them or an error."""
    ours = generator.state_dict()
    theirs = theirs_of(list(ours), names.modules(generator.parameter_values))
    alive = {key for key in state if not any(re.fullmatch(dead, key) for dead in names.dead)}
    problems = [f"missing: {key}" for key in theirs.values() if key not in alive]
    problems += [f"left over: {key}" for key in sorted(alive - set(theirs.values()))]
    problems += [
        f"wrong shape: {key} is {list(state[key].shape)}, expected {list(ours[name].shape)}"
        for name, key in theirs.items()
        if key in alive and state[key].shape != ours[name].shape
    ]
    if problems:
        listed = "\n  ".join(problems)
        raise VariantError(f"This checkpoint does not fit {system}:\n  {listed}")
    generator.load_state_dict({name: state[key] for name, key in theirs.items()})


def theirs_of(keys: list[str], modules: Mapping[str, str]) -> dict[str, str]:
    """The published name of each of our keys."""
    by_length = sorted(modules, key=len, reverse=True)
    found = {}
    for key in keys:
        prefix = next(each for each in by_length if key == each or key.startswith(f"{each}."))
        found[key] = modules[prefix] + key[len(prefix) :]
    return found
