"""The run folder as an object: where each file lies, reading and replacing the record, locking; finding,
listing and removing folders.
"""

import contextlib
import fnmatch
import io
import os
import shutil
import tarfile
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bench.errors import BenchError, UsageError, explained
from bench.runs import atomic
from bench.runs.records import DIRECTIONS, RunRecord, is_there, read_record, read_table

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


def pack_run(folder: Path) -> bytes:
    """Every finished file of a run folder in an uncompressed tar archive: weights would not shrink."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(folder.rglob("*")):
            temporary = path.name.startswith(".")
            if path.is_file() and not path.is_symlink() and not temporary:
                archive.add(path, path.relative_to(folder).as_posix(), recursive=False)
    return buffer.getvalue()


def unpack_run(packed: bytes, folder: Path) -> None:
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


def list_folder(root: Path) -> list[dict[str, Any]]:
    """One row per run folder below `root`; a damaged record is a row with status `damaged` and the reason."""
    return [run_row(folder.path, root) for folder in find_runs(root)]


STATUSES = ("running", "done", "failed", "damaged")
"""What a row of a list may say of a run."""


def passes(row: dict[str, Any], filters: dict[str, str | None]) -> bool:
    """Whether a row passes: `status`, `protocol`, `dataset` and `variant`, wildcards allowed, None: any."""
    return all(
        pattern is None or fnmatch.fnmatchcase(str(row[key]), _literal(pattern))
        for key, pattern in filters.items()
    )


def _literal(pattern: str) -> str:
    """A pattern in which the brackets of `slot9[iterations=5]` stand for themselves."""
    return pattern.replace("[", "[[]")


def run_row(path: Path, root: Path) -> dict[str, Any]:
    """Folder, status, reason and progress of one run."""
    name = str(path.relative_to(root)) if path != root else str(path)
    try:
        record = RunFolder(path).read()
    except BenchError as error:
        row = {"run": name, "status": "damaged", "reason": str(error), "images_seen": None}
        parts = ["", "", "", *path.absolute().parts][-4:-1]  # a damaged record tells nothing, its place may
        return row | dict(zip(("protocol", "dataset", "variant"), parts, strict=True))
    to_see = record.images_to_see
    said = [record.reason, not_yet_translating(RunFolder(path), record)]
    return {
        "run": name,
        "status": record.status,
        "reason": "; ".join(each for each in said if each) or None,
        "images_seen": None if to_see is None else f"{images_so_far(path, record)} of {to_see}",
        "protocol": record.cell.protocol,
        "dataset": Path(record.cell.dataset).name,
        "variant": record.cell.variant,
    }


def images_so_far(path: Path, record: RunRecord) -> int:
    """Images of each domain seen by what is kept: the record says it at the end, losses.csv under way."""
    try:
        *_, last = (path / "losses.csv").read_text(encoding="utf-8").splitlines()
        return max(record.images_seen, int(last.split(",")[1]))
    except (OSError, ValueError, IndexError):
        return record.images_seen


def not_yet_translating(folder: RunFolder, record: RunRecord) -> str | None:
    """In words where an unfinished run stood at copying at its last validation; None for all else."""
    rows = [] if record.status == "done" else read_table(folder.validation_csv)
    if not rows:
        return None
    copying = [direction for direction in DIRECTIONS if rows[-1].get(f"collapsed_{direction}") == "true"]
    if not copying:
        return None
    return f"not yet translating: {' and '.join(copying)} at copying after {rows[-1]['images_seen']} images"


def failed_runs(places: Sequence[Path], named: bool = False) -> list[tuple[RunFolder, str]]:
    """Every failed run at or below `places`, with its reason.

    With `named`, each place is one run that somebody pointed at: raises UsageError for one that is no failed
    run. A run whose record cannot be read is not failed.
    """
    found = []
    for place in places:
        runs = [RunFolder(place)] if named else find_runs(place)
        for folder in runs:
            reason = failure_of(folder)
            if reason is not None:
                found.append((folder, reason))
            elif named:
                raise UsageError(f"{place} is no failed run. See: bench list runs --status failed")
    return found


def failure_of(folder: RunFolder) -> str | None:
    """Why a run failed; None for one that did not."""
    try:
        record = folder.read()
    except BenchError:
        return None
    return record.reason or "no reason recorded" if record.status == "failed" else None


def remove_run(folder: RunFolder) -> Path | None:
    """Delete a failed run with everything in its folder, and the folders above that are empty then.

    A link is removed, never what it leads to: where the run folder itself is one, what stays is returned.
    Raises FolderInUse when a process is at work there, BenchError for what cannot be removed. A run that has
    been taken up, or removed, meanwhile is left alone.
    """
    if failure_of(folder) is None:
        return None
    kept = folder.path.resolve() if folder.path.is_symlink() else None
    with folder.locked():
        if failure_of(folder) is None:
            return None
        try:
            folder.path.unlink() if kept else _empty(folder)
        except OSError as error:
            raise BenchError(
                f"Could not remove all of {folder.path}. {explained(error)} Then repeat the command."
            ) from None
    with contextlib.suppress(OSError):  # somebody has begun anew, or there are other runs
        for empty in (folder.path, *list(folder.path.parents)[:3]):
            if is_there(empty):
                empty.rmdir()
    return kept


def _empty(folder: RunFolder) -> None:
    """Delete what is in the folder, the record last: a crash leaves a failed run that can be removed."""
    last = {folder.run_json.name: 1, LOCK: 2}
    for entry in sorted(folder.path.iterdir(), key=lambda entry: (last.get(entry.name, 0), entry.name)):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
