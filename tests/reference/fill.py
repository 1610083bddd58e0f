"""The weights of the reference networks: every tensor is a pure function of its name and shape."""

import json
import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

FOLDER = Path(__file__).parent
SCALE = 0.05


def overrides(name: str) -> list[tuple[str, float]]:
    """The names, as regular expressions, that a reference file fills at another scale."""
    rules = json.loads((FOLDER / "fill.json").read_text(encoding="utf-8"))
    return [(pattern, scale) for pattern, scale in rules["overrides"].get(name, [])]


def shapes(name: str) -> dict[str, tuple[int, ...]]:
    """The names and shapes of a reference network's entries, in order."""
    return {key: tuple(shape) for key, shape, _ in facts(name)["state"]}


def facts(name: str) -> Any:
    """Everything `params.json` says of a reference network."""
    return json.loads((FOLDER / "params.json").read_text(encoding="utf-8"))[name]


def arrays(name: str) -> dict[str, np.ndarray]:
    """The arrays of a reference file."""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


def filled_state(
    shapes: Mapping[str, tuple[int, ...]], overrides: Iterable[tuple[str, float]] = (), prefix: str = ""
) -> dict[str, torch.Tensor]:
    """A state dict of float32 values that follow from `prefix` and the names; grids and counters are 0."""
    rules = list(overrides)
    return {key: filled(key, tuple(shape), rules, prefix) for key, shape in shapes.items()}


def filled(key: str, shape: tuple[int, ...], overrides: list[tuple[str, float]], prefix: str) -> torch.Tensor:
    """The values of one entry."""
    if key.endswith(".num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.long)
    if key.endswith(".grid"):
        return torch.zeros(shape)
    scale = next((scale for pattern, scale in overrides if re.fullmatch(pattern, key)), SCALE)
    # The rule is stated in this legacy generator's stream, which NumPy guarantees never to change.
    stream = np.random.RandomState(zlib.crc32((prefix + key).encode()))
    values = stream.standard_normal(shape).astype(np.float32) * np.float32(scale)
    if key.endswith(".running_var") or (key.endswith(".weight") and len(shape) == 1):
        values = values + np.float32(1)
    return torch.from_numpy(np.asarray(values, dtype=np.float32))
