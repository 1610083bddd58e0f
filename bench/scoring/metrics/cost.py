"""What a run cost, keyed as `costs` in run.json: measured while it trains, so entries without a function."""

from bench.scoring.metric import METRICS, Metric

UNTRAINED = "nothing is trained"


def cost(name: str, title: str, unit: str, formula: str, when: str = UNTRAINED) -> None:
    """Enter one cost; less is better."""
    entry = Metric(name, title, unit, "lower", "cost", formula, "cost", measure=None, when=when)
    METRICS.add(name, entry, cost)


cost("parameters", "Parameters", "weights", "trainable parameters of one generator", "")
cost("gflop", "GFLOP", "10^9 operations", "2 x multiply-accumulate of one forward pass of one image", "")
cost("seconds_per_step", "Seconds a step", "s", "median over the training steps after the first ten")
cost("seconds_training", "Training time", "s", "wall-clock time of all sessions")
cost("seconds_data", "Waiting for images", "s", "share of the training time spent waiting for images")
cost("seconds_scoring", "Scoring time", "s", "wall-clock time of scoring", "the run was not scored")
cost(
    "peak_memory_bytes",
    "Peak memory",
    "bytes",
    "peak of the process (CPU) or of the device's allocator (GPU) while training",
)
