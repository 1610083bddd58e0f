"""Files that appear whole or not at all: written under a temporary name, flushed to disk, then renamed.

And whether files can be written in a place, asked before the work whose results are to go there.
"""

import contextlib
import csv
import errno
import fcntl
import io
import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from bench.errors import REMEDIES, BenchError

LONGEST_NAME = 255
"""Bytes that a file system takes."""
ROOM = 1 << 16
"""Bytes written to try a place: a disk that has no room for them has none for any result."""
HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})
"""How systems say that another process has the lock."""


class CannotWrite(BenchError):
    """A place that takes no files; `reason` is the system's."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def require_writable(folder: Path, option: str | None, *, locks: bool = False) -> None:
    """Raise CannotWrite, before any work, unless files can be written to `folder`, which need not exist yet.

    Where `locks`, they must be lockable too. Nothing is left behind. `option` is what chooses another folder;
    None where only a copy of it can be another.
    """
    elsewhere = f"or choose another folder with {option}" if option else "or copy it to where you can write"
    try:
        for place in (folder, *folder.absolute().parents):
            if os.path.lexists(place):
                break
        _try_to_write(place, option, locks)
    except OSError as error:
        raise cannot_write(folder, error, elsewhere) from None


def _try_to_write(place: Path, option: str | None, locks: bool) -> None:
    if not place.is_dir():
        code = errno.ENOTDIR if place.exists() else errno.ENOENT
        raise OSError(code, os.strerror(code), str(place))
    temporary = place / f".{uuid.uuid4().hex[:8]}.tmp"
    try:
        with temporary.open("wb") as file:
            file.write(bytes(ROOM))
            file.flush()
            os.fsync(file.fileno())
            if locks:
                try_lock(file.fileno(), place, option)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def try_lock(descriptor: int, folder: Path, option: str | None = "--runs") -> bool:
    """Lock an open file until it is closed, or its process ends; False where another process has the lock.

    Raises CannotWrite where the file system of `folder`, in which the file lies, has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in HELD:
            return False
        reason = error.strerror or str(error)
        remedy = f"Choose one on another disk with {option}" if option else "Copy it to another disk"
        raise CannotWrite(
            f"{folder} lies on a file system without locks ({reason}), so two processes could write to one "
            f"folder. {remedy}.",
            reason,
        ) from None
    return True


def cannot_write(path: Path, error: OSError, otherwise: str, *, state: str = "") -> CannotWrite:
    """The error for a place that refused to be written: the reason, its state, what helps, what else does."""
    reason = error.strerror or str(error)
    named = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(path)
    where = "" if named == str(path) or named.endswith(".tmp") else f" ({named})"
    remedy = REMEDIES.get(error.errno or 0, "See that files can be written there")
    return CannotWrite(f"Could not write {path}: {reason}{where}. {state}{remedy}, {otherwise}.", reason)


def write_with(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a new file beside `path`, then rename it over `path`.

    Raises CannotWrite when the disk is full or the folder cannot be written; `path` is then as it was.
    """
    temporary = path.with_name(temporary_name(path.name))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        state = "What stood there before is unchanged. "
        raise cannot_write(path, error, "then repeat the command", state=state) from error
    finally:
        with contextlib.suppress(OSError):  # the folder itself may not be there
            temporary.unlink(missing_ok=True)


def temporary_name(name: str) -> str:
    """A hidden name of its own for a file that becomes `name`, no longer than a file system takes."""
    tail = f".{uuid.uuid4().hex[:8]}.tmp"
    kept = os.fsencode(name)[: LONGEST_NAME - 1 - len(tail)]
    return f".{os.fsdecode(kept)}{tail}"


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    write_with(path, lambda file: file.write(content))


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, whole or not at all."""
    write_bytes(path, text.encode())


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table to `path`, whole or not at all."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, buffer.getvalue())


def remove_leftovers(folder: Path) -> None:
    """Delete temporary files that a killed process left behind; call it under the folder's lock.

    One that cannot be removed is no reason to stop.
    """
    for leftover in folder.rglob(".*.tmp"):
        with contextlib.suppress(OSError):
            leftover.unlink(missing_ok=True)
