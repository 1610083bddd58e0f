"""A metric in one file: how bright the translations are, and how far from the target domain.

bench check --metric brightness --plugin docs/example_metric.py
bench run --variant slot9 --plugin docs/example_metric.py
"""

from torch import Tensor

from bench.scoring.metric import LEVELS, metric
from bench.scoring.metrics.colour import luma


@metric(
    "brightness",
    title="Brightness",
    unit=LEVELS,
    better="nearer target",
    table="faithfulness",
    formula="mean of the luma of the output",
    source="ITU-R BT.601",
    bounds=(0, 255),
    gap=True,
)
def brightness(output: Tensor) -> Tensor:
    """Mean luma of images [b, 3, h, w] in levels: [b], 0 to 255."""
    return luma(output).mean(dim=(1, 2))
