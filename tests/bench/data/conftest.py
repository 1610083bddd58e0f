"""Tiny folders of images, made afresh for each test."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SPLITS = ("trainA", "trainB", "testA", "testB")


def save_noise(path: Path, number: int, size: tuple[int, int] = (20, 20)) -> None:
    """An image of its own for every number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, quality=95)


@pytest.fixture
def image_folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder with the given numbers of images in trainA, trainB, testA, testB."""

    def make(
        counts: tuple[int, int, int, int] = (6, 5, 3, 2), name: str = "photos", suffix: str = ".jpg"
    ) -> Path:
        folder = tmp_path / name
        for number, (split, count) in enumerate(zip(SPLITS, counts, strict=True)):
            for index in range(count):
                save_noise(folder / split / f"{index:03d}{suffix}", 1000 * number + index)
        return folder

    return make


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[..., Path]:
    """Packs a folder, under a top folder of the given name, and adds members as given."""

    def make(folder: Path, top: str = "photos", extra: dict[str, bytes] | None = None) -> Path:
        archive = tmp_path / "archive.zip"
        with zipfile.ZipFile(archive, "w") as opened:
            for path in sorted(folder.rglob("*.jpg")):
                opened.write(path, Path(top) / path.relative_to(folder))
            for name, content in (extra or {}).items():
                opened.writestr(name, content)
        return archive

    return make
