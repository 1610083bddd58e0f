"""Folders of images: what is found, what is refused, what is identical."""

import os
import shutil

import pytest

from bench.data.folder import content_of, identical_files, read_folder
from bench.errors import BenchError


def every(folder):
    return read_folder(folder).every


def test_names_are_sorted_and_endings_may_be_written_in_any_case(image_folder):
    folder = image_folder((3, 1, 1, 1))
    (folder / "trainA" / "001.jpg").rename(folder / "trainA" / "Z.JPG")
    (folder / "trainA" / "notes.txt").write_text("no image")
    (folder / "trainA" / "._000.jpg").write_text("left by a Mac")
    assert [file.name for file in read_folder(folder).splits["trainA"]] == ["000.jpg", "002.jpg", "Z.JPG"]


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(BenchError, match=r"There is no folder .*nowhere. Give a folder that holds trainA"):
        read_folder(tmp_path / "nowhere")


def test_a_missing_split_is_refused(image_folder):
    folder = image_folder()
    shutil.rmtree(folder / "testB")
    with pytest.raises(BenchError, match="has no folder testB"):
        read_folder(folder)


def test_the_folder_one_level_deeper_is_proposed(image_folder):
    folder = image_folder(name="outer/inner")
    with pytest.raises(BenchError, match=r"outer has no folder trainA. Did you mean .*outer/inner\?"):
        read_folder(folder.parent)


def test_an_empty_split_is_refused(image_folder):
    folder = image_folder((2, 2, 2, 0))
    (folder / "testB").mkdir()
    with pytest.raises(
        BenchError, match=r"testB holds no images. It must hold files ending in .bmp, .jpeg, .jpg"
    ):
        read_folder(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_refused(image_folder):
    folder = image_folder()
    (folder / "trainB").chmod(0)
    try:
        with pytest.raises(BenchError, match=r"Cannot read .*trainB: permission denied. .*chmod"):
            read_folder(folder)
    finally:
        (folder / "trainB").chmod(0o755)


def test_the_content_depends_on_names_splits_and_bytes_but_not_on_order(image_folder):
    folder = image_folder()
    files = every(folder)
    before = content_of(files)
    assert content_of(reversed(files)) == before
    (folder / "trainA" / "000.jpg").rename(folder / "trainA" / "other.jpg")
    assert content_of(every(folder)) != before
    (folder / "trainA" / "other.jpg").rename(folder / "trainA" / "000.jpg")
    assert content_of(every(folder)) == before
    with (folder / "trainA" / "000.jpg").open("ab") as file:
        file.write(b"\0")
    assert content_of(every(folder)) != before


def test_identical_files_are_counted_within_and_across_splits_and_domains(image_folder):
    folder = image_folder((4, 4, 3, 3))
    shutil.copy(folder / "trainA/000.jpg", folder / "trainA/copy.jpg")
    shutil.copy(folder / "trainA/001.jpg", folder / "testA/leak.jpg")
    shutil.copy(folder / "trainA/001.jpg", folder / "testA/leak2.jpg")
    shutil.copy(folder / "testB/002.jpg", folder / "trainA/stranger.jpg")
    found = identical_files(every(folder))
    assert found["groups"] == 3
    assert found["files"] == 2 + 3 + 2
    assert found["leaks"] == {"testA in trainA": 2, "testB in trainA": 1}
    assert found["crossing"] == [
        ["testA/leak.jpg", "testA/leak2.jpg", "trainA/001.jpg"],
        ["testB/002.jpg", "trainA/stranger.jpg"],
    ]


def test_a_folder_without_duplicates_has_none(image_folder):
    assert identical_files(every(image_folder())) == {"groups": 0, "files": 0, "leaks": {}, "crossing": []}
