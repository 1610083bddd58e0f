"""Pictures of run folders as small WebP files for the page: each once, however often it is shown.

A picture that cannot be read becomes None and is shown as missing; nothing outside a run folder is opened.
"""

import base64
import hashlib
import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LARGE = 256
"""Longest side in pixels of what the slider compares."""
SMALL = 128
"""Of what is only shown in rows of thumbnails."""
QUALITY, QUALITY_OF_COURSE = 80, 50
"""Of what is stored lossy, and of what only tells a course: over training, what a mask selects."""
Pixels = NDArray[np.uint8]


class Pictures:
    """The pictures of a page: `add` gives a short name, `uris` maps names to data addresses."""

    def __init__(self) -> None:
        self.uris: dict[str, str] = {}
        self.sizes: dict[str, tuple[int, int]] = {}

    def add_file(self, run: Path, inner: str, longest: int = SMALL, *, exact: bool = True) -> str | None:
        """Add `run/inner`; None where it is missing, damaged or not inside the run folder."""
        pixels = read_picture(run, inner)
        return None if pixels is None else self.add(pixels, longest, exact=exact)

    def add(self, pixels: Pixels, longest: int = SMALL, *, exact: bool = True) -> str:
        """Add an image [h, w, 3] or [h, w], made smaller where it is larger than the page shows.

        `exact` keeps every pixel of one that is small; without it what only tells a course takes less.
        """
        image = Image.fromarray(pixels)
        if max(image.size) > longest:
            image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        lossless = exact and max(image.size) <= 96
        quality = 100 if lossless else QUALITY if exact else QUALITY_OF_COURSE
        image.save(buffer, "WEBP", lossless=lossless, quality=quality, method=4)
        content = buffer.getvalue()
        name = "p" + hashlib.sha256(content).hexdigest()[:12]
        self.uris[name] = "data:image/webp;base64," + base64.b64encode(content).decode()
        self.sizes[name] = image.size
        return name


def read_picture(run: Path, inner: str) -> Pixels | None:
    """Pixels of a picture inside a run folder, RGB or grey; None where it cannot be had."""
    path = run / inner
    if not path.resolve().is_relative_to(run.resolve()):
        return None
    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return np.asarray(image.convert("L" if image.mode in ("L", "1", "I", "I;16") else "RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None
