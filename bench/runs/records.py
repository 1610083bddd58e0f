"""What a run folder tells, as objects: `run.json`, the record of the run, and `scores.json`, its scores."""

import csv
import json
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from bench.errors import BenchError, explained
from bench.names import command
from bench.runs.metrics import MetricInfo, learn

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
    gflop: float | None
    """2 x multiply-accumulate of one forward at batch 1, as torch's FlopCounterMode counts, in 10^9; None
    where it could not be counted."""
    gflop_reason: str | None = None
    """Why it could not be counted."""
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


class SourceRecord(Record):
    """Where the code of what is not one of ours comes from."""

    origin: Literal["plugin", "package"]
    name: str
    """File name of the plugin, or module of the package."""
    hash: str
    """16 hex digits over its source and what that imports of the same author."""
    files: dict[str, str] = {}
    """Each of these files -> 16 hex digits of its text."""


class GeneratorRecord(SourceRecord):
    """A generator that is not one of ours: where its code comes from and what was found of it."""

    model_without_effect: list[str] = []
    """Keys of the protocol's [model] that are no parameters of this generator."""
    checks: Literal["passed", "unchecked"] | None = None
    """The quick part of the conformance suite, made before the first step; `unchecked`: some of it failed,
    and it was trained nevertheless (`--unchecked`). None: not made yet."""
    failed_checks: dict[str, str] = {}
    """What failed: check -> what it found."""


class FeatureWeights(Record):
    """The weights of the feature network that validated and scored the run."""

    network: str
    sha256: str


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
    images_until_awake: int | None = None
    """Images seen when the masks' deviation over space was first above 0.01, on the validation images; None
    where it never was, or there are no masks."""
    learns_masks: bool | None = None
    """Whether the generator's masks are learned; False where they are told, fixed or found without training.
    None until the variant is built, and in records of before it was kept."""
    own_losses: list[str] = []
    """Names of the losses that the generator brings beside those of the objective, weights included."""
    parameters: dict[str, Any] = {}
    """The variant's parameters, every one with its value."""
    generator: GeneratorRecord | None = None
    """None for our own generators, whose commit `environment` names, and in records of before it was kept."""
    objective_source: SourceRecord | None = None
    """Of the objective that it was trained with; None for our own, and in records of before it was kept."""
    feature_weights: FeatureWeights | None = None
    """None in records of before this was kept."""
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

    @property
    def trained_by(self) -> SourceRecord | None:
        """The source of the objective, of a run that it trains: what learns nothing is the same under any."""
        return self.objective_source if self.images_to_see != 0 else None


def read_record(path: Path) -> RunRecord:
    """Read a run.json. Raises BenchError when it is missing, damaged or of a newer schema."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        folder = path.parent
        if folder.is_symlink() and not is_there(folder):
            raise BenchError(f"{folder} is a link to {folder.readlink()}, which is not there.") from None
        if is_there(folder / "scores.json") and not is_there(path):
            raise BenchError(
                f"{folder} holds scores of images from elsewhere, no run. Score those images again with: "
                + command("score", "--real", "DIR", "--fake", "DIR", *kept_by(folder / "scores.json"))
            ) from None
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise BenchError(
                f"{folder} is no run folder: it holds no {path.name}. See: bench list runs"
            ) from None
        raise BenchError(f"Cannot read {explained(error)}") from None
    except UnicodeDecodeError as error:
        raise BenchError(f"{path} is damaged (not UTF-8 text: {error.reason}).") from None
    refuse_newer(path, text, SCHEMA_VERSION)
    try:
        record = RunRecord.model_validate_json(text)
    except ValidationError as error:
        raise BenchError(f"{path} is damaged ({first_problem(error)}).") from None
    return record


def first_problem(error: ValidationError) -> str:
    """Place and reason of the first thing that is wrong; of what is no JSON the reason alone."""
    first = error.errors()[0]
    return ": ".join(part for part in (".".join(map(str, first["loc"])), first["msg"]) if part)


def is_there(path: Path) -> bool:
    """As `path.exists()`, which raises where a folder above may not be looked into."""
    try:
        return path.exists()
    except OSError:
        return False


def refuse_newer(path: Path, text: str | bytes, newest: int, error: type[BenchError] = BenchError) -> None:
    """Raise `error` where a JSON text says that its schema is newer than `newest`: keys mean other things.

    A text that tells no version passes; whoever reads its keys finds what is wrong with it.
    """
    try:
        version = json.loads(text)["schema_version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    if isinstance(version, int | float) and version > newest:
        raise error(newer_schema(path, version, newest))


def newer_schema(path: Path, version: object, newest: int) -> str:
    """What is said of any file of a newer schema."""
    return (
        f"{path} has schema version {version}; this bench reads up to {newest}. Install the newer bench that "
        "wrote it."
    )


def now() -> str:
    """UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


