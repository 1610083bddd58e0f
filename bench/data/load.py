"""A data set by name or path, as arrays ready for training and scoring."""

from pathlib import Path

from bench.data.catalogue import SPLITS, find, find_real, is_path, set_folder, sets
from bench.data.dataset import Dataset
from bench.data.embedded import load_embedded
from bench.data.files import require_folder
from bench.data.photographs import load_folder
from bench.data.places import at_home, cache_root
from bench.data.scenes import EmbeddedSet
from bench.progress import ProgressReport, Silent
from bench.protocol import ImageSettings


def load_dataset(
    name_or_path: str,
    images: ImageSettings,
    *,
    data: Path | None = None,
    cache: Path | None = None,
    skip_bad_images: bool = False,
    progress: ProgressReport | None = None,
) -> Dataset:
    """The images that a protocol uses of a data set: the same for every variant and every seed.

    A name of the catalogue goes before a folder of that name; write `./horse2zebra` for the folder. `data`
    and `cache` stand in for the folders of `bench.data.places`. Raises UsageError for an unknown name, and
    BenchError for a set that is not there, an unreadable image (unless skipped), or too few images.
    """
    progress, decoded = progress or Silent(), cache_root(cache) / "images"
    entry = sets().get(name_or_path)
    if isinstance(entry, EmbeddedSet):
        return load_embedded(entry, images, decoded, progress)
    name, folder = locate(name_or_path, data)
    return load_folder(name, folder, images, decoded, skip_bad_images, progress)


def locate(name_or_path: str, data: Path | None = None) -> tuple[str, Path]:
    """Name and folder of a real set or of anybody's folder.

    Raises UsageError for an unknown name or an embedded set, and BenchError, naming the commands that fetch
    it, for a real set that is not in its folder.
    """
    if is_path(name_or_path):
        folder = at_home(name_or_path)
        require_folder(folder, f"a folder that holds {', '.join(SPLITS)}")
        return folder.resolve().name, folder
    name = find_real(name_or_path).name if name_or_path in sets() else find(name_or_path).name
    return name, set_folder(name, data)
