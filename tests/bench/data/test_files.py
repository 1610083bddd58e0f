"""Which files of a folder are images: one rule for data sets, scores and translations."""

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data.files import list_images, printable, shell_quoted
from bench.data.folder import read_folder
from bench.data.verify import verify_folder
from bench.errors import BenchError, UsageError
from bench.progress import Silent
from bench.scoring.folders import ImageSelection, read_folder_images

ImageFolder = Callable[..., Path]


@pytest.fixture
def folder(image_folder: ImageFolder) -> Path:
    """Two images, one of them in capitals, among all that a folder may hold besides."""
    place = image_folder((2, 2, 2, 2), suffix=".png") / "trainA"
    (place / "001.png").rename(place / "001.PNG")
    image = (place / "000.png").read_bytes()
    (place / "._000.png").write_bytes(b"\0\5\26\7Mac OS X")
    (place / ".DS_Store").write_bytes(b"\0")
    (place / "inner.png").mkdir()
    (place / "inner.png" / "deep.png").write_bytes(image)
    (place / "round.png").symlink_to(place)
    os.mkfifo(place / "pipe.png")
    (place / "null.png").symlink_to("/dev/null")
    (place / "moving.gif").write_bytes(image)
    (place / "notes").write_text("no image")
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(place)  # the name of a socket may be 107 bytes long, with its folders
        listening.bind("socket.png")
    return place


@pytest.fixture(autouse=True)
def _come_back() -> object:
    before = Path.cwd()
    yield
    os.chdir(before)


def test_images_are_files_that_end_like_one_and_all_else_is_counted(folder: Path) -> None:
    listing = list_images(folder)
    assert [path.name for path in listing.paths] == ["000.png", "001.PNG"]
    assert listing.left_out == {"hidden": 1, "folder": 2, "special": 3, "other": 2}
    assert listing.note == (
        f"Left out of {folder}: 1 hidden image, 2 folders (inner.png, round.png), 3 pipes, sockets or "
        "devices, 2 files that do not end like an image (.gif, no ending)."
    )


def test_a_folder_of_images_alone_needs_no_note(image_folder: ImageFolder) -> None:
    listing = list_images(image_folder() / "trainA")
    assert (listing.left_out, listing.note) == ({}, None)


def test_folders_below_are_searched_when_asked_and_links_are_not_followed_there(folder: Path) -> None:
    listing = list_images(folder, recursive=True)
    assert [str(path.relative_to(folder)) for path in listing.paths] == [
        "000.png",
        "001.PNG",
        "inner.png/deep.png",
    ]
    assert listing.left_out["folder"] == 1, "the link that would lead round in circles"


def test_a_pattern_keeps_images_by_their_names(folder: Path) -> None:
    listing = list_images(folder, "0*.png", recursive=True)
    assert [path.name for path in listing.paths] == ["000.png"]
    assert listing.left_out["unmatched"] == 2


def test_data_sets_and_scores_keep_to_the_rule(folder: Path) -> None:
    files = read_folder(folder.parent)
    assert [file.name for file in files.splits["trainA"]] == ["000.png", "001.PNG"]
    assert files.notes == [list_images(folder).note]
    images = read_folder_images(ImageSelection(folder))
    assert (images.names, images.note) == (("000.png", "001.PNG"), list_images(folder).note)


@pytest.mark.parametrize("target", ["/nowhere/image.png", "dangling.png"])
def test_a_link_that_leads_nowhere_is_an_unreadable_image(folder: Path, target: str) -> None:
    (folder / "dangling.png").symlink_to(target)
    assert "dangling.png" in [path.name for path in list_images(folder).paths]
    assert verify_folder("photos", folder.parent, Silent()).unreadable == ["trainA/dangling.png"]
    with pytest.raises(BenchError, match=r"dangling\.png is not a readable image: it is a link to .*there"):
        read_folder_images(ImageSelection(folder))


def test_what_is_no_folder_of_images_is_refused_with_what_it_is(folder: Path) -> None:
    (folder / "lost").symlink_to("/nowhere")
    for place, reason in (
        (folder / "nowhere", "There is no folder .*nowhere"),
        (folder / "000.png", "000.png is not a folder"),
        (folder / "lost", "lost is a link that leads nowhere"),
        (folder / ("x" * 300), "There is no folder"),
    ):
        with pytest.raises(UsageError, match=reason):
            list_images(place)
    (folder / "inner.png" / "deep.png").unlink()
    (folder / "inner.png" / "film.gif").touch()
    with pytest.raises(BenchError, match=r"holds no images. It must hold .*\.webp\. Left out .*\(\.gif\)"):
        list_images(folder / "inner.png").require_images()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_names_the_command_that_mends_it(folder: Path) -> None:
    (folder / "inner.png").chmod(0)
    try:
        with pytest.raises(BenchError, match=r"permission denied; let it be read: chmod u\+rx .*inner\.png"):
            list_images(folder / "inner.png")
    finally:
        (folder / "inner.png").chmod(0o755)


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=40).filter(lambda name: not {0, 47} & set(name)))
def test_a_printed_name_is_text_and_a_quoted_one_comes_back_from_the_shell(name: bytes) -> None:
    path = os.fsdecode(name)
    printable(path).encode()
    told = subprocess.run(["bash", "-c", f"printf %s {shell_quoted(path)}"], capture_output=True, check=True)
    assert told.stdout == name
