"""Files appear whole or not at all."""

import errno
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.runs import atomic


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.txt"
    atomic.write_text(target, "first")
    atomic.write_text(target, "second")
    assert target.read_text() == "second"
    assert [path.name for path in target.parent.iterdir()] == ["file.txt"]


def test_a_write_that_fails_leaves_the_old_file_and_no_leftover(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    atomic.write_text(target, "first")

    def half(file: object) -> None:
        file.write(b"sec")  # type: ignore[attr-defined]
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(BenchError, match=r"No space left on device.*is unchanged.*Free some disk space"):
        atomic.write_with(target, half)
    assert target.read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_leftovers_of_a_killed_process_are_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / ".scores.json.0a1b2c3d.tmp").write_text("half")
    (tmp_path / "mine.tmp").write_text("mine")
    atomic.remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["mine.tmp", "sub"]


def test_a_table_is_written_with_header_and_unix_lines(tmp_path: Path) -> None:
    atomic.write_csv(tmp_path / "t.csv", ["a", "b"], [[1, "x,y"], [2, ""]])
    assert (tmp_path / "t.csv").read_bytes() == b'a,b\n1,"x,y"\n2,\n'


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BenchError, match=r"Could not write .*A file stands where a folder should be"):
        atomic.write_text(tmp_path / "file" / "run.json", "x")


def test_a_place_that_is_not_there_is_not_called_full(tmp_path: Path) -> None:
    def gone(file: object) -> None:
        raise OSError(errno.ENOENT, "No such file or directory")

    with pytest.raises(BenchError, match=r"such file or directory\..*See that files can be written there, "):
        atomic.write_with(tmp_path / "file.txt", gone)
