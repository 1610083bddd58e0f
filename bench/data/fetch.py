"""Archives of real data sets: fetched, looked through with suspicion, unpacked whole or not at all.

A file over HTTP: resumable, whole or not there at all.
"""

import http.client
import os
import shutil
import stat
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections import Counter
from pathlib import Path, PurePosixPath

from bench.data.catalogue import SPLITS, RealSet, find_real, in_the_way, lacking
from bench.data.files import (
    IMAGE_SUFFIXES,
    data_root,
    kind_of_path,
    printable,
    shell_quoted,
    what_it_is_instead,
)
from bench.errors import REMEDIES, BenchError
from bench.names import command
from bench.progress import ProgressReport, Silent
from bench.runs.atomic import cannot_write, require_writable

CHUNK = 1 << 18
MEBIBYTE = 1 << 20
CONTINUE = "Repeat the command: it continues from there."
SECONDS_OF_SILENCE = 60.0
"""A server that says nothing for so long has broken off."""


class DownloadError(BenchError):
    """One address did not give the file."""


def download(address: str, target: Path, progress: ProgressReport) -> None:
    """Fetch `address` to `target`; a part fetched earlier is continued where the server allows it.

    What has arrived waits beside the target under the name `<target>.part`, and becomes `target` when it is
    whole. Raises DownloadError with the reason; a broken transfer keeps its part, so that repeating the
    command continues.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch(address, part, progress)
    except urllib.error.HTTPError as error:
        raise DownloadError(f"{address} answers {error.code} {error.reason}.") from None
    except urllib.error.URLError as error:
        raise DownloadError(f"{address} cannot be reached: {error.reason}.") from None
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise DownloadError(f"The transfer from {address} broke off: {reason}. {_kept(part)}") from None
    except OSError as error:
        remedy = REMEDIES.get(error.errno or 0, "See that files can be written there")
        raise DownloadError(
            f"Could not write {part}: {error.strerror}. {remedy}, or choose another folder with --data. "
            f"{_kept(part)}"
        ) from None
    part.replace(target)


def _fetch(address: str, part: Path, progress: ProgressReport) -> None:
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "bench", "Range": f"bytes={have}-"} if have else {"User-Agent": "bench"}
    try:
        response = urllib.request.urlopen(
            urllib.request.Request(address, headers=headers), timeout=SECONDS_OF_SILENCE
        )
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        part.unlink()  # longer than the file, or already whole: only a fresh start is safe
        return _fetch(address, part, progress)
    with response:
        if response.status != http.client.PARTIAL_CONTENT:
            have = 0  # the server sends the whole file, whatever was asked
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        _check_room(part, total, have)
        _receive(response, part, have, total, progress)


def _check_room(part: Path, total: int | None, have: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - have > free:
        raise DownloadError(
            f"{part.parent} has {free // MEBIBYTE} MiB free, and {(total - have) // MEBIBYTE} MiB are "
            "needed. Free some disk space or choose another folder with --data."
        )


def _receive(
    response: http.client.HTTPResponse, part: Path, have: int, total: int | None, progress: ProgressReport
) -> None:
    """Append what comes to `part`. Raises DownloadError when less comes than was announced."""
    progress.start("Downloading (MiB)", max((total or 0) // MEBIBYTE, 1), have // MEBIBYTE)
    told = have // MEBIBYTE
    with part.open("ab" if have else "wb") as file:
        while block := response.read(CHUNK):
            file.write(block)
            have += len(block)
            progress.advance(have // MEBIBYTE - told)
            told = have // MEBIBYTE
    if total is not None and have < total:
        raise DownloadError(f"The transfer broke off after {have} of {total} bytes. {CONTINUE}")


def _kept(part: Path) -> str:
    return CONTINUE if part.exists() else ""


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
    require_writable(folder.parent, "--data")
    progress = progress or Silent()
    if archive is not None:
        unpack_archive(archive, entry, folder, progress)
        return folder
    fetched = folder.with_name(f"{entry.name}.zip")
    found = fetched.exists()  # somebody put it there, or it could not be unpacked for want of space
    if not found:
        _download_any(entry, fetched, data, progress)
    try:
        unpack_archive(fetched, entry, folder, progress)
    except BadArchive as error:
        if found:
            raise BadArchive(f"{error} It was found there: remove it to have it downloaded.") from None
        fetched.unlink()
        raise
    if not found:
        fetched.unlink()
    return folder


def _download_any(entry: RealSet, target: Path, data: Path | None, progress: ProgressReport) -> None:
    again = command("data", "get", entry.name, *(["--data", data] if data else []), "--archive", "FILE")
    remedy = f"If you have the archive, type: {again}"
    if not entry.addresses:
        raise BenchError(f"{entry.name} has no address to download from. {remedy}")
    failures = []
    for address in entry.addresses:
        try:
            return download(address, target, progress)
        except DownloadError as error:
            failures.append(str(error))
    raise BenchError("\n".join([*failures, remedy]))


def unpack_archive(archive: Path, entry: RealSet, folder: Path, progress: ProgressReport) -> None:
    """Unpack the images of an archive to `folder`, where there may be nothing but empty folders.

    The archive may hold the splits at its top or inside other folders. Raises BadArchive, and leaves no
    folder behind, for an archive that is damaged, unsafe (absolute or `..` paths, links, a bomb), or does
    not hold the images of that set; BenchError where it cannot be read or the folder not be written.
    """
    if kind_of_path(archive) != "file":
        raise BenchError(
            f"{what_it_is_instead(archive, 'archive')}. Give the path of {entry.name}.zip to --archive."
        )
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
        state = f"{archive} is not unpacked, and nothing was left behind. "
        raise cannot_write(folder, error, "or choose another folder with --data", state=state) from None


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
