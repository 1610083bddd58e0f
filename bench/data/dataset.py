"""What training and scoring are given: two domains of uint8 images, with ground truth where there is one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
"""RGB images, [n, h, w, 3], 0 to 255; possibly a read-only memory map."""
Masks = NDArray[np.bool_]
"""Masks of the foreground, [n, h, w], True inside."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images of one split of one domain, in the order of their names."""

    images: Images
    names: tuple[str, ...]
    """File name of each image, without folder; unique within the split."""
    masks: Callable[[], Masks] | None = None
    """Gives the images' foreground masks, at their size; None where there are none."""

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class Truth:
    """What only rendered scenes have: the right answer for every test image."""

    counterfactual: Images
    """The same scene in the other domain, [n, h, w, 3]."""
    foreground: NDArray[np.bool_]
    """[n, h, w], True where the right translation changes the image: the objects in toy-stripes, the
    fruit of either domain in toy-shape, every pixel in toy-season; elsewhere by 12 of 255 at most."""
    objects: NDArray[np.uint8]
    """[n, h, w], 0 for background, 1, 2, ... for the objects of the source image; nearer ones cover."""


@dataclass(frozen=True, eq=False)
class Domain:
    """One side of a data set. Training images are at load_size, to be cropped; the others at size."""

    train: Split
    validation: Split
    test: Split
    truth: Truth | None = None
    """Ground truth of the test split, in its order."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Two domains, and what a reader of the results has to know of them."""

    name: str
    A: Domain
    B: Domain
    fingerprint: str
    """64 hex digits that change when any image used, its name or its split changes."""
    facts: dict[str, Any]
    """JSON values: images of each split, duplicates, leaks between splits and domains, skipped files."""
    warnings: tuple[str, ...] = ()
    """Remarks that belong beside the results, each one sentence."""
    no_masks: str = ""
    """Why it can have no masks, as a clause; nothing where it has or could have them."""
