"""The objectives by their names in a protocol."""

from collections.abc import Mapping

import variants
from bench.cell import Cell
from bench.names import unknown_name
from bench.protocol import TrainSettings
from bench.streams import Streams
from bench.training.contrast import PatchContrast
from bench.training.cycle import LeastSquares, WassersteinGradientPenalty
from bench.training.objective import Objective
from variants.contract import Generator

OBJECTIVES: dict[str, type[Objective]] = {
    "lsgan": LeastSquares,
    "wgan-gp": WassersteinGradientPenalty,
    "cut": PatchContrast,
}
"""Those that a protocol may name, and those that a baseline brings with it. A method with losses of its own
adds its class here."""


def objective_name(cell: Cell) -> str:
    """What a cell is trained with: the objective that its variant brings, else the protocol's."""
    return variants.describe(cell.variant).objective or cell.protocol.train.objective


def objective_class(name: str, settings: TrainSettings) -> type[Objective]:
    """The objective `name`, which can be trained with under `settings`.

    Raises UsageError where there is none, or where it cannot honour a rule.
    """
    if name not in OBJECTIVES:
        raise unknown_name(
            "objective",
            name,
            OBJECTIVES,
            "train.objective in the protocol file, or objective= of the baseline",
        )
    OBJECTIVES[name].refuse(name, settings)
    return OBJECTIVES[name]


def build_objective(
    name: str, generators: Mapping[str, Generator], settings: TrainSettings, streams: Streams
) -> Objective:
    """The objective `name`, with fresh discriminators drawn from `streams`. Raises as `objective_class`."""
    return objective_class(name, settings)(generators, settings, streams)
