"""Numbers as people read them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.numbers import decimals, fixed, grouped, listed, readable, significant


@given(st.floats(-1e12, 1e12), st.integers(0, 4))
def test_a_printed_number_is_the_number_to_its_last_digit(value: float, digits: int) -> None:
    text = fixed(value, digits).replace("−", "-").replace("\u202f", "")
    shown = digits if abs(value) < 10000 else 0
    assert math.isclose(float(text), value, abs_tol=0.5000001 * 10**-shown)
    assert not text.startswith("-0.0") or float(text) != 0


@given(st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: value != 0))
def test_what_is_not_zero_never_reads_as_zero(value: float) -> None:
    text = readable(value, 2).replace("−", "-").replace("\u202f", "")
    assert float(text) != 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (fixed(float("nan")), "NaN"),
        (fixed(float("-inf")), "−∞"),
        (fixed(-83291.4), "−83\u202f291"),
        (significant(0.0123456), "0.0123"),
        (significant(2.04e-6, 2), "2.0e−6"),
        (grouped(11822949), "11\u202f822\u202f949"),
        (listed(["a", "b", "c"]), "a, b and c"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert text == shown


def test_decimals_follow_the_middle_value() -> None:
    assert [decimals([0.3, 0.5, 300.0]), decimals([12.0]), decimals([]), decimals([0.0])] == [3, 1, 2, 2]
