"""`bench score --real DIR --fake DIR`: folders of images by whatever program, scored like a run."""

from dataclasses import dataclass, replace
from pathlib import Path

from bench.data.files import printable
from bench.errors import UsageError
from bench.progress import ProgressReport
from bench.scoring.external_scores import ExternalScores, ImageSets, score_image_sets
from bench.scoring.folder_checks import (
    pair_by_name,
    remarks,
    require_enough,
    require_equal_sizes,
    require_translations_alone,
)
from bench.scoring.folder_images import Asked, FolderImages, measured, read_folder_images
from bench.scoring.image_set import evenly_spaced
from bench.scoring.kernel import check_subset_size
from bench.scoring.networks.network import FeatureNetwork

USUAL_SUBSET = 50


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
    real = read_folder_images(Asked(folders.real, folders.real_pattern or "*", recursive))
    source = _sources(folders, fake)
    others = read_folder_images(Asked(folders.floor, recursive=recursive)) if folders.floor else None
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
    asked = Asked(folders.fake, folders.pattern or "*", folders.recursive)
    fake = read_folder_images(asked)
    if folders.pattern is None:
        require_translations_alone(fake.names, folders.fake)
    return fake


def _sources(folders: Folders, fake: FolderImages) -> FolderImages | None:
    """The source of every translation; in a folder that a pattern parts, what is no translation."""
    if folders.source is None:
        return None
    asked = Asked(folders.source, folders.source_pattern or "*", folders.recursive)
    listing = asked.list()
    translations = {path.resolve() for path in fake.paths} if folders.pattern else set()
    others = tuple(path for path in listing.paths if path.resolve() not in translations)
    if not others:
        raise UsageError(
            f"{printable(folders.source)} holds no images beside the translations. Say which are which: "
            "--pattern '*_fake.png' --source-pattern '*_real.png'"
        )
    return pair_by_name(fake, measured(asked, replace(listing, paths=others)))


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
