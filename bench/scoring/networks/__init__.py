"""Feature networks by name: `inception`, `squeezenet`, `efficientnet-lite0`, `tiny`, and torch-fidelity's.

There is no silent fallback: a network whose weights are missing is an error that names the remedy.
Torchvision and torch-fidelity take seconds to import, so each network's module is imported when asked for.
"""

from pathlib import Path

import torch

from bench.names import unknown_name
from bench.scoring.networks.network import FeatureNetwork, Features

__all__ = ["FeatureNetwork", "Features", "load_network", "network_names", "plain_name", "require_weights"]

OWN_NAMES = ("inception", "squeezenet", "efficientnet-lite0", "tiny")


def network_names() -> list[str]:
    """Every name that `load_network` takes."""
    from bench.scoring.networks.fidelity import registered_networks

    return [*OWN_NAMES, *registered_networks()]


def plain_name(name: str) -> str:
    """The name as cards and titles spell it: `torch-fidelity:clip-vit-b-32` is `clip-vit-b-32`.

    Raises UsageError for a name that does not exist.
    """
    plain = name.removeprefix("torch-fidelity:")
    plain = "inception" if plain == "inception-v3-compat" else plain
    if plain not in OWN_NAMES and plain not in network_names():
        raise unknown_name("feature network", name, network_names(), "bench score --help")
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
    if plain == "tiny":
        from bench.scoring.networks.tiny import load_tiny

        return load_tiny(where)
    if plain == "inception":
        from bench.scoring.networks.inception import load_inception

        return load_inception(weights, where)
    if plain == "squeezenet":
        from bench.scoring.networks.squeezenet import load_squeezenet

        return load_squeezenet(weights, where)
    if plain == "efficientnet-lite0":
        from bench.scoring.networks.efficientnet import load_efficientnet

        return load_efficientnet(weights, where)
    from bench.scoring.networks.fidelity import load_fidelity

    return load_fidelity(plain, weights, where)


def require_weights(name: str, weights: Path | None = None) -> str:
    """Make sure, before hours of training, that `name` can be loaded; returns the SHA-256 of its weights.

    Missing weights are downloaded here. Raises what `load_network` raises: the message names the file, its
    address, the option --weights FILE, the folder where it is looked for, and --features tiny.
    """
    return load_network(name, weights).weights_hash
