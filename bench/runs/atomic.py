"""Files that appear whole or not at all: written under a temporary name, flushed to disk, then renamed."""

import contextlib
import csv
import io
import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from bench.errors import BenchError


def write_with(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a new file beside `path`, then rename it over `path`.

    Raises BenchError when the disk is full or the folder cannot be written; `path` is then as it was.
    """
    # Names of up to 255 bytes are allowed, and the temporary one is longer.
    name = path.name.encode("utf-8", "surrogateescape")[:200].decode("utf-8", "ignore")
    temporary = path.with_name(f".{name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise BenchError(
            f"Could not write {path}: {error.strerror or error}. What stood there before is unchanged. "
            "Free some disk space or choose another folder with --runs, then repeat the command."
        ) from error
    finally:
        with contextlib.suppress(OSError):  # the folder itself may not be there
            temporary.unlink(missing_ok=True)


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
    """Delete temporary files that a killed process left behind; call it under the folder's lock."""
    for leftover in folder.rglob(".*.tmp"):
        leftover.unlink(missing_ok=True)
