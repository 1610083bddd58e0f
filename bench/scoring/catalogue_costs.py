"""The catalogue's entries for what a run cost, keyed as `costs` in run.json. Imports no torch."""

from bench.scoring.metric import Metric

UNTRAINED = "nothing is trained"


def _cost(key: str, title: str, unit: str, formula: str, undefined_when: str = UNTRAINED) -> Metric:
    return Metric(key, title, unit, "lower", "cost", formula, "", undefined_when)


COST_METRICS = (
    _cost("parameters", "Parameters", "weights", "trainable parameters of one generator", ""),
    _cost(
        "gflop", "GFLOP", "10^9 operations", "2 x multiply-accumulate of one forward pass of one image", ""
    ),
    _cost("seconds_per_step", "Seconds a step", "s", "median over the training steps after the first ten"),
    _cost("seconds_training", "Training time", "s", "wall-clock time of all sessions"),
    _cost("seconds_data", "Waiting for images", "s", "share of the training time spent waiting for images"),
    _cost("seconds_scoring", "Scoring time", "s", "wall-clock time of scoring", "the run was not scored"),
    _cost(
        "peak_memory_bytes",
        "Peak memory",
        "bytes",
        "peak of the process (CPU) or of the device's allocator (GPU) while training",
    ),
)
