"""`scores.json`: every score of a run with what is needed to judge it. Documented in docs/run-folder.md."""

import math
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from bench.errors import BenchError
from bench.runs.record import refuse_newer

SCORES_SCHEMA_VERSION = 1
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


def real_fingerprint_key(direction: str) -> str:
    """The key of the card that tells which real images a direction was held against.

    Scores of before it was kept have none.
    """
    return f"real_fingerprint_{direction}"


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
