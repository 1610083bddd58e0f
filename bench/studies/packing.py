"""A run folder as one piece of bytes, for nodes that share no disk; nothing in it is trusted later."""

import io
import tarfile
from pathlib import Path, PurePosixPath

from bench.errors import BenchError
from bench.runs import atomic

LEFT_BEHIND = ".lock"


def pack(folder: Path) -> bytes:
    """Every finished file of a run folder in an uncompressed tar archive: weights would not shrink."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(folder.rglob("*")):
            temporary = path.name.startswith(".")
            if path.is_file() and not path.is_symlink() and not temporary:
                archive.add(path, path.relative_to(folder).as_posix(), recursive=False)
    return buffer.getvalue()


def unpack(packed: bytes, folder: Path) -> None:
    """Write the files of a packed run folder into `folder`, run.json last: what it tells is there then.

    Raises BenchError, with nothing written, for an entry that is no plain file or leads out of the folder.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as archive:
            members = archive.getmembers()
            for member in members:
                refuse_unsafe(member)
            for member in sorted(members, key=lambda each: each.name == "run.json"):
                file = archive.extractfile(member)
                assert file is not None  # a plain file has content
                atomic.write_bytes(folder / member.name, file.read())
    except tarfile.TarError as error:
        raise BenchError(f"The run folder that came back for {folder} is damaged: {error}.") from None


def refuse_unsafe(member: tarfile.TarInfo) -> None:
    """Raise BenchError for a link, a device, an absolute path or one with `..`."""
    path = PurePosixPath(member.name)
    if not member.isfile() or path.is_absolute() or ".." in path.parts or not path.parts:
        raise BenchError(f"A packed run folder holds {member.name!r}, which is no plain file inside of it.")
