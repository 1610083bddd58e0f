"""The run folder as an object: where each file lies, reading and replacing the record, locking, finding."""

import io
import os
import tarfile
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bench.errors import BenchError
from bench.runs import atomic
from bench.runs.record import RunRecord, read_record

LOCK = ".lock"


class FolderInUse(BenchError):
    """Another process holds the run folder."""


@dataclass(frozen=True)
class RunFolder:
    """The files of one run, documented in docs/run-folder.md."""

    path: Path

    @property
    def run_json(self) -> Path:
        return self.path / "run.json"

    @property
    def losses_csv(self) -> Path:
        return self.path / "losses.csv"

    @property
    def validation_csv(self) -> Path:
        return self.path / "validation.csv"

    @property
    def images_csv(self) -> Path:
        return self.path / "images.csv"

    @property
    def scores_json(self) -> Path:
        return self.path / "scores.json"

    @property
    def generator(self) -> Path:
        return self.path / "generator.safetensors"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    @property
    def features(self) -> Path:
        return self.path / "features"

    def read(self) -> RunRecord:
        """The record in run.json. Raises BenchError when it is missing, damaged or of a newer schema."""
        return read_record(self.run_json)

    def is_done(self) -> bool:
        """Whether a finished run lies here: no machine need train it."""
        try:
            return self.read().status == "done"
        except BenchError:
            return False

    def write(self, record: RunRecord) -> None:
        """Replace run.json."""
        atomic.write_text(self.run_json, record.model_dump_json(indent=2) + "\n")

    def update(self, **changes: Any) -> RunRecord:
        """Replace some fields of the record; returns the new record."""
        record = RunRecord.model_validate(self.read().model_copy(update=changes).model_dump())
        self.write(record)
        return record

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process; leftovers of a killed process are removed on the way in.

        The lock is the operating system's: it ends with the process, however that ends. Raises FolderInUse
        when another process holds it, CannotWrite where there is no place for a lock, or no locks.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise atomic.cannot_write(self.path, error, "or choose another folder with --runs") from None
        try:
            if not atomic.try_lock(descriptor, self.path):
                raise FolderInUse(
                    f"Another process is at work in {self.path}. Wait for it to end, or stop it, then repeat "
                    "the command: it continues where that one stopped."
                )
            atomic.remove_leftovers(self.path)
            yield
        finally:
            os.close(descriptor)


def find_runs(root: Path) -> list[RunFolder]:
    """Every run folder at or below `root`, in the order of their paths; links are followed."""
    return [RunFolder(path) for path in find_folders([root], {"run.json"})]


def find_folders(roots: Iterable[Path], marks: Collection[str], *, crashed: bool = False) -> list[Path]:
    """Every folder at or below `roots` that holds a file of a name in `marks`, in the order of their paths.

    A folder that several links lead to is found once, by its own path where that is below a root. What cannot
    be looked into, and a link that leads nowhere, is found too: whoever reads it says why it cannot be read.
    With `crashed` so is a folder called seed<k> without any run in it. Hidden folders, and what lies below a
    run.json, are left aside.
    """
    found, seeds, seen = set[Path](), set[Path](), set[str]()
    waiting, links = deque(root for root in roots if os.path.lexists(root)), deque[Path]()
    while waiting or links:
        path = waiting.popleft() if waiting else links.popleft()
        real = os.path.realpath(path)
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        except NotADirectoryError:
            continue
        except OSError:
            found.add(path)
            continue
        names = {entry.name for entry in entries}
        if names & set(marks):
            found.add(path)
        elif path.name.startswith("seed") and path.name[4:].isdigit():
            seeds.add(path)
        if "run.json" in names:
            continue
        for entry in entries:
            if entry.is_symlink():
                links.append(Path(entry.path))
            elif entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                waiting.append(Path(entry.path))
    inhabited = {parent for path in found for parent in path.parents}
    return sorted(found | (seeds - inhabited if crashed else set()))


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
