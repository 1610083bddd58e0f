"""The rolling hash over everything a run was fed: two runs of equal trace hash had the same schedule."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from bench.data.order import Draw

NOTHING: Mapping[str, ArrayLike] = {}
EMPTY = hashlib.sha256(b"bench trace 1").hexdigest()


def extend(
    trace: str,
    draw: Draw,
    swaps: Sequence[int],
    learning_rate: float,
    later: Mapping[str, ArrayLike] = NOTHING,
) -> str:
    """The trace hash after one more step: SHA-256 over the one before and what this step was fed.

    Fed are the images' indices, crops and flips (`draw`), what the image pools exchanged (`swaps`, in the
    order of the objective) and the learning rate. Rules that came later, such as augmentations and further
    rates, are in `later` by name where they are on. Nothing of the variant enters.
    """
    fed = [
        bytes.fromhex(trace),
        draw.record(),
        np.array([len(swaps), *swaps], dtype="<i8").tobytes(),
        np.array([learning_rate], dtype="<f8").tobytes(),
    ]
    for name, values in sorted(later.items()):
        fed += [name.encode(), np.asarray(values, dtype="<f8").tobytes()]
    return hashlib.sha256(b"".join(fed)).hexdigest()
