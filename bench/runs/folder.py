"""The run folder as an object: where each file lies, reading and replacing the record, locking."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from bench.errors import BenchError
from bench.runs import atomic
from bench.runs.record import RunRecord, read_record


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
        when another process holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise FolderInUse(
                f"Another process is at work in {self.path}. Wait for it to end, or stop it, then repeat the "
                "command: it continues where that one stopped."
            ) from None
        try:
            atomic.remove_leftovers(self.path)
            yield
        finally:
            lock.release()


def find_runs(root: Path) -> list[RunFolder]:
    """Every run folder at or below `root`, in the order of their paths."""
    return [RunFolder(path.parent) for path in sorted(root.rglob("run.json"))]
