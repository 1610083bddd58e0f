"""A data set by name or path, as arrays ready for training and scoring.

The embedded scenes as one: which scenes it holds, their pixels and their ground truth.
"""

import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from bench.data import scenes
from bench.data.catalogue import SPLITS, find, find_real, is_path, set_folder, sets
from bench.data.dataset import Dataset, Domain, Images, Masks, Split, Truth, cached_images
from bench.data.files import at_home, cache_root, require_folder
from bench.data.folder import identical_files
from bench.data.masks import Later
from bench.data.photographs import load_folder
from bench.data.scenes import EmbeddedSet
from bench.data.scenes.canvas import Canvas
from bench.progress import ProgressReport, Silent
from bench.protocol import ImageSettings

FAINT = 12
"""Changes up to this (of 255) do not make a pixel foreground: the faint rim of antialiased edges."""
OTHER = {"A": "B", "B": "A"}


def load_embedded(
    entry: EmbeddedSet, images: ImageSettings, cache: Path, progress: ProgressReport
) -> Dataset:
    """Render as many scenes as the protocol asks for; rendered scenes are kept in `cache`.

    Scenes are rendered at load_size for training and at size otherwise. The fingerprint is over the pixels.
    """
    renderer = _Renderer(entry, cache, progress)
    train = images.per_domain or entry.train
    test = images.test or entry.test
    domains = {}
    for letter in ("A", "B"):
        domains[letter] = Domain(
            train=renderer.split("train", letter, train, images.load_size),
            validation=renderer.split("validation", letter, images.validation, images.size),
            test=renderer.split("test", letter, test, images.size),
            truth=renderer.truth(letter, test, images.size),
        )
    counts = {
        f"{split}{letter}": len(getattr(domain, split))
        for letter, domain in domains.items()
        for split in ("train", "validation", "test")
    }
    facts = {"counts": counts, "identical": identical_files([]), "skipped": []}
    return Dataset(
        entry.name,
        domains["A"],
        domains["B"],
        _fingerprint(domains),
        facts,
        tuple(renderer.warnings),
        f"everything changes in {entry.name}: it has no foreground" if entry.changes_everywhere else "",
    )


def _fingerprint(domains: dict[str, Domain]) -> str:
    digest = hashlib.sha256()
    for letter, domain in domains.items():
        for split in (domain.train, domain.validation, domain.test):
            digest.update(f"{letter} {split.images.shape} {split.names}\n".encode())
            for image in split.images:
                digest.update(image.tobytes())
    return digest.hexdigest()


class _Renderer:
    """Renders splits of one set, or takes them from the cache."""

    def __init__(self, entry: EmbeddedSet, cache: Path, progress: ProgressReport) -> None:
        self._entry, self._cache, self._progress = entry, cache, progress
        self._version = renderer_version(entry)
        self.warnings: list[str] = []

    def split(self, split: str, letter: str, count: int, size: int) -> Split:
        """The first `count` scenes of a split of a domain."""
        names = tuple(f"{split}{letter}_{index:05d}.png" for index in range(count))
        compute = partial(scene_images, self._entry, split, letter, count, size)
        images = self._cached([split, letter, count, size], (count, size, size, 3), compute)
        if self._entry.changes_everywhere:
            return Split(images, names)
        return Split(images, names, Later(partial(self._masks, split, letter, count, size)))

    def _masks(self, split: str, letter: str, count: int, size: int) -> Masks:
        """The foreground of the scenes as they look in their own domain: nothing of the other one's."""
        compute = partial(scene_masks, self._entry, split, letter, count, size)
        return self._cached(["masks", split, letter, count, size], (count, size, size), compute) > 0

    def truth(self, letter: str, count: int, size: int) -> Truth:
        """The ground truth of the first `count` test scenes of a domain."""
        compute = partial(scene_truth, self._entry, letter, count, size)
        layers = self._cached(["truth", letter, count, size], (count, size, size, 5), compute)
        return Truth(
            counterfactual=np.ascontiguousarray(layers[..., :3]),
            foreground=layers[..., 3] > 0,
            objects=np.ascontiguousarray(layers[..., 4]),
        )

    def _cached(
        self, part: list[str | int], shape: tuple[int, ...], compute: Callable[[], Iterable[Images]]
    ) -> Images:
        content = ["scenes", self._version, self._entry.name, *part]
        cached = cached_images(self._cache, content, shape, lambda: self._told(compute(), shape[0]))
        if cached.warning:
            self.warnings.append(cached.warning)
        return cached.images

    def _told(self, blocks: Iterable[Images], count: int) -> Iterator[Images]:
        """The blocks, each told to the progress report as it passes."""
        self._progress.start(f"Rendering {self._entry.name}", count)
        for block in blocks:
            self._progress.advance(len(block))
            yield block


def renderer_version(entry: EmbeddedSet) -> str:
    """16 hex digits that change with the code of the scene and of the renderer, and with NumPy."""
    digest = hashlib.sha256(np.__version__.encode())
    own = Path(inspect.getfile(entry.scene))
    for file in sorted({own, *Path(scenes.__file__).parent.glob("*.py")}, key=lambda file: file.name):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def scene_images(entry: EmbeddedSet, split: str, domain: str, count: int, size: int) -> Iterator[Images]:
    """The first `count` images of a split of a domain, each uint8 [1, size, size, 3]."""
    for index in range(count):
        yield _paint(entry, split, domain, index, domain, size).image()[None]


def scene_masks(entry: EmbeddedSet, split: str, domain: str, count: int, size: int) -> Iterator[Images]:
    """The objects of the first `count` images of a split of a domain: 1 there, each uint8 [1, size, size]."""
    for index in range(count):
        yield (_paint(entry, split, domain, index, domain, size).labels > 0).astype(np.uint8)[None]


def scene_truth(entry: EmbeddedSet, domain: str, count: int, size: int) -> Iterator[Images]:
    """Ground truth of the first `count` test images of a domain, each uint8 [1, size, size, 5].

    Channels: red, green, blue of the counterfactual; 1 in the foreground; the object's label, 0 for none.
    """
    for index in range(count):
        source = _paint(entry, "test", domain, index, domain, size)
        target = _paint(entry, "test", domain, index, OTHER[domain], size)
        before, after = source.image(), target.image()
        changed = np.abs(before.astype(np.int16) - after).max(axis=2) > FAINT
        foreground = changed | (source.labels > 0) | (target.labels > 0) | entry.changes_everywhere
        yield np.dstack([after, foreground.astype(np.uint8), source.labels])[None]


def _paint(entry: EmbeddedSet, split: str, domain: str, index: int, shown_in: str, size: int) -> Canvas:
    """Scene number `index` of a domain's split, as it looks in domain `shown_in`."""
    text = f"{entry.name}/{split}{domain}/{index}"
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    scene = entry.scene.draw(np.random.Generator(np.random.PCG64(seed)))
    return scene.paint(shown_in, size)


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
    and `cache` stand in for the folders of `bench.data.files`. Raises UsageError for an unknown name, and
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
