"""The embedded scenes as a data set."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from bench.data.cache import cached_images
from bench.data.catalogue import EmbeddedSet
from bench.data.dataset import Dataset, Domain, Images, Split, Truth
from bench.data.folders import identical_files
from bench.data.scenes.render import renderer_version, scene_images, scene_truth
from bench.progress import ProgressReport
from bench.protocol import ImageSettings


def load_embedded(
    entry: EmbeddedSet, images: ImageSettings, cache: Path, progress: ProgressReport
) -> Dataset:
    """Render as many scenes as the protocol asks for; rendered scenes are kept in `cache`.

    Scenes are rendered at load_size for training and at size otherwise. The fingerprint is over the pixels.
    """
    renderer = _Renderer(entry.name, cache, progress)
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
        entry.name, domains["A"], domains["B"], _fingerprint(domains), facts, tuple(renderer.warnings)
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

    def __init__(self, name: str, cache: Path, progress: ProgressReport) -> None:
        self._name, self._cache, self._progress = name, cache, progress
        self._version = renderer_version()
        self.warnings: list[str] = []

    def split(self, split: str, letter: str, count: int, size: int) -> Split:
        """The first `count` scenes of a split of a domain."""
        names = tuple(f"{split}{letter}_{index:05d}.png" for index in range(count))
        compute = partial(scene_images, self._name, split, letter, count, size)
        return Split(self._cached([split, letter, count, size], (count, size, size, 3), compute), names)

    def truth(self, letter: str, count: int, size: int) -> Truth:
        """The ground truth of the first `count` test scenes of a domain."""
        compute = partial(scene_truth, self._name, letter, count, size)
        layers = self._cached(["truth", letter, count, size], (count, size, size, 5), compute)
        return Truth(
            counterfactual=np.ascontiguousarray(layers[..., :3]),
            foreground=layers[..., 3] > 0,
            objects=np.ascontiguousarray(layers[..., 4]),
        )

    def _cached(
        self, part: list[str | int], shape: tuple[int, ...], compute: Callable[[], Iterable[Images]]
    ) -> Images:
        content = ["scenes", self._version, self._name, *part]
        cached = cached_images(self._cache, content, shape, lambda: self._told(compute(), shape[0]))
        if cached.warning:
            self.warnings.append(cached.warning)
        return cached.images

    def _told(self, blocks: Iterable[Images], count: int) -> Iterator[Images]:
        """The blocks, each told to the progress report as it passes."""
        self._progress.start(f"Rendering {self._name}", count)
        for block in blocks:
            self._progress.advance(len(block))
            yield block
