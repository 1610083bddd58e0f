"""Row blocks of n x m matrices, so that memory stays flat in the number of images beyond their features."""

from collections.abc import Iterator

BLOCK_VALUES = 2**24
"""Values of one block: 128 MiB in float64."""


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices that cut `rows` rows of `columns` values into blocks of at most BLOCK_VALUES values."""
    height = max(1, BLOCK_VALUES // max(columns, 1))
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))
