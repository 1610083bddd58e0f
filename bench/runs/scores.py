"""`scores.json`: every score of a run with what is needed to judge it. Documented in docs/run-folder.md."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.errors import BenchError
from bench.runs.record import refuse_newer

SCORES_SCHEMA_VERSION = 1
Direction = Literal["A2B", "B2A"]
DIRECTIONS: tuple[Direction, Direction] = ("A2B", "B2A")


class ScoreModel(BaseModel):
    """Frozen; unknown keys are errors. NaN and infinity are written as strings and read back."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Score(ScoreModel):
    """One number."""

    value: float | None
    """None where the score is undefined for this run; `reason` then says why."""
    reason: str | None = None
    spread: float | None = None
    """Standard deviation over images (per-image measurements) or over subsets (subset KID)."""
    floor: float | None = None
    """The value that a perfect translator could expect: real against real of the target domain."""
    ceiling: float | None = None
    """The value of copying the input."""


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


def read_scores(path: Path) -> Scores:
    """Read a scores.json. Raises BenchError when it is missing, damaged or of a newer schema."""
    try:
        text = path.read_text(encoding="utf-8")
        refuse_newer(path, text, SCORES_SCHEMA_VERSION)
        return Scores.model_validate_json(text)
    except OSError as error:
        raise BenchError(
            f"Cannot read {path}: {error.strerror}. Make it again with: bench score RUN"
        ) from None
    except UnicodeDecodeError as error:
        raise BenchError(
            f"{path} is damaged (not UTF-8 text: {error.reason}). "
            f"Make it again with: bench score {path.parent}"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BenchError(
            f"{path} is damaged ({where}: {first['msg']}). Make it again with: bench score {path.parent}"
        ) from None