SCORES_SCHEMA_VERSION = 2
Direction = Literal["A2B", "B2A"]
DIRECTIONS: tuple[Direction, Direction] = ("A2B", "B2A")


class ScoreModel(BaseModel):
    """Frozen; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


NUMBERS = ("value", "spread", "floor", "ceiling")


def _not_finite(number: Any) -> str | None:
    """`NaN` or `infinity` for a number, or its spelling, that is not finite; None for all else."""
    try:
        value = float(number)
    except (TypeError, ValueError):
        return None
    if math.isfinite(value):
        return None
    return "NaN" if math.isnan(value) else "infinity"


def _said(given: dict[str, Any]) -> dict[str, Any]:
    """What was given, a reason only where there is one."""
    return {key: value for key, value in given.items() if key != "reason" or value is not None}


class Score(ScoreModel):
    """One number. NaN and infinity are no values: what is given as one becomes None, with a reason."""

    value: float | None
    """None where the score is undefined for this run; `reason` then says why."""
    reason: str | None = None
    spread: float | None = None
    """Standard deviation over images (per-image measurements) or over subsets (subset KID)."""
    floor: float | None = None
    """The value that a perfect translator could expect: real against real of the target domain."""
    ceiling: float | None = None
    """The value of copying the input."""

    @model_validator(mode="before")
    @classmethod
    def _finite(cls, given: Any) -> Any:
        """Also of scores.json files that spell them: they were written as strings before."""
        if not isinstance(given, dict):
            return given
        odd = {name: text for name in NUMBERS if (text := _not_finite(given.get(name))) is not None}
        reason = {"reason": f"it came out as {odd['value']}"} if "value" in odd else {}
        return {**reason, **_said(given), **dict.fromkeys(odd)}


class DirectionScores(ScoreModel):
    """All scores of one direction."""

    images_generated: int
    images_real: int
    metrics: dict[str, Score]
    """Key -> score; the keys are those of `bench list metrics`."""


class Selection(ScoreModel):
    """The scores of one choice of weights: the last step, or the step chosen on the validation split."""

    step: int
    images_seen: int
    directions: dict[Direction, DirectionScores]


class Scores(ScoreModel):
    """The whole of scores.json."""

    schema_version: int = SCORES_SCHEMA_VERSION
    selections: dict[Literal["last", "validation"], Selection]
    card: dict[str, Any]
    """How the distances were made: feature network and hash of its weights, resize, covariance convention,
    libraries and versions, precision, threads, one flat object of strings and numbers."""
    metrics: dict[str, MetricInfo] = {}
    """What the keys above and the columns of images.csv mean, in the order of tables; empty in schema 1."""

    def model_post_init(self, context: Any) -> None:
        """What scores tell of their metrics is known from then on: see `bench.runs.metrics.described`."""
        learn(self.metrics)


def kept_by(path: Path) -> list[str]:
    """The options by which scores of images from elsewhere are kept where this scores.json lies."""
    try:
        card = read_scores(path).card
    except BenchError:
        return []
    given = [key for key in ("name", "protocol", "dataset") if card.get(key)]
    return [word for key in given for word in (f"--{key}", str(card[key]))]


def real_fingerprint_key(direction: str) -> str:
    """The key of the card that tells which real images a direction was held against.

    Scores of before it was kept have none.
    """
    return f"real_fingerprint_{direction}"


METRIC_SOURCE = re.compile(r"metric_source\((.*)\)")


def metric_source_key(metric: str) -> str:
    """The key of the card that tells of which source a metric is that is not ours; METRIC_SOURCE reads it."""
    return f"metric_source({metric})"


def read_scores(path: Path) -> Scores:
    """Read a scores.json. Raises BenchError when it is missing, damaged or of a newer schema."""
    try:
        text = path.read_text(encoding="utf-8")
        refuse_newer(path, text, SCORES_SCHEMA_VERSION)
        return Scores.model_validate_json(text)
    except OSError as error:
        raise BenchError(
            f"Cannot read {path}: {error.strerror}. Make it again with: {command('score', path.parent)}"
        ) from None
    except UnicodeDecodeError as error:
        raise BenchError(
            f"{path} is damaged (not UTF-8 text: {error.reason}). "
            f"Make it again with: {command('score', path.parent)}"
        ) from None
    except ValidationError as error:
        raise BenchError(
            f"{path} is damaged ({first_problem(error)}). Make it again with: {command('score', path.parent)}"
        ) from None


def said_of(scores: Scores) -> list[tuple[Direction, str]]:
    """What scores say in words although they have a value: a head that attends to nothing, a mere copy."""
    found = [
        (direction, score.reason)
        for direction, measured in scores.selections["last"].directions.items()
        for score in measured.metrics.values()
        if score.value is not None and score.reason
    ]
    return list(dict.fromkeys(found))


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file of a run, such as validation.csv; none where it is not written yet."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
