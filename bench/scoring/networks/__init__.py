"""Feature networks by name: one a file with its entry on it, plugins', and those that torch-fidelity has.

There is no silent fallback: a network whose weights are missing is an error that names the remedy.
Torch-fidelity takes seconds to import, so its own networks are asked for last.
"""

from pathlib import Path
from typing import Any

import torch

from bench.names import unknown_name
from bench.scoring.networks.network import NETWORKS, FeatureNetwork, Features, network
from bench.scoring.networks.weights import WeightsFile, built_from, judged_by_names, matching_state

__all__ = [
    "NETWORKS",
    "FeatureNetwork",
    "Features",
    "WeightsFile",
    "built_from",
    "judged_by_names",
    "load_network",
    "matching_state",
    "network",
    "network_names",
    "plain_name",
    "require_weights",
]


def network_names() -> list[str]:
    """Every name that `load_network` takes."""
    from bench.scoring.networks.fidelity import registered_networks

    return [*NETWORKS.entries(), *registered_networks()]


def listed_networks() -> list[dict[str, Any]]:
    """What `bench list networks` prints."""
    from bench.scoring.networks.fidelity import registered_networks

    own = [
        {
            "name": each.name,
            "summary": each.summary,
            "dimension": each.dimension,
            "resize": each.resize,
            "weights": each.weights.address if each.weights else each.source,
        }
        for each in NETWORKS.entries().values()
    ]
    theirs = {"summary": "of torch-fidelity", "dimension": None, "resize": "", "weights": "torch-fidelity's"}
    return own + [{"name": name, **theirs} for name in registered_networks()]


def plain_name(name: str) -> str:
    """The name as cards and titles spell it: `torch-fidelity:clip-vit-b-32` is `clip-vit-b-32`.

    Raises UsageError for a name that does not exist.
    """
    plain = name.removeprefix("torch-fidelity:")
    plain = "inception" if plain == "inception-v3-compat" else plain
    if plain not in NETWORKS.entries() and plain not in network_names():
        raise unknown_name("feature network", name, network_names(), "bench list networks")
    return plain


def load_network(
    name: str, weights: Path | None = None, device: torch.device | str = "cpu"
) -> FeatureNetwork:
    """The feature network `name` with weights from the file `weights`, else from torch's folder or download.

    Raises UsageError for an unknown name, BenchError for weights that are missing, damaged, of the wrong
    hash or of the wrong shapes.
    """
    plain = plain_name(name)
    where = torch.device(device)
    if plain in NETWORKS.entries():
        return NETWORKS.find(plain).load(weights, where)
    from bench.scoring.networks.fidelity import load_fidelity

    return load_fidelity(plain, weights, where)


def require_weights(name: str, weights: Path | None = None) -> str:
    """Make sure, before hours of training, that `name` can be loaded; returns the SHA-256 of its weights.

    Missing weights are downloaded here. Raises what `load_network` raises: the message names the file, its
    address, the option --weights FILE, the folder where it is looked for, and --features tiny.
    """
    return load_network(name, weights).weights_hash
