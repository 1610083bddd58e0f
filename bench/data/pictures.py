"""One image file to pixels: every kind of file becomes 8-bit RGB in the same, documented way.

Greyscale is replicated to three channels; 16-bit grey is scaled to 8 bits; transparency is laid over white;
CMYK and palettes are converted; the camera's EXIF orientation is applied. Resizing is Pillow's antialiased
bicubic to a square, which stretches images that are not square, as the published systems do.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from bench.data.dataset import Images
from bench.data.files import printable, why_unreadable
from bench.errors import BenchError

RESIZE = "bicubic, antialiased, to a square"
VERSION = 1
"""Raised when the same file gives other pixels than before."""
ORIENTATION = 0x0112
QUARTER_TURNS = (5, 6, 7, 8)
"""The values of the EXIF entry of the camera's orientation that exchange height and width."""
GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"})


class BadImage(BenchError):
    """A file that is not a readable image: `path` is the file, `reason` says what is wrong with it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{printable(path)} is not a readable image: {reason}. Replace or remove the file, or go on "
            "without it by --skip-bad-images."
        )
        self.path = path
        self.reason = reason


def read_image(path: Path, size: int | None) -> Images:
    """The image of a file as uint8 [size, size, 3], of its own size for None. Raises BadImage naming it."""
    picture = _open(path)
    if size is not None and picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(picture)


def read_image_at(path: Path, height: int, width: int) -> Images:
    """The image of a file as uint8 [height, width, 3]. Raises BadImage."""
    picture = _open(path)
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(picture)


def scaled(height: int, width: int, shorter: int | None) -> tuple[int, int]:
    """(height, width) scaled so that the smaller of them is `shorter`; as they are for None.

    >>> scaled(3000, 4000, 256)
    (256, 341)
    """
    if shorter is None:
        return height, width
    least = min(height, width)
    return max(1, round(height * shorter / least)), max(1, round(width * shorter / least))


@dataclass(frozen=True)
class Looked:
    """What is known of a file after it was decoded once."""

    height: int
    width: int
    images: int
    """Images in the file: those of an animation or of several pages. Only the first one is ever read."""
    transparent: bool


def look_at(path: Path) -> Looked:
    """Decode the whole of a file, so that reading it again does not fail. Raises BadImage."""
    height, width = read_image(path, None).shape[:2]
    with _header(path) as picture:
        # A camera's MPO holds previews of the one photograph.
        images = 1 if picture.format == "MPO" else int(getattr(picture, "n_frames", 1))
        return Looked(height, width, images, picture.has_transparency_data)


def image_size(path: Path) -> tuple[int, int]:
    """(height, width) of a file's image as `read_image` gives it. Raises BadImage."""
    with _header(path) as picture:
        try:  # a PNG is decoded to its end, where its EXIF entries may stand
            turned = picture.getexif().get(ORIENTATION, 1) in QUARTER_TURNS
        except Exception as error:
            raise BadImage(path, _reason(path, error)) from None
        return picture.size if turned else (picture.height, picture.width)


def is_greyscale(path: Path) -> bool:
    """Whether the file holds one channel of light, from its header alone. Raises BadImage."""
    with _header(path) as picture:
        return picture.mode in GREY_MODES


def is_transparent(path: Path) -> bool:
    """Whether the file has an alpha channel or a transparent colour, from its header. Raises BadImage."""
    with _header(path) as picture:
        return picture.has_transparency_data


def _header(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except Exception as error:
        raise BadImage(path, _reason(path, error)) from None


def _open(path: Path) -> Image.Image:
    # Pillow's decoders answer damaged files with OSError, SyntaxError, ValueError, struct.error,
    # zlib.error, EOFError, DecompressionBombError and more: all of them mean that the file is no image.
    try:
        with Image.open(path) as picture:
            picture.load()
            return _eight_bit_rgb(ImageOps.exif_transpose(picture))
    except Exception as error:
        raise BadImage(path, _reason(path, error)) from None


def _eight_bit_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "F":
        raise ValueError("its pixels are floating-point numbers of unknown range")
    if picture.mode.startswith("I"):
        values = np.asarray(picture).astype(np.float64)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("its pixels have more than 16 bits")
        grey = np.rint(values / 257.0).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layer).convert("RGB")
    return picture.convert("RGB")


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return why_unreadable(path, error)
    return " ".join(str(error).split()).removesuffix(".") or type(error).__name__
