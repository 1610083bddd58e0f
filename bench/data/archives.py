"""Archives of real data sets: fetched, looked through with suspicion, unpacked whole or not at all."""

import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections import Counter
from pathlib import Path, PurePosixPath

from bench.data.catalogue import SPLITS, RealSet, find_real, in_the_way, lacking
from bench.data.download import DownloadError, download
from bench.data.files import IMAGE_SUFFIXES, printable, shell_quoted
from bench.data.places import data_root
from bench.errors import BenchError
from bench.progress import ProgressReport, Silent

MOST_FILES = 200_000
MOST_EXPANSION = 20
"""An archive of images hardly compresses: one that grows more than this is a bomb."""
FREE_EXPANSION = 1 << 26
"""Bytes that any archive may grow to."""


class BadArchive(BenchError):
    """The archive itself is damaged, unsafe, or of another data set."""


def get(
    name: str,
    *,
    archive: Path | None = None,
    data: Path | None = None,
    progress: ProgressReport | None = None,
) -> Path:
    """Bring a real set to its folder, from `archive` or from its addresses; returns the folder.

    A set that is there already is left as it is. Raises UsageError for an unknown name and BenchError,
    naming the remedy, when the set cannot be had or is not what it should be.
    """
    entry = find_real(name)
    folder = data_root(data) / entry.name
    problem = lacking(folder)
    if problem is None:
        return folder
    if in_the_way(folder):
        raise BenchError(
            f"{problem}, so {printable(folder)} is not the data set {entry.name}, and it is not overwritten. "
            f"Remove it, then repeat the command: rm -r {shell_quoted(folder)}"
        )
    progress = progress or Silent()
    if archive is not None:
        unpack(archive, entry, folder, progress)
        return folder
    fetched = folder.with_name(f"{entry.name}.zip")
    found = fetched.exists()  # somebody put it there, or it could not be unpacked for want of space
    if not found:
        _download_any(entry, fetched, progress)
    try:
        unpack(fetched, entry, folder, progress)
    except BadArchive as error:
        if found:
            raise BadArchive(f"{error} It was found there: remove it to have it downloaded.") from None
        fetched.unlink()
        raise
    if not found:
        fetched.unlink()
    return folder


def _download_any(entry: RealSet, target: Path, progress: ProgressReport) -> None:
    remedy = f"If you have the archive, type: bench data get {entry.name} --archive FILE"
    if not entry.addresses:
        raise BenchError(f"{entry.name} has no address to download from. {remedy}")
    failures = []
    for address in entry.addresses:
        try:
            return download(address, target, progress)
        except DownloadError as error:
            failures.append(str(error))
    raise BenchError("\n".join([*failures, remedy]))


def unpack(archive: Path, entry: RealSet, folder: Path, progress: ProgressReport) -> None:
    """Unpack the images of an archive to `folder`, where there may be nothing but empty folders.

    The archive may hold the splits at its top or inside other folders. Raises BadArchive, and leaves no
    folder behind, for an archive that is damaged, unsafe (absolute or `..` paths, links, a bomb), or does
    not hold the images of that set; BenchError where it cannot be read or the folder not be written.
    """
    if not archive.is_file():
        raise BenchError(f"There is no archive {archive}. Give the path of {entry.name}.zip to --archive.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{entry.name}.", dir=folder.parent) as temporary:
            inside = Path(temporary) / entry.name
            with zipfile.ZipFile(archive) as opened:
                members = _chosen_members(archive, opened, entry)
                _extract(opened, members, inside, progress)
            for empty, _, _ in os.walk(folder, topdown=False):
                Path(empty).rmdir()
            inside.rename(folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise BadArchive(f"{archive} is damaged or not a zip archive: {error}. Fetch it again.") from None
    except OSError as error:
        raise BenchError(
            f"Could not unpack {archive} to {folder}: {error.strerror}. Nothing was left behind. Free some "
            "disk space or choose another folder with --data."
        ) from None


def _chosen_members(
    archive: Path, opened: zipfile.ZipFile, entry: RealSet
) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Where each image goes. Raises BenchError for an unsafe archive or one of another content."""
    _refuse_unsafe(archive, opened)
    members: dict[PurePosixPath, zipfile.ZipInfo] = {}
    roots = set()
    for member in opened.infolist():
        path = PurePosixPath(member.filename)
        if member.is_dir() or path.parent.name not in SPLITS or path.suffix.lower() not in IMAGE_SUFFIXES:
            continue
        if path.name.startswith("."):
            continue
        roots.add(path.parent.parent)
        place = PurePosixPath(path.parent.name) / path.name
        if place in members:
            raise _unsafe(archive, f"{member.filename!r} occurs twice")
        members[place] = member
    if len(roots) > 1:
        found = ", ".join(sorted(str(root) for root in roots))
        raise BadArchive(
            f"{archive} holds several data sets ({found}). Give an archive of {entry.name} alone."
        )
    _refuse_other_counts(archive, Counter(path.parent.name for path in members), entry)
    return members


def _refuse_unsafe(archive: Path, opened: zipfile.ZipFile) -> None:
    for member in opened.infolist():
        path = PurePosixPath(member.filename)
        windows = "\\" in member.orig_filename or any(":" in part for part in path.parts[:1])
        if path.is_absolute() or ".." in path.parts or windows:
            raise _unsafe(archive, f"{member.orig_filename!r} points outside of it")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise _unsafe(archive, f"{member.filename!r} is a link")
        if member.flag_bits & 0x1:
            raise BadArchive(f"{archive} is encrypted. Give an archive without a password.")
    size = sum(member.file_size for member in opened.infolist())
    if len(opened.infolist()) > MOST_FILES:
        raise _unsafe(archive, f"it holds {len(opened.infolist())} files")
    if size > max(FREE_EXPANSION, MOST_EXPANSION * archive.stat().st_size):
        raise _unsafe(archive, f"it would grow to {size} bytes")


def _unsafe(archive: Path, reason: str) -> BadArchive:
    return BadArchive(f"{archive} is not unpacked because it is unsafe: {reason}. Fetch a genuine archive.")


def _refuse_other_counts(archive: Path, counts: Counter[str], entry: RealSet) -> None:
    missing = [split for split in SPLITS if not counts[split]]
    if missing:
        raise BadArchive(
            f"{archive} holds no images in {', '.join(missing)}. An archive of {entry.name} holds "
            f"{', '.join(SPLITS)}."
        )
    found = tuple(counts[split] for split in SPLITS)
    if entry.counts is not None and found != entry.counts:
        raise BadArchive(
            f"{archive} is not {entry.name}: {', '.join(SPLITS)} hold {_numbers(found)} images, and "
            f"{_numbers(entry.counts)} are expected. To use it all the same, unpack it and give its folder."
        )


def _numbers(counts: tuple[int, ...]) -> str:
    return ", ".join(str(count) for count in counts)


def _extract(
    opened: zipfile.ZipFile,
    members: dict[PurePosixPath, zipfile.ZipInfo],
    folder: Path,
    progress: ProgressReport,
) -> None:
    """Write the members; zipfile checks each one's length and checksum while it is read."""
    progress.start("Unpacking", len(members))
    for split in SPLITS:
        (folder / split).mkdir(parents=True)
    for path, member in members.items():
        with opened.open(member) as source, (folder / path).open("xb") as target:
            shutil.copyfileobj(source, target)
        progress.advance()
