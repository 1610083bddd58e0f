"""Is a translation better than leaving its input as it is, and has a generator collapsed to doing so?

The same images, translated and untouched, are held against the same real images of the target domain: the
difference of the two kernel distances is paired, so that what the images have in common does not count.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from bench.statistics.paired import ALPHA, LeaveOneOut, jackknife_error

FEWEST = 3
"""Images of either domain: leaving one out needs as many."""
UNCHANGED = 2.0
"""Mean absolute change, in levels of 255, up to which an output counts as a copy of its source."""
MOSTLY = 0.5
"""Share of unchanged outputs from which a generator may have collapsed to copying."""


class AgainstCopy(NamedTuple):
    """Kernel distances to the target domain, in squared kernel units."""

    copy: float
    """Of the untouched images."""
    difference: float
    """Of the translations less that of the untouched images: below 0 is better than copying."""
    error: float
    """Standard error of the difference over draws of the images, by the jackknife."""
    images: int
    """Of the domain with fewer."""

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference: Student's, over images; it knows nothing of seeds."""
        reach = -float(stdtrit(self.images - 1, ALPHA / 2)) * self.error
        return self.difference - reach, self.difference + reach

    def collapsed(self, unchanged: float) -> bool:
        """Whether a generator has collapsed to copying, given the share of outputs that are unchanged.

        At least half are, and the distance is not told apart from a copy's.
        """
        low, high = self.interval
        return unchanged >= MOSTLY and low <= 0 <= high


def against_copy(translated: LeaveOneOut, copied: LeaveOneOut) -> AgainstCopy:
    """The distance of translations and, row by row, of their sources to the same real images.

    Raises ValueError where these are not as many.
    """
    if len(translated.generated) != len(copied.generated) or len(translated.real) != len(copied.real):
        raise ValueError("translations and copies must be of the same images, against the same real ones")
    difference = translated.minus(copied)
    images = min(len(difference.generated), len(difference.real))
    return AgainstCopy(copied.value, difference.value, jackknife_error(difference), images)


def unchanged(sources: NDArray[np.uint8], outputs: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """[n]: which of the outputs [n, h, w, 3] are within 2 levels of their source in the mean."""
    change = np.abs(outputs.astype(np.int16) - sources.astype(np.int16)).mean(axis=(1, 2, 3))
    return np.asarray(change <= UNCHANGED)


def images_until_better(images_seen: Sequence[int], highest: Sequence[float | None]) -> int | None:
    """Images seen at the first validation from which on all differences from a copy stay below 0.

    `highest` is the upper end of each validation's interval, None where it was not measured. None: never.
    """
    first = None
    for seen, high in zip(images_seen, highest, strict=True):
        if high is None or high >= 0:
            first = None
        elif first is None:
            first = seen
    return first
