"""Where results go: names that lead elsewhere, places that take no files, a disk that fills up under way."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.runs import atomic

Command = Callable[..., subprocess.CompletedProcess[str]]
SPATIAL = "runs/tiny/toy-stripes/spatial/seed0"
BELOW_A_FILE = "a-file/below"
SCORE = ["score", "--real", "theirs", "--fake", "theirs", "--features", "tiny"]
KEEPING = {
    "run": (["run", "--variant", "copy", "--protocol", "tiny.toml", "--runs", BELOW_A_FILE], "--runs"),
    "study": (["study", "--variant", "copy", "--protocol", "tiny.toml", "--runs", BELOW_A_FILE], "--runs"),
    "score --name": ([*SCORE, "--name", "x", "--runs", BELOW_A_FILE], "--runs"),
    "score --out": ([*SCORE, "--out", BELOW_A_FILE], "--out"),
    "report": (["report", "runs", "--out", BELOW_A_FILE], "--out"),
    "translate": (["translate", "--run", SPATIAL, "theirs", "--out", BELOW_A_FILE], "--out"),
    "export": (["export", SPATIAL, "--out", f"{BELOW_A_FILE}/spatial.onnx"], "--out"),
    "export --format hub": (["export", SPATIAL, "--format", "hub", "--out", f"{BELOW_A_FILE}/hub"], "--out"),
    "ballot make": (["ballot", "make", "slot9", "spatial", "--out", BELOW_A_FILE], "--out"),
    "data get": (["data", "get", "horse2zebra", "--data", BELOW_A_FILE], "--data"),
}


@pytest.fixture(scope="module")
def place(workplace: Path, finished_runs: Path) -> Path:
    """The workplace with two finished runs, a folder of images and a file."""
    (workplace / "theirs").mkdir()
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 255, (32, 32, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(workplace / "theirs" / f"{number}.png")
    (workplace / "a-file").touch()
    return workplace


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, locks left out."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def full_disk(place: str = "") -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), place)


@contextmanager
def disk_full_after(writes: int) -> Iterator[None]:
    """The disk takes so many files, and no further one, and none of them half."""
    fsync, count = os.fsync, iter(range(10**6))

    def refusing(descriptor: int) -> None:
        if next(count) >= writes:
            raise full_disk()
        fsync(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atomic.os, "fsync", refusing)
        yield


@pytest.mark.parametrize("name", ["../../up", "", " ", ".", "..", ".hidden", "a/b", "a\nb", "x" * 300])
@pytest.mark.parametrize("option", ["--name", "--protocol"])
def test_a_name_that_is_no_name_of_a_folder_is_refused_before_anything_is_scored(
    call: Command, place: Path, option: str, name: str
) -> None:
    if option == "--protocol" and not name:
        return  # as if it were not given
    before = content(place)
    outcome = call(*SCORE, "--name", "x", option, name)
    assert outcome.returncode == 2, outcome.stderr
    assert option in outcome.stderr
    assert content(place) == before


def test_the_data_set_of_images_is_called_as_its_folder_however_it_is_spelled(
    call: Command, place: Path
) -> None:
    (place / "spelled").mkdir()
    for spelled in ("spelled", "./spelled/", str(place / "spelled")):
        outcome = call(
            *SCORE, "--name", "theirs", "--dataset", spelled, "--protocol", "tiny.toml", "--runs", "kept"
        )
        assert outcome.returncode == 0, outcome.stderr
    assert [path.parent for path in (place / "kept").rglob("scores.json")] == [
        place / "kept/tiny/spelled/theirs"
    ]


@pytest.mark.parametrize("command", KEEPING)
def test_a_place_that_takes_no_files_is_refused_before_the_work(
    call: Command, place: Path, command: str
) -> None:
    words, option = KEEPING[command]
    before = content(place)
    outcome = call(*words)
    assert outcome.returncode == 1
    assert (
        "A file stands where a folder should be: move it away, or choose another folder with"
        in outcome.stderr
    )
    assert f"{option}." in outcome.stderr
    assert outcome.stdout == ""
    assert content(place) == before


@pytest.mark.parametrize("command", KEEPING)
def test_a_full_disk_is_said_before_the_work(
    call: Command, place: Path, tmp_path: Path, command: str
) -> None:
    words, option = KEEPING[command]
    with disk_full_after(0):
        outcome = call(*(word.replace(BELOW_A_FILE, str(tmp_path / "new")) for word in words))
    assert outcome.returncode == 1
    assert f"Free some disk space there, or choose another folder with {option}." in outcome.stderr
    assert list(tmp_path.iterdir()) == []


UNDER_WAY = {
    "score again": ["score", SPATIAL, "--threads", "1"],
    "score --out": [*SCORE, "--source", "theirs", "--out", "full/scores"],
    "report": ["report", SPATIAL, "--out", "full/report"],
    "translate": ["translate", "--run", SPATIAL, "theirs", "--out", "full/made"],
}


@pytest.mark.parametrize("command", UNDER_WAY)
def test_a_disk_that_fills_up_under_way_costs_nothing_that_was_there(
    call: Command, place: Path, command: str
) -> None:
    words = UNDER_WAY[command]
    assert call(*words).returncode == 0
    before = content(place)
    with disk_full_after(3):
        outcome = call(*words)
    assert outcome.returncode == 1
    assert "No space left on device" in outcome.stderr
    assert (
        "What stood there before is unchanged. Free some disk space there, then repeat the command."
        in outcome.stderr
    )
    assert content(place).keys() == before.keys()
    assert call(*words).returncode == 0
    unlike = {name for name, value in content(place).items() if value != before[name]}
    assert not {name for name in unlike if name.endswith((".png", ".csv", ".npy"))}
