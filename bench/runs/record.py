"""`run.json`: what was run, on what, with which outcome. The schema is documented in docs/run-folder.md."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.errors import BenchError

SCHEMA_VERSION = 1


class Record(BaseModel):
    """Frozen; keys of newer versions are kept out, not silently accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CellRecord(Record):
    """The names of the cell."""

    protocol: str
    dataset: str
    variant: str
    seed: int


class Costs(Record):
    """What the run cost."""

    parameters: int
    """Trainable parameters of one generator."""
    gflop: float
    """2 x multiply-accumulate of one forward at batch 1, as torch's FlopCounterMode counts, in 10^9."""
    seconds_training: float = 0.0
    seconds_data: float = 0.0
    """Share of seconds_training spent waiting for images."""
    seconds_scoring: float = 0.0
    seconds_per_step: float | None = None
    """Median over the steps after the first ten."""
    peak_memory_bytes: int | None = None
    """Peak resident memory of the process (CPU) or of the device's allocator (GPU) while training."""


class Environment(Record):
    """The machine and the software, as they were."""

    bench: str
    git_commit: str | None
    git_dirty: bool | None
    python: str
    versions: dict[str, str]
    system: str
    cpu: str
    threads: int
    device: str
    device_name: str | None
    driver: str | None
    """CUDA version that torch was built for and the driver's, where there is a GPU."""
    precision: str | None = None
    """What training was computed in; another than the protocol's only where that was asked for. None in
    records of before this was kept."""
    compiled: bool = False
    """Whether networks went through torch.compile."""
    deterministic: bool = False
    """Whether only deterministic algorithms were allowed; on a CPU training is deterministic without."""


class RunRecord(Record):
    """The whole of run.json."""

    schema_version: int = SCHEMA_VERSION
    status: Literal["running", "done", "failed"]
    reason: str | None = None
    """Why a failed run failed, in one line."""
    cell: CellRecord
    kind: str
    """Kind of the variant: `variant`, `control` or `baseline`."""
    protocol: dict[str, Any]
    """The protocol with every value resolved."""
    protocol_hash: str
    data_fingerprint: str
    schedule_hash: str
    trace_hash: str | None = None
    """Rolling hash over what the run was fed, after `images_seen`; None where nothing is trained."""
    trace_hash_without_pool: str | None = None
    """The same over images, crops, flips and learning rates alone, without what image pools exchanged:
    comparable between objectives with and without a pool."""
    own_objective: str | None = None
    """The objective that a baseline brings with it and is trained with; None: the protocol's."""
    parameters: dict[str, Any] = {}
    """The variant's parameters, every one with its value."""
    images_seen: int = 0
    """Images of each domain fed so far."""
    images_to_see: int | None = None
    """0 where nothing is trained; None while that is not known, because the variant was not built yet."""
    steps: int = 0
    data: dict[str, Any] = {}
    """Numbers of images of each split, duplicates, leaks, images skipped as unreadable."""
    costs: Costs | None = None
    environment: Environment
    started: str
    """UTC, ISO 8601; for people, never used in a computation."""
    finished: str | None = None
    sessions: int = 1
    """Times the run was started or resumed."""
    warnings: list[str] = []
    """Remarks that a reader of the results should see: a checkpoint fallen back on, images skipped, ..."""


def read_record(path: Path) -> RunRecord:
    """Read a run.json. Raises BenchError when it is missing, damaged or of a newer schema."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BenchError(f"Cannot read {path}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise BenchError(f"{path} is damaged (not UTF-8 text: {error.reason}).") from None
    try:
        record = RunRecord.model_validate_json(text)
    except ValidationError as error:
        version = _version_in(text)
        if version is not None and version > SCHEMA_VERSION:
            raise BenchError(
                f"{path} has schema version {version}; this bench reads up to {SCHEMA_VERSION}. "
                "Install the newer bench that wrote it."
            ) from None
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BenchError(f"{path} is damaged ({where}: {first['msg']}).") from None
    return record


def _version_in(text: str) -> int | None:
    import json

    try:
        version = json.loads(text)["schema_version"]
    except (ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, int) else None
