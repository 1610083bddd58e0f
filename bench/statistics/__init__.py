"""Differences between variants, their uncertainty, and what may be claimed: NumPy and scipy alone.

The unit of replication is the training seed; two variants are compared pairwise over the same seeds on the
same test images. `comparison.compare` is the way in; docs/statistics.md says why each rule stands.
"""

from bench.statistics.claims import Verdict
from bench.statistics.comparison import Comparison, Control, Pair, Side, compare, evaluate_control
from bench.statistics.copying import AgainstCopy, against_copy, images_until_better, unchanged
from bench.statistics.paired import holm

__all__ = [
    "AgainstCopy",
    "Comparison",
    "Control",
    "Pair",
    "Side",
    "Verdict",
    "against_copy",
    "compare",
    "evaluate_control",
    "holm",
    "images_until_better",
    "unchanged",
]
