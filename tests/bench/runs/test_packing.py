"""A run folder travels as bytes, and nothing in them leads out of its folder."""

import io
import tarfile
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.runs.folder import pack_run, unpack_run


def archive_of(entry: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(entry, io.BytesIO(b"x" * entry.size))
    return buffer.getvalue()


def test_a_folder_comes_back_as_it_was_without_lock_and_temporary_files(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "checkpoints").mkdir(parents=True)
    for name in ("run.json", "checkpoints/last.pt", ".lock", ".run.json.1234.tmp"):
        (source / name).write_text(name, encoding="utf-8")
    unpack_run(pack_run(source), tmp_path / "target")
    found = {path.relative_to(tmp_path / "target").as_posix() for path in (tmp_path / "target").rglob("*.*")}
    assert found == {"run.json", "checkpoints/last.pt"}
    assert (tmp_path / "target" / "checkpoints" / "last.pt").read_text(
        encoding="utf-8"
    ) == "checkpoints/last.pt"


@pytest.mark.parametrize("name", ["../run.json", "/run.json", "a/../../run.json"])
def test_a_path_that_leads_out_of_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = 1
    with pytest.raises(BenchError, match="which is no plain file inside of it"):
        unpack_run(archive_of(entry), tmp_path / "target")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    entry = tarfile.TarInfo("run.json")
    entry.type, entry.linkname = kind, "/etc/passwd"
    with pytest.raises(BenchError, match="which is no plain file inside of it"):
        unpack_run(archive_of(entry), tmp_path / "target")


def test_bytes_that_are_no_archive_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="is damaged"):
        unpack_run(b"nothing", tmp_path)
