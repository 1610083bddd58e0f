"""Archives: unpacked whole and only when they are safe and hold the set that was asked for."""

import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from bench.data import fetch
from bench.data.catalogue import SETS, find_real
from bench.data.fetch import get, unpack_archive
from bench.data.folder import read_folder
from bench.errors import BenchError, UsageError
from bench.progress import Silent

TINY = replace(find_real("maps"), name="tiny", counts=(6, 5, 3, 2), addresses=())


@pytest.fixture
def target(tmp_path):
    return tmp_path / "data" / "tiny"


def leftovers(target):
    return list(target.parent.iterdir()) if target.parent.exists() else []


def test_an_archive_becomes_a_folder(image_folder, zipped, target):
    folder = image_folder()
    unpack_archive(zipped(folder), TINY, target, Silent())
    assert leftovers(target) == [target]
    unpacked, original = read_folder(target).splits, read_folder(folder).splits
    assert [f.sha256 for f in unpacked["trainA"]] == [f.sha256 for f in original["trainA"]]


@pytest.mark.parametrize("top", ["", "other-name", "deep/er"])
def test_the_splits_may_lie_under_any_folder(image_folder, zipped, target, top):
    unpack_archive(zipped(image_folder(), top=top), TINY, target, Silent())
    assert len(read_folder(target).splits["trainA"]) == 6


def test_other_files_are_left_in_the_archive(image_folder, zipped, target):
    extra = {
        "__MACOSX/photos/trainA/._000.jpg": b"x",
        "photos/readme.txt": b"x",
        "photos/trainA/.DS_Store": b"x",
    }
    unpack_archive(zipped(image_folder(), extra=extra), TINY, target, Silent())
    assert sorted(path.name for path in target.iterdir()) == ["testA", "testB", "trainA", "trainB"]
    assert len(list((target / "trainA").iterdir())) == 6


@pytest.mark.parametrize(
    "name",
    ["/etc/trainA/x.jpg", "../trainA/x.jpg", "photos/trainA/../../../x.jpg", "C:/trainA/x.jpg", "a\\..\\x"],
)
def test_paths_out_of_the_archive_are_refused(image_folder, zipped, target, name):
    archive = zipped(image_folder(), extra={name: b"x"})
    with pytest.raises(BenchError, match=r"unsafe: .* points outside of it"):
        unpack_archive(archive, TINY, target, Silent())
    assert not leftovers(target)


def test_links_are_refused(image_folder, zipped, target):
    archive = zipped(image_folder())
    link = zipfile.ZipInfo("photos/trainA/link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(link, "/etc/passwd")
    with pytest.raises(BenchError, match=r"unsafe: 'photos/trainA/link.jpg' is a link"):
        unpack_archive(archive, TINY, target, Silent())
    assert not leftovers(target)


def test_bombs_are_refused(image_folder, zipped, target):
    archive = zipped(image_folder())
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("photos/trainA/bomb.jpg", bytes(1 << 27))
    with pytest.raises(BenchError, match="unsafe: it would grow to"):
        unpack_archive(archive, TINY, target, Silent())


def test_too_many_files_are_refused(image_folder, zipped, target, monkeypatch):
    monkeypatch.setattr(fetch, "MOST_FILES", 10)
    with pytest.raises(BenchError, match="unsafe: it holds 16 files"):
        unpack_archive(zipped(image_folder()), TINY, target, Silent())


def test_another_set_is_refused_with_both_counts(image_folder, zipped, target):
    with pytest.raises(
        BenchError, match=r"is not tiny: .* hold 6, 5, 3, 3 images, and 6, 5, 3, 2 are expected"
    ):
        unpack_archive(zipped(image_folder((6, 5, 3, 3))), TINY, target, Silent())
    assert not leftovers(target)


def test_an_archive_without_a_split_is_refused(image_folder, zipped, target):
    with pytest.raises(BenchError, match="holds no images in testB"):
        unpack_archive(zipped(image_folder((6, 5, 3, 0))), TINY, target, Silent())


def test_an_archive_of_two_sets_is_refused(image_folder, zipped, target):
    with pytest.raises(BenchError, match=r"holds several data sets \(maps, photos\)"):
        unpack_archive(zipped(image_folder(), extra={"maps/trainA/1.jpg": b"x"}), TINY, target, Silent())


def test_two_members_of_one_name_are_refused(image_folder, zipped, target):
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = zipped(image_folder(), extra={"photos/trainA/000.jpg": b"x"})
    with pytest.raises(BenchError, match=r"unsafe: 'photos/trainA/000.jpg' occurs twice"):
        unpack_archive(archive, TINY, target, Silent())


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_truncated_archive_is_refused(image_folder, zipped, target, share):
    archive = zipped(image_folder())
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BenchError, match="is damaged or not a zip archive"):
        unpack_archive(archive, TINY, target, Silent())
    assert not leftovers(target)


