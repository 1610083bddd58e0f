"""What a run cost: measured while it trains, so entries without a function.

Costs are keyed as `costs` in run.json; what its validations tell is a score of either direction.
"""

from bench.runs.folder import RunFolder
from bench.runs.records import DIRECTIONS, Direction, Score, read_table
from bench.scoring.metric import METRICS, Metric
from bench.statistics.copying import images_until_better

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

UNTIL_BETTER = Metric(
    "images_until_better",
    title="Images until better than copying",
    unit="images",
    better="lower",
    table="cost",
    formula="images seen at the first validation from which on the 95 % interval of KD less a copy's, "
    "paired, stays below 0",
    kind="course",
    measure=None,
    when="nothing is trained, fewer than 3 images are held out, or it is not so at the last validation",
)
METRICS.add(UNTIL_BETTER.name, UNTIL_BETTER, cost)


def scores_of_course(folder: RunFolder) -> dict[Direction, dict[str, Score]]:
    """What the validations of a run's training tell, by direction."""
    return {direction: {UNTIL_BETTER.name: until_better(folder, direction)} for direction in DIRECTIONS}


def until_better(folder: RunFolder, direction: Direction) -> Score:
    """Images seen until a training was better than copying for good, or why that cannot be said."""
    rows = read_table(folder.validation_csv)
    cells = [row.get(f"kd_from_copy_high_{direction}") for row in rows]
    seen = [int(row["images_seen"]) for row in rows]
    if not rows:
        return Score(value=None, reason=UNTRAINED)
    if not any(cells):
        return Score(value=None, reason="no validation was held against a copy: images.validation is below 3")
    found = images_until_better(seen, [float(cell) if cell else None for cell in cells])
    reason = None if found is not None else f"not better than copying after {seen[-1]} images"
    return Score(value=found, reason=reason)
