"""The objectives by their names in a protocol."""

from collections.abc import Mapping

from bench.names import unknown_name
from bench.protocol import TrainSettings
from bench.streams import Streams
from bench.training.cut import PatchContrast
from bench.training.lsgan import LeastSquares
from bench.training.objective import Objective
from bench.training.wgan_gp import WassersteinGradientPenalty
from variants.contract import Generator

OBJECTIVES: dict[str, type[Objective]] = {
    "lsgan": LeastSquares,
    "wgan-gp": WassersteinGradientPenalty,
    "cut": PatchContrast,
}
"""Those that a protocol may name, and those that a baseline brings with it. A method with losses of its own
adds its class here."""


def build_objective(
    name: str, generators: Mapping[str, Generator], settings: TrainSettings, streams: Streams
) -> Objective:
    """The objective `name`, with fresh discriminators drawn from `streams`. UsageError if there is none."""
    if name not in OBJECTIVES:
        raise unknown_name(
            "objective",
            name,
            OBJECTIVES,
            "train.objective in the protocol file, or objective= of the baseline",
        )
    return OBJECTIVES[name](generators, settings, streams)
