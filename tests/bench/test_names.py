"""Numbers of things in words."""

import pytest

from bench.names import counted


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((0, "row"), "0 rows"),
        ((1, "row"), "1 row"),
        ((3, "row"), "3 rows"),
        ((1, "copy", "copies"), "1 copy"),
        ((2, "copy", "copies"), "2 copies"),
    ],
)
def test_one_thing_is_told_in_the_singular(given: tuple[int, str], told: str) -> None:
    assert counted(*given) == told
