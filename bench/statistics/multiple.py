"""Holm's step-down correction: several comparisons, one promise about all of them.

With p values sorted upwards, p_(1) <= ... <= p_(m), the adjusted values are
    adjusted_(k) = max over j <= k of min(1, (m - j + 1) * p_(j)).
Claiming where adjusted <= alpha makes one false claim or more with probability at most alpha, under any
dependence between the comparisons. They must be declared before the results are seen.
Source: Holm (1979), A simple sequentially rejective multiple test procedure.
"""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values, in the order given. Raises ValueError for a value outside [0, 1]."""
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p values must lie in [0, 1]; given {list(p_values)}")
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1.0, p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(steps)
    return [float(value) for value in adjusted]
