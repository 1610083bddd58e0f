"""Foreground masks of a data set's images: read from folders beside them, and made what a generator wants.

A folder of photographs may bring trainA_masks, trainB_masks, testA_masks and testB_masks: for every image a
PNG of the same stem, white where the foreground is. Rendered scenes know theirs. Masks have a fingerprint of
their own, so that bringing some changes nothing of what is known of the images.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bench.data.dataset import Dataset, Domain, Masks, Split, Truth, cached_images
from bench.data.files import kind_of_path, list_images, printable, what_it_is_instead
from bench.data.folder import READERS, ChosenFiles, ImageFile, hash_or_error
from bench.data.pictures import BadImage, image_size
from bench.errors import BenchError
from bench.protocol import ImageSettings
from bench.streams import Streams

SUFFIX = ".png"
VERSION = 1
"""Raised when the same mask file gives other values than before."""
LOOKED_AT = 64
"""Side to which masks are reduced when all that matters is whether they can be used."""
HALF = 128
"""The least of 256 levels that is foreground."""
Grey = NDArray[np.uint8]


@dataclass
class MaskFolders:
    """Reads the masks beside the images of a data set's folder; remembers what is to be said of them."""

    cache: Path
    warnings: list[str] = field(default_factory=list)
    _thresholded: Counter[Path] = field(default_factory=Counter)
    _resized: Counter[Path] = field(default_factory=Counter)
    _left_over: Counter[Path] = field(default_factory=Counter)

    def of_domain(self, domain: Domain, selection: ChosenFiles, images: ImageSettings) -> Domain:
        """A domain with the masks that lie beside its images. Raises BenchError as `beside`."""
        test = self.beside(selection.test, images.size)
        return replace(
            domain,
            truth=None if test is None else Truth(counterfactual=None, foreground=test(), objects=None),
            train=replace(domain.train, masks=self.beside(selection.train, images.load_size)),
            validation=replace(domain.validation, masks=self.beside(selection.validation, images.size)),
            test=replace(domain.test, masks=test),
        )

    def beside(self, files: list[ImageFile], size: int) -> Callable[[], Masks] | None:
        """The masks [n, size, size] of images of one folder; None where no folder of masks lies beside it.

        Of another size than theirs they are resized, nearest. Raises BenchError for an image without a mask
        and for a mask that cannot be read or in which nothing comes near to white.
        """
        if not files:
            return None
        images = files[0].path.parent
        folder = images.with_name(f"{images.name}_masks")
        if kind_of_path(folder) == "nothing":
            return None
        if kind_of_path(folder) != "folder":
            raise BenchError(
                f"{what_it_is_instead(folder, 'folder of masks')}. Move it away, or make it a folder."
            )
        paths = self._partners(images, folder, files)
        greys = self._cached(paths, size)
        self._resized[folder] += sum(
            image_size(file.path) != image_size(path) for file, path in zip(files, paths, strict=True)
        )
        for path, grey in zip(paths, greys, strict=True):
            refuse_labels(path, grey)
            self._thresholded[folder] += bool(((grey > 0) & (grey < 255)).any())
        masks = np.asarray(greys) >= HALF
        return lambda: masks

    def remarks(self) -> list[str]:
        """What a reader of the results has to know of the masks, one sentence each."""
        said = (
            (self._thresholded, "have more than two values, and count as foreground from half of white on"),
            (self._resized, "have another size than their image, and were resized (nearest)"),
            (self._left_over, "belong to no image, and are left out"),
        )
        found = [
            f"Masks of {printable(folder)} that {what}: {count}."
            for counts, what in said
            for folder, count in counts.items()
            if count
        ]
        return [*self.warnings, *found]

    def _partners(self, images: Path, folder: Path, files: list[ImageFile]) -> list[Path]:
        """The mask of every image, in their order."""
        masks = {path.stem: path for path in list_images(folder).paths if path.suffix.lower() == SUFFIX}
        stems = Counter(path.stem for path in list_images(images).paths)
        for file in files:
            stem = file.path.stem
            if stem not in masks:
                raise BenchError(
                    f"{file.place} has no mask: there is no {printable(folder / stem)}{SUFFIX}. Add it "
                    f"(white where the foreground is), or move {printable(folder)} away to go on without."
                )
            if stems[stem] > 1:
                raise BenchError(
                    f"{stems[stem]} images of {printable(images)} would share the mask {masks[stem].name}. "
                    "Give them different names before the ending."
                )
        self._left_over[folder] = len(masks.keys() - stems.keys())
        return [masks[file.path.stem] for file in files]

    def _cached(self, paths: list[Path], size: int) -> Grey:
        """The masks as grey levels [n, size, size]."""
        with ThreadPoolExecutor(READERS) as pool:
            hashes = list(pool.map(hash_or_error, paths))
        bad = next((found for found in hashes if isinstance(found, BadImage)), None)
        if bad is not None:
            raise unreadable(bad.path, bad.reason)
        content = ["masks", VERSION, PIL.__version__, size, hashes]
        shape = (len(paths), size, size)
        cached = cached_images(self.cache, content, shape, partial(decoded, paths, size))
        self.warnings += [cached.warning] if cached.warning else []
        return cached.images


def problems_of_masks(splits: Mapping[str, list[ImageFile]]) -> dict[str, str]:
    """Split with a folder of masks beside it -> what keeps the masks from being used; nothing where nothing.

    Nothing is cached: this is of a set that is looked at, not trained on.
    """
    found = {}
    with TemporaryDirectory() as cache:
        for split, files in splits.items():
            try:
                masks = MaskFolders(Path(cache)).beside(files, LOOKED_AT)
            except BenchError as error:
                found[split] = str(error)
                continue
            if masks is not None:
                found[split] = ""
    return found


