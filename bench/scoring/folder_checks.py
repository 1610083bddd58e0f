"""What is refused and what is said of folders of images before they are scored."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from bench.data.files import printable
from bench.errors import BenchError, UsageError
from bench.scoring.folder_images import FolderImages
from bench.scoring.pairing import mixed, pair, role

FEWEST = 2
FEW = 50
"""Below it distances between sets say little: a warning."""


def require_equal_sizes(folders: Sequence[FolderImages], size: int | None) -> None:
    """Raise BenchError unless all images of all folders are of one size, or are resized to `size`."""
    if size is not None:
        return
    for images in folders:
        if images.shape is None:
            raise BenchError(
                f"The images in {images.label} are not all of one size. Have them resized: --size 256"
            )
    shapes = {images.shape for images in folders if images.shape}
    if len(shapes) > 1:
        listed = ", ".join(
            f"{images.label} {images.shape[0]} x {images.shape[1]}" for images in folders if images.shape
        )
        raise BenchError(
            f"The folders hold images of different sizes: {listed}. Have them resized: --size 256"
        )


def require_enough(images: FolderImages) -> None:
    """Raise BenchError for fewer than 2 images."""
    if len(images) < FEWEST:
        raise BenchError(
            f"{images.label} holds {len(images)} image. A distance between sets needs at least {FEWEST}, "
            f"and says little below {FEW}. Add images."
        )


def pair_by_name(fake: FolderImages, source: FolderImages) -> FolderImages:
    """The source of every fake image, in the order of the fakes.

    Raises BenchError where one has no source, or where names do not tell which it is.
    """
    return source.chosen(pair(fake.names, source.names, (fake.label, source.label)))


def require_translations_alone(names: Sequence[str], folder: Path) -> None:
    """Raise UsageError where a folder holds translations beside their sources and no pattern tells which."""
    both = mixed(names)
    if both:
        ending = both[0].removeprefix(role(PurePosixPath(both[0]).stem)[0])
        raise UsageError(
            f"{printable(folder)} holds translations beside their sources, such as {both[0]} and {both[1]}. "
            f"Say which files are the translations, for example: --pattern '*{PurePosixPath(ending).name}'"
        )


def remarks(
    fake: FolderImages, real: FolderImages, source: FolderImages | None, floor: FolderImages | None
) -> list[str]:
    """What a reader of the scores has to know of these folders, one sentence each."""
    found = [
        f"{images.label} holds {len(images)} images; below {FEW} distances between sets say little."
        for images in (fake, real)
        if len(images) < FEW
    ]
    for images in {id(each): each for each in (fake, real, source, floor) if each is not None}.values():
        found += [images.note] if images.note else []
        if images.below:
            found.append(
                f"{images.label}: {images.below} images in the folders below are left out. Take them too by: "
                "--recursive"
            )
    for images in (fake, real):
        repeated = len(images) - len(set(images.hashes))
        if repeated:
            found.append(
                f"{images.label}: {repeated} of {len(images)} images are byte-identical copies "
                "of others there."
            )
    if sorted(fake.hashes) == sorted(real.hashes):
        found.append(f"{fake.label} and {real.label} hold identical images: this compares a set with itself.")
    else:
        found += _shared(
            fake, real, "images are byte-identical to real ones: the scores are better than deserved"
        )
    if source is not None:
        found += _shared(
            fake, source, "images are byte-identical to source images: nothing was translated there"
        )
        found += _shared(source, real, "source images are byte-identical to real ones: the domains leak")
    if floor is not None:
        found += _shared(
            floor, real, "images of the floor are byte-identical to real ones: the floor is too low"
        )
    return found


def _shared(images: FolderImages, others: FolderImages, meaning: str) -> list[str]:
    known = set(others.hashes)
    count = sum(digest in known for digest in images.hashes)
    return [f"{images.label}: {count} of {len(images)} {meaning} ({others.label})."] if count else []
