"""What is refused and what is said of folders of images before they are scored."""

from collections import Counter
from collections.abc import Sequence

from bench.data.files import printable
from bench.errors import BenchError
from bench.scoring.folder_images import FolderImages

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
    """The source of every fake image, in the order of the fakes: equal file names without their suffix.

    Raises BenchError where one has no source, or two of a folder share a name.
    """
    for images in (fake, source):
        twice = [name for name, count in Counter(path.stem for path in images.paths).items() if count > 1]
        if twice:
            raise BenchError(
                f"{images.label} holds several images called {printable(twice[0])} that differ in their "
                "suffix alone. Pairs are found by name: keep one of them."
            )
    places = {path.stem: place for place, path in enumerate(source.paths)}
    alone = [printable(path.name) for path in fake.paths if path.stem not in places]
    if alone:
        raise BenchError(
            f"{len(alone)} of {len(fake)} images in {fake.label} have no source of the same name in "
            f"{source.label}, the first is {alone[0]}. Rename them, or leave --source out."
        )
    return source.chosen([places[path.stem] for path in fake.paths])


def remarks(
    fake: FolderImages, real: FolderImages, source: FolderImages | None, floor: FolderImages | None
) -> list[str]:
    """What a reader of the scores has to know of these folders, one sentence each."""
    found = [
        f"{images.label} holds {len(images)} images; below {FEW} distances between sets say little."
        for images in (fake, real)
        if len(images) < FEW
    ]
    found += [images.note for images in (fake, real, source, floor) if images is not None and images.note]
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