def decoded(paths: list[Path], size: int) -> Iterator[Grey]:
    """The grey levels of mask files, each [1, size, size]."""
    with ThreadPoolExecutor(READERS) as pool:
        for grey in pool.map(partial(read_mask, size=size), paths):
            yield grey[None]


def read_mask(path: Path, size: int) -> Grey:
    """A mask file as grey levels [size, size], nearest; what is transparent is black. Raises BenchError."""
    try:
        with Image.open(path) as picture:
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            if upright.mode.startswith("I"):  # 16 bits
                levels = np.rint(np.asarray(upright).astype(np.float64) / 257).clip(0, 255)
                upright = Image.fromarray(levels.astype(np.uint8))
            if upright.has_transparency_data:
                layer = upright.convert("RGBA")
                black = Image.new("RGBA", layer.size, (0, 0, 0, 255))
                upright = Image.alpha_composite(black, layer)
            grey = upright.convert("L").resize((size, size), Image.Resampling.NEAREST)
    except Exception as error:  # Pillow's decoders answer damaged files with many kinds
        raise unreadable(path, " ".join(str(error).split()) or type(error).__name__) from None
    return np.asarray(grey)


def unreadable(path: Path, reason: str) -> BenchError:
    """The error of a mask file of which no image can be made."""
    return BenchError(f"{printable(path)} is not a readable mask: {reason}. Replace the file.")


def refuse_labels(path: Path, grey: Grey) -> None:
    """Raise BenchError for a mask that holds something, and nothing that is near to white: labels 0 and 1."""
    if 0 < int(grey.max()) < HALF:
        raise BenchError(
            f"{printable(path)} holds no value above {int(grey.max())}, where white, 255, is foreground. Are "
            "these labels? Write 255 in place of what is foreground."
        )


@dataclass(frozen=True, eq=False)
class Later:
    """Masks that are made when somebody first asks for them."""

    make: Callable[[], Masks]

    @cached_property
    def made(self) -> Masks:
        """The masks."""
        return self.make()

    def __call__(self) -> Masks:
        return self.made


def as_wanted(
    dataset: Dataset, wanted: Literal["own", "other"] | None, variant: str, streams: Streams
) -> Dataset:
    """The data set as a generator takes it that wants such masks, and with no masks for one that wants none.

    `other` gives every image the mask of another one of its split, drawn by its name from the stream
    `other-mask`: right in kind and number, and in the wrong place. Raises BenchError where a split has no
    masks, or a single image, which has no other.
    """
    if wanted is None:
        return dataset
    for letter, domain in (("A", dataset.A), ("B", dataset.B)):
        for name, split in splits(domain):
            if len(split) and split.masks is None:
                raise BenchError(no_masks(dataset, variant, f"{name}{letter}"))
    if wanted == "own":
        return dataset
    return replace(
        dataset, A=shuffled_masks(dataset.A, "A", streams), B=shuffled_masks(dataset.B, "B", streams)
    )


def no_masks(dataset: Dataset, variant: str, split: str) -> str:
    """What is said where a generator wants masks and a split has none."""
    why = dataset.no_masks or (
        f"{dataset.name} brings none for {split}. A folder brings them in "
        f"{split.replace('validation', 'train')}_masks: PNG files of the images' stems, white where the "
        "foreground is"
    )
    return (
        f"{variant} weighs by the foreground masks of its data set, and {why}. Take one that has masks "
        "(toy-stripes, toy-shape), or another variant."
    )


def splits(domain: Domain) -> tuple[tuple[str, Split], ...]:
    """The splits of a domain by name."""
    return ("train", domain.train), ("validation", domain.validation), ("test", domain.test)


def shuffled_masks(domain: Domain, letter: str, streams: Streams) -> Domain:
    """A domain in which every image has the mask of another one of its split."""
    changed: dict[str, Any] = {}
    for name, split in splits(domain):
        if len(split) == 1:
            raise BenchError(f"The only image of {name}{letter} has no other whose mask it could take.")
        own = split.masks
        assert own is not None  # as_wanted asked
        places = other_places(split.names, name, letter, streams)
        # Bound now: the loop goes on.
        masks = Later(lambda own=own, places=places: own()[places])  # type: ignore[misc]
        changed[name] = replace(split, masks=masks)
    return replace(domain, **changed)


def other_places(names: tuple[str, ...], split: str, letter: str, streams: Streams) -> NDArray[np.int64]:
    """For every image the place of another one in its split, drawn by its name."""
    draws = [
        int(streams.numpy("other-mask", split, letter, name).integers(max(len(names) - 1, 1)))
        for name in names
    ]
    return np.array([draw + (draw >= place) for place, draw in enumerate(draws)], dtype=np.int64)


def masks_fingerprint(dataset: Dataset, *, rendered: bool = True) -> str | None:
    """64 hex digits over all masks of a data set; None where it has none.

    Those of rendered scenes are rendered for that, or do not count: nothing can be wrong with them that is
    not wrong with the scenes.
    """
    digest, any_masks = hashlib.sha256(), False
    for letter, domain in (("A", dataset.A), ("B", dataset.B)):
        for name, split in splits(domain):
            if split.masks is None or not len(split) or (isinstance(split.masks, Later) and not rendered):
                continue
            any_masks = True
            masks = split.masks()
            digest.update(f"{letter} {name} {masks.shape} {split.names}\n".encode())
            digest.update(np.packbits(masks).tobytes())
    return digest.hexdigest() if any_masks else None
