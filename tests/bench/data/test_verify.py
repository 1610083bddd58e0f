"""Looking through a set on disk."""

import shutil
from dataclasses import replace

import pytest
from PIL import Image

from bench.data.catalogue import SETS, find_real
from bench.data.folder import content_of, read_folder
from bench.data.verify import verify_folder
from bench.progress import Silent


@pytest.fixture
def catalogued(monkeypatch, image_folder):
    """A folder that the catalogue knows as `tiny`, content pinned."""
    folder = image_folder((6, 5, 3, 2))
    content = content_of(read_folder(folder).every)
    entry = replace(find_real("maps"), name="tiny", counts=(6, 5, 3, 2), content=content)
    monkeypatch.setitem(SETS, "tiny", entry)
    return folder


def test_the_genuine_set_is_sound(catalogued):
    verdict = verify_folder("tiny", catalogued, Silent())
    assert verdict.sound
    assert verdict.genuine
    assert verdict.counts == verdict.expected == {"trainA": 6, "trainB": 5, "testA": 3, "testB": 2}


def test_genuine_files_with_flaws_are_told_from_sound_ones(catalogued, monkeypatch):
    assert verify_folder("tiny", catalogued, Silent()).in_words == "genuine and sound"
    shutil.copy(catalogued / "trainA/000.jpg", catalogued / "testA/000.jpg")
    pinned = replace(find_real("tiny"), content=content_of(read_folder(catalogued).every))
    monkeypatch.setitem(SETS, "tiny", pinned)
    verdict = verify_folder("tiny", catalogued, Silent())
    assert verdict.usable
    assert not verdict.sound
    assert verdict.in_words == (
        "genuine, with flaws that the published files have: 2 identical files in 1 groups; "
        "1 of testA in trainA"
    )
    assert verdict.as_json()["flaws"] == verdict.flaws


def test_a_changed_byte_is_noticed(catalogued):
    with (catalogued / "trainA/000.jpg").open("ab") as file:
        file.write(b"\0")
    verdict = verify_folder("tiny", catalogued, Silent())
    assert verdict.genuine is False
    assert not verdict.sound


def test_a_missing_image_is_noticed(catalogued):
    (catalogued / "trainB/000.jpg").unlink()
    verdict = verify_folder("tiny", catalogued, Silent())
    assert verdict.counts["trainB"] == 4
    assert not verdict.sound


def test_unreadable_and_greyscale_files_duplicates_and_leaks_are_listed(image_folder):
    folder = image_folder()
    (folder / "trainA/bad.jpg").write_bytes(b"")
    Image.new("L", (9, 9)).save(folder / "trainB/grey.jpg")
    shutil.copy(folder / "trainB/000.jpg", folder / "testB/leak.jpg")
    verdict = verify_folder("photos", folder, Silent())
    assert verdict.unreadable == ["trainA/bad.jpg"]
    assert verdict.greyscale == ["trainB/grey.jpg"]
    assert verdict.identical["leaks"] == {"testB in trainB": 1}
    assert not verdict.sound


def test_a_folder_of_ones_own_is_sound_when_all_is_readable(image_folder):
    verdict = verify_folder("photos", image_folder(), Silent())
    assert verdict.sound
    assert verdict.expected is None
    assert verdict.genuine is None
