"""docs/metrics.md from the catalogue: one paragraph a metric. Imports no torch.

python -m bench.scoring.metrics_page > docs/metrics.md
"""

from collections.abc import Iterable

from bench.scoring.catalogue import METRICS
from bench.scoring.metric import Metric

HEADINGS = {
    "set": "Of whole sets of images",
    "image": "Of single images",
    "mask": "Of masks and attention",
    "truth": "Against ground truth",
    "cost": "Costs",
}
BETTER = {
    "lower": "Lower is better.",
    "higher": "Higher is better.",
    "nearer target": "Best is the mean of the target domain's real images.",
    "none": "It describes; neither direction is better.",
}
INTRODUCTION = """# Metrics

Made from the catalogue (`bench/scoring/catalogue*.py`) by `python -m bench.scoring.metrics_page`; the same
is printed by `bench list metrics`. Only distances on Inception's features are called FID and KID; on another
network NAME they are FD(NAME) and KD(NAME), in keys, tables and axes. Files for programs hold raw values;
what people read shows kernel distances on Inception ×100, with the factor in the name, and distances on other
networks raw, with four significant digits. scores.json holds one score a key and direction; measurements of
single images, masks and ground truth are columns of images.csv too, and their score is the mean over the
test images where they are defined. An undefined score has no value and a reason, never a zero. Differences of
images are in levels of 255.
"""


def metrics_page(metrics: Iterable[Metric] = METRICS) -> str:
    """The page as Markdown, in the order of the catalogue, one heading a scope."""
    listed = list(metrics)
    parts = [INTRODUCTION]
    for scope, heading in HEADINGS.items():
        parts.append(f"## {heading}\n")
        parts += [paragraph(metric) for metric in listed if metric.scope == scope]
    return "\n".join(parts)


def paragraph(metric: Metric) -> str:
    """One metric in one paragraph."""
    factor = "" if metric.factor == 1 else f", printed ×{metric.factor}"
    unit = "" if metric.unit in ("", "1") else f" [{metric.unit}{factor}]"
    source = f" Source: {metric.source}." if metric.source else ""
    undefined = f" Undefined when {metric.undefined_when}." if metric.undefined_when else ""
    said = f"{metric.formula}. {BETTER[metric.better]}{source}{undefined}"
    return f"**{metric.title}** `{metric.key}`{unit}: {said}\n"


if __name__ == "__main__":
    print(metrics_page(), end="")
