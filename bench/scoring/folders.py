"""`bench score --real DIR --fake DIR`: plain folders of images by whatever program, scored like a run.

Which images are meant, what is refused and what is said of them before they are scored.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import PIL

from bench.data.dataset import Images
from bench.data.files import Listing, list_images, printable
from bench.data.folder import hash_or_error
from bench.data.pictures import RESIZE, VERSION, BadImage, image_size, read_image
from bench.errors import BenchError, UsageError
from bench.progress import ProgressReport
from bench.protocol import content_hash
from bench.scoring.external import ExternalScores, ImageSets, score_image_sets
from bench.scoring.features import ImageSet
from bench.scoring.kernel import check_subset_size
from bench.scoring.networks.network import FeatureNetwork
from bench.scoring.pairing import TRANSLATED, mixed, pair, telling_pattern
from bench.scoring.references import evenly_spaced

USUAL_SUBSET = 50
READERS = 8
"""Threads that read files; results do not depend on it."""
READ_AHEAD = 32
"""Images decoded at once."""
FEWEST = 2
FEW = 50
"""Below it distances between sets say little: a warning."""


@dataclass(frozen=True)
class FolderImages:
    """The image files of one folder, in the order of their names."""

    folder: Path
    paths: tuple[Path, ...]
    hashes: tuple[str, ...]
    """SHA-256 of each file."""
    shape: tuple[int, int] | None
    """(height, width) of all images; None where they differ."""
    note: str | None = None
    """What else lies in the folder and is left out."""
    below: int = 0
    """Images in its folders, which are left out."""

    @property
    def label(self) -> str:
        """The folder as text whatever its bytes."""
        return printable(self.folder)

    @property
    def names(self) -> tuple[str, ...]:
        """Place of each file below the folder, as text whatever its bytes."""
        return tuple(printable(path.relative_to(self.folder).as_posix()) for path in self.paths)

    def __len__(self) -> int:
        return len(self.paths)

    def chosen(self, places: Sequence[int]) -> "FolderImages":
        """Some of the files, in this order."""
        return FolderImages(
            self.folder,
            tuple(self.paths[place] for place in places),
            tuple(self.hashes[place] for place in places),
            self.shape,
            self.note,
            self.below,
        )

    def images(self, size: int | None) -> ImageSet:
        """The images resized to [size, size], or of their own size for None; a bad one is a BenchError."""
        content = content_hash(["files", VERSION, PIL.__version__, RESIZE, size, self.hashes])
        return ImageSet(
            self.names,
            content,
            lambda: self._read(size),
            lambda places: self.chosen(places)._read(size),
        )

    def _read(self, size: int | None) -> Iterator[Images]:
        with ThreadPoolExecutor(READERS) as pool:
            for start in range(0, len(self.paths), READ_AHEAD):
                yield from pool.map(lambda path: _image(path, size), self.paths[start : start + READ_AHEAD])


@dataclass(frozen=True)
class ImageSelection:
    """Which images of a folder are meant: those whose names match, with those in the folders below or not."""

    folder: Path
    pattern: str = "*"
    recursive: bool = False

    def list(self) -> Listing:
        """The images. Raises UsageError or BenchError, with what to do, where there is no folder or none."""
        listing = list_images(self.folder, self.pattern, self.recursive)
        if listing.paths:
            return listing
        if listing.left_out.get("unmatched"):
            raise BenchError(
                f"{printable(self.folder)} holds no image whose name matches {self.pattern!r}. {listing.note}"
                " The pattern is one of a whole name, such as '*_fake.png'."
            )
        if self.below(listing):
            try:
                listing.require_images()
            except BenchError as error:
                raise BenchError(f"{error} Or take the images of all of them: --recursive") from None
        return listing.require_images()

    def below(self, listing: Listing) -> int:
        """How many more images there would be with those in the folders below."""
        if self.recursive or not listing.folders:
            return 0
        return len(list_images(self.folder, self.pattern, recursive=True).paths) - len(listing.paths)


def read_folder_images(asked: ImageSelection) -> FolderImages:
    """List, hash and measure images; what is left out is noted.

    Raises UsageError for a folder that is not there, BenchError for one that is unreadable or without
    images, and for a file that is not a readable image.
    """
    return looked_at(asked, asked.list())


def looked_at(asked: ImageSelection, listing: Listing) -> FolderImages:
    """The images of a listing with their content and size."""
    with ThreadPoolExecutor(READERS) as pool:
        hashes = tuple(pool.map(_hash, listing.paths))
        shapes = set(pool.map(_shape, listing.paths))
    shape = shapes.pop() if len(shapes) == 1 else None
    return FolderImages(asked.folder, listing.paths, hashes, shape, listing.note, asked.below(listing))


def _hash(path: Path) -> str:
    found = hash_or_error(path)
    if isinstance(found, BadImage):
        raise _unreadable(found)
    return found


def _shape(path: Path) -> tuple[int, int]:
    try:
        return image_size(path)
    except BadImage as error:
        raise _unreadable(error) from None


def _image(path: Path, size: int | None) -> Images:
    try:
        return read_image(path, size)
    except BadImage as error:
        raise _unreadable(error) from None


def _unreadable(error: BadImage) -> BenchError:
    return BenchError(
        f"{printable(error.path)} is not a readable image: {error.reason}. Make it again or remove it, then "
        "repeat the command."
    )


@dataclass(frozen=True)
class Folders:
    """The folders of one direction."""

    real: Path
    """Real images of the target domain, best its test split."""
    fake: Path
    """Translations into the target domain."""
    source: Path | None = None
    """What they are translations of: files of the same names."""
    floor: Path | None = None
    """Other real images of the target domain, best its training split."""
    pattern: str | None = None
    """Wildcard for the names of the translations; None: every image."""
    source_pattern: str | None = None
    real_pattern: str | None = None
    recursive: bool = False
    """Whether images in the folders below count, too."""


def read_image_sets(folders: Folders, size: int | None) -> tuple[ImageSets, list[str]]:
    """The sets to score, resized to `size` if given, and remarks for the reader of the scores.

    Raises BenchError for a folder that is missing or holds fewer than 2 images, an image that cannot be read,
    images of different sizes (unless resized), and translations without a source of their name; UsageError
    for translations among other images, unless a pattern tells them apart.
    """
    recursive = folders.recursive
    fake = _translations(folders)
    real = read_folder_images(ImageSelection(folders.real, folders.real_pattern or "*", recursive))
    source = _sources(folders, fake)
    others = read_folder_images(ImageSelection(folders.floor, recursive=recursive)) if folders.floor else None
    floor = others.chosen(evenly_spaced(len(others), len(fake))) if others else None
    given = [images for images in (real, fake, source, floor) if images is not None]
    for images in given:
        require_enough(images)
    require_equal_sizes(given, size)
    sets = ImageSets(
        generated=fake.images(size),
        real=real.images(size),
        source=source.images(size) if source else None,
        floor=floor.images(size) if floor else None,
    )
    return sets, remarks(fake, real, source, floor)


def _translations(folders: Folders) -> FolderImages:
    asked = ImageSelection(folders.fake, folders.pattern or "*", folders.recursive)
    fake = read_folder_images(asked)
    if folders.pattern is None:
        require_translations_alone(fake.names, folders.fake)
    return fake


def _sources(folders: Folders, fake: FolderImages) -> FolderImages | None:
    """The source of every translation; in a folder that a pattern parts, what is no translation."""
    if folders.source is None:
        return None
    asked = ImageSelection(folders.source, folders.source_pattern or "*", folders.recursive)
    listing = asked.list()
    translations = {path.resolve() for path in fake.paths} if folders.pattern else set()
    others = tuple(path for path in listing.paths if path.resolve() not in translations)
    if not others:
        raise UsageError(
            f"{printable(folders.source)} holds no images beside the translations. Say which are which: "
            "--pattern '*_fake.png' --source-pattern '*_real.png'"
        )
    return pair_by_name(fake, looked_at(asked, replace(listing, paths=others)))


def score_folders(
    folders: Folders,
    network: FeatureNetwork,
    *,
    size: int | None = None,
    subset_size: int | None = None,
    progress: ProgressReport | None = None,
) -> tuple[ExternalScores, list[str]]:
    """The scores of the translations in a folder, and remarks for their reader; raises as `read_image_sets`.

    `subset_size` is that of the subset kernel distance, by default 50 or the size of the smaller set; one
    that does not fit is a UsageError, raised before anything is computed.
    """
    sets, said = read_image_sets(folders, size)
    counts = len(sets.generated), len(sets.real)
    if subset_size is not None:
        check_subset_size(subset_size, *counts)
    return score_image_sets(sets, network, subset_size or min(USUAL_SUBSET, *counts), progress), said


def sizes_in_words(images: FolderImages) -> str:
    """The usual size of a folder's images and the first file of another one, with what mends it."""
    shapes = [_shape(path) for path in images.paths]
    (height, width), count = Counter(shapes).most_common(1)[0]
    odd = next(place for place, shape in enumerate(shapes) if shape != (height, width))
    size = height if height == width else 256
    return (
        f"{count} of {len(shapes)} are {width} x {height}, {images.names[odd]} is {shapes[odd][1]} x "
        f"{shapes[odd][0]} (width x height). Replace what differs, or have all resized: --size {size}"
    )


def require_equal_sizes(folders: Sequence[FolderImages], size: int | None) -> None:
    """Raise BenchError unless all images of all folders are of one size, or are resized to `size`."""
    if size is not None:
        return
    for images in folders:
        if images.shape is None:
            raise BenchError(
                f"The images in {images.label} are not all of one size: {sizes_in_words(images)}"
            )
    shapes = {images.shape for images in folders if images.shape}
    if len(shapes) > 1:
        listed = ", ".join(
            f"{images.label} {images.shape[1]} x {images.shape[0]}" for images in folders if images.shape
        )
        raise BenchError(
            f"The folders hold images of different sizes: {listed} (width x height). Have them resized: "
            "--size 256"
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
        pattern = telling_pattern(both, TRANSLATED)
        raise UsageError(
            f"{printable(folder)} holds translations beside their sources, such as {both[0]} and {both[1]}. "
            f"Say which files are the translations, for example: --pattern '{pattern}'"
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
