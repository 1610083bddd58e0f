"""scores.json holds numbers or reasons: no NaN and no infinity, whatever was measured."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.runs.records import DirectionScores, Score, Scores, Selection, read_scores

NUMBER = st.none() | st.floats(allow_nan=True, allow_infinity=True)


def strict(text: str) -> object:
    """The JSON in `text`; the numbers that JSON has not are errors."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


@given(NUMBER, NUMBER, NUMBER, NUMBER, st.none() | st.just("why"))
def test_a_number_that_is_not_finite_is_no_value_and_a_reason(value, spread, floor, ceiling, reason) -> None:  # type: ignore[no-untyped-def]
    score = Score(value=value, spread=spread, floor=floor, ceiling=ceiling, reason=reason)
    given_numbers = (value, spread, floor, ceiling)
    for kept, number in zip(
        (score.value, score.spread, score.floor, score.ceiling), given_numbers, strict=True
    ):
        assert kept == (number if number is not None and math.isfinite(number) else None)
    if value is not None and not math.isfinite(value):
        assert score.reason == (reason or f"it came out as {'NaN' if math.isnan(value) else 'infinity'}")
    else:
        assert score.reason == reason
    assert Score.model_validate(strict(score.model_dump_json())) == score


@pytest.mark.parametrize("spelled", ['"NaN"', '"Infinity"', '"-Infinity"', "NaN", "-Infinity"])
def test_scores_written_before_are_read_without_their_nan(tmp_path, spelled: str) -> None:  # type: ignore[no-untyped-def]
    selection = Selection(
        step=1,
        images_seen=1,
        directions={
            "A2B": DirectionScores(images_generated=2, images_real=2, metrics={"x": Score(value=7.5)})
        },
    )
    text = Scores(selections={"last": selection}, card={}).model_dump_json()
    (tmp_path / "scores.json").write_text(text.replace("7.5", spelled))
    read = read_scores(tmp_path / "scores.json").selections["last"].directions["A2B"].metrics["x"]
    assert read.value is None
    assert str(read.reason).startswith("it came out as ")
