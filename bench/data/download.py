"""Fetching a file over HTTP: resumable, whole or not there at all."""

import http.client
import shutil
import urllib.error
import urllib.request
from pathlib import Path

from bench.errors import BenchError
from bench.progress import ProgressReport

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
        raise DownloadError(
            f"Could not write {part}: {error.strerror}. Choose another folder with --data. {_kept(part)}"
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