def test_a_member_with_a_wrong_checksum_is_refused(image_folder, zipped, target):
    archive = zipped(image_folder())
    content = bytearray(archive.read_bytes())
    content[200] ^= 1
    archive.write_bytes(content)
    with pytest.raises(BenchError, match="damaged"):
        unpack_archive(archive, TINY, target, Silent())
    assert not leftovers(target)


@pytest.mark.parametrize(
    ("place", "told"), [("/dev/null", "is a pipe, socket or device"), (".", "is a folder")]
)
def test_an_archive_that_is_no_file_is_called_what_it_is(target, place, told):
    with pytest.raises(BenchError, match=f"{told}.*--archive"):
        unpack_archive(Path(place), TINY, target, Silent())


def test_a_missing_archive_is_told(target, tmp_path):
    with pytest.raises(BenchError, match=r"There is no archive .*none\.zip"):
        unpack_archive(tmp_path / "none.zip", TINY, target, Silent())


def test_a_place_that_cannot_be_written_is_told(image_folder, zipped, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BenchError, match=r"Could not write .*nothing was left behind.*--data"):
        unpack_archive(zipped(image_folder()), TINY, tmp_path / "file" / "tiny", Silent())


@pytest.fixture
def tiny_in_catalogue(monkeypatch, image_folder, zipped):
    """A set `tiny` whose address is an archive on this machine; returns the archive."""
    archive = zipped(image_folder())
    entry = replace(TINY, addresses=("http://127.0.0.1:1/dead.zip", archive.as_uri()))
    monkeypatch.setitem(SETS, "tiny", entry)
    return archive


def test_get_tries_one_address_after_the_other_and_removes_the_archive(tiny_in_catalogue, tmp_path):
    folder = get("tiny", data=tmp_path / "data")
    assert folder == tmp_path / "data" / "tiny"
    assert list((tmp_path / "data").iterdir()) == [folder]


def test_get_leaves_a_set_that_is_here_as_it_is(tiny_in_catalogue, tmp_path):
    folder = get("tiny", data=tmp_path / "data")
    (folder / "note").write_text("mine")
    assert get("tiny", data=tmp_path / "data", archive=tmp_path / "none.zip") == folder
    assert (folder / "note").exists()


def test_a_bad_archive_from_an_address_is_not_kept(tiny_in_catalogue, tmp_path):
    tiny_in_catalogue.write_bytes(b"<html>not found</html>")
    with pytest.raises(BenchError, match="not a zip archive"):
        get("tiny", data=tmp_path / "data")
    assert not list((tmp_path / "data").iterdir())


def test_a_dead_address_names_the_remedy(tiny_in_catalogue, tmp_path):
    tiny_in_catalogue.unlink()
    with pytest.raises(
        BenchError, match=r"(?s)dead.zip cannot be reached.*bench data get tiny --data .* --archive FILE"
    ):
        get("tiny", data=tmp_path / "data")


def test_a_set_without_address_names_the_remedy(tmp_path):
    with pytest.raises(
        BenchError, match=r"no address .*bench data get summer2winter_yosemite_150 --data .* --archive FILE"
    ):
        get("summer2winter_yosemite_150", data=tmp_path)


def test_get_refuses_unknown_names(tmp_path):
    with pytest.raises(UsageError, match="Did you mean 'maps'"):
        get("map", data=tmp_path)
