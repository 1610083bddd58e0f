"""Printing for people: results on stdout, remarks on stderr, tables that never cut a number."""

import math
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.cli.options import print_json
from bench.errors import announce
from bench.names import command

if TYPE_CHECKING:
    from bench.runs.records import RunRecord, Score, Scores

GAP = "  "
LEAST_PROSE = 16
"""Characters that a column of prose keeps before a table is given up for blocks."""


class Strong(str):
    """A text that is bold on a terminal."""


@dataclass(frozen=True)
class Column:
    """A column of a table. Only prose may be broken over several lines, and at its spaces."""

    heading: str
    kind: Literal["name", "number", "prose"] = "number"


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """A table on stdout, reshaped where the terminal is narrow; as wide as it wants where it is piped."""
    if title:
        say(Strong(title))
    for line in table_lines(columns, rows, room()):
        print(line.rstrip())


def say(text: str) -> None:
    """A paragraph on stdout, its lines broken between words where a terminal is narrow."""
    bare = text.lstrip(" ").removeprefix("- ")
    first = text[: len(text) - len(bare)]
    for number, line in enumerate(wrap(bare, room() - len(first))):
        print((" " * len(first) if number else first) + shown(line, text))


def room() -> int:
    """Characters of a line: those of the terminal or of COLUMNS; without end in a file or a pipe."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return sys.maxsize


def bold(text: str) -> str:
    """The text in bold, where stdout is a terminal and NO_COLOR is not set."""
    if not text or not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\033[1m{text}\033[22m"


def table_lines(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """The lines of a table in `width` characters: one row a line; else prose is wrapped; else, where even
    that is too wide, a block a row with one cell a line. A name or a number is never broken.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = column_widths(columns, rows, width)
    if widths is None:
        for row in rows:
            yield from block(columns, row, width)
        return
    yield GAP.join(
        aligned(column.heading, column, size) for column, size in zip(columns, widths, strict=True)
    )
    yield GAP.join("-" * size for size in widths)
    for row in rows:
        yield from row_lines(columns, row, widths)


def column_widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Characters of every column; None where the table does not fit. The widest prose gives way first."""
    cells = [[column.heading, *(row[place] for row in rows)] for place, column in enumerate(columns)]
    widths = [max(map(length, each)) for each in cells]
    least = [
        min(size, max(LEAST_PROSE, longest_word(each))) if column.kind == "prose" else size
        for column, each, size in zip(columns, cells, widths, strict=True)
    ]
    left = width - len(GAP) * (len(columns) - 1)
    if sum(least) > left:
        return None
    while sum(widths) > left:
        place = max(range(len(widths)), key=lambda one: widths[one] - least[one])
        spare = sum(widths) - left
        widths[place] -= max(1, min(spare, widths[place] - least[place]) // 2)
    return widths


def row_lines(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """The lines of one row, several where prose is wrapped."""
    wrapped = [
        wrap(cell, size) if column.kind == "prose" else [cell]
        for column, cell, size in zip(columns, row, widths, strict=True)
    ]
    for number in range(max(map(len, wrapped))):
        yield GAP.join(
            aligned(lines[number] if number < len(lines) else "", column, size)
            for column, lines, size in zip(columns, wrapped, widths, strict=True)
        )


def block(columns: Sequence[Column], row: Sequence[str], width: int) -> Iterator[str]:
    """A row as lines: its first cell, then heading and cell of the others below each other."""
    yield from (bold(line) for line in wrap(row[0], width))
    filled = [(column, cell) for column, cell in zip(columns[1:], row[1:], strict=True) if cell]
    indent = max((length(column.heading) for column, _ in filled), default=0) + 2 * len(GAP)
    for column, cell in filled:
        heading = f"{GAP}{column.heading}"
        fits = indent + length(cell) <= width
        if fits or (column.kind == "prose" and indent + max(LEAST_PROSE, longest_word([cell])) <= width):
            first, *others = [cell] if fits else wrap(cell, width - indent)
            yield heading + " " * (indent - length(heading)) + shown(first, cell)
            yield from (" " * indent + line for line in others)
        else:
            yield heading
            yield from (2 * GAP + shown(line, cell) for line in wrap(cell, width - 2 * len(GAP)))


def aligned(text: str, column: Column, size: int) -> str:
    """The text filled up to `size` characters: numbers to the right, all else to the left."""
    fill = " " * (size - length(text))
    return fill + shown(text, text) if column.kind == "number" else shown(text, text) + fill


def shown(text: str, cell: str) -> str:
    """A line of a cell as it is printed."""
    return bold(text) if isinstance(cell, Strong) else text


def wrap(text: str, width: int) -> list[str]:
    """The text in lines, broken at spaces alone, so that neither a number nor a name is."""
    lines = [""]
    for word in text.split():
        if lines[-1] and length(lines[-1]) + 1 + length(word) > width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines


def longest_word(cells: Sequence[str]) -> int:
    """Columns of a terminal that the longest word of some cells takes."""
    return max((length(word) for cell in cells for word in cell.split()), default=0)


def length(text: str) -> int:
    """Columns of a terminal that a text takes: none for combining marks, two for wide signs."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return len(text) + wide - sum(unicodedata.combining(sign) > 0 for sign in text)


def printable(text: str) -> str:
    """The text with everything that is no sign, such as a line end in a file's name, spelled out."""
    if text.isprintable():
        return text
    spelled = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
    return type(text)(spelled)


def print_record(path: Path, as_json: bool) -> None:
    """The outcome of a run: its scores in a small table, its costs, where it lies."""
    from bench.runs.folder import RunFolder
    from bench.runs.records import read_scores

    folder = RunFolder(path)
    record = folder.read()
    if as_json:
        print_json(record.model_dump(mode="json"))
        return
    for warning in record.warnings:
        announce(f"note: {warning}")
    print_scores(read_scores(folder.scores_json))
    if record.costs:
        seconds = record.costs.seconds_training + record.costs.seconds_scoring
        when = f"{record.status} on {record.finished}, after {seconds:.0f} s of work"
        print(f"{when}, {record.images_seen} images of each domain seen: {path}")
    print(f"Look at it with: {command('report', path)}")


def print_plan(path: Path, planned: "RunRecord") -> None:
    """What a run would be, on half a page: what is trained on what, how long, where; what is to be known."""
    from bench.data.files import printable
    from bench.runs.folder import RunFolder

    images, train, score = (planned.protocol[part] for part in ("images", "train", "score"))
    cell, environment, folder = planned.cell, planned.environment, RunFolder(path)
    state = f"{folder.read().status}: it is not begun anew" if folder.run_json.exists() else "new"
    counts = ", ".join(f"{split} {count}" for split, count in planned.data.get("counts", {}).items())
    parameters = ", ".join(f"{name}={value}" for name, value in planned.parameters.items())
    own = planned.own_objective
    objective = f"{own} (its own)" if own else train["objective"]
    length = f"{planned.images_to_see} images of each domain, batch {train['batch']}, {objective}"
    rows = [
        ("cell", f"{cell.variant} on {cell.dataset}, protocol {cell.protocol}, seed {cell.seed}"),
        ("folder", f"{printable(path)} ({state})"),
        ("images", f"{images['size']} px; {counts}"),
        ("training", length if planned.images_to_see else "none: it has nothing to train"),
        ("scores", f"{score['features']}, {train['validations']} validations on the way"),
        (planned.kind, parameters or "no parameters"),
        ("device", f"{environment.device}, {environment.precision}, {environment.threads} threads"),
        ("schedule", str(planned.schedule_hash)),
    ]
    print_table([Column("dry run", "name"), Column("nothing is done", "prose")], rows)
    for warning in planned.warnings:
        say(f"- {warning}")
    say("Do it: the same command without --dry-run. The whole record: --dry-run --json")


def print_scores(scores: "Scores", subsets: bool = False) -> None:
    """The set distances of the last step, a row for each direction, with floor and ceiling.

    With `subsets` the kernel distance over subsets too, as other papers print it: mean, standard deviation.
    """
    from bench.runs.metrics import is_distance, is_over_subsets
    from bench.runs.records import DIRECTIONS

    directions = scores.selections["last"].directions
    headings = [Column("score", "name"), Column("direction", "name")]
    headings += map(Column, ("value", "floor: real images", "ceiling: copying"))
    rows = []
    for key in directions["A2B"].metrics:
        if is_distance(key) or (subsets and is_over_subsets(key)):
            for direction in DIRECTIONS:
                found = directions[direction].metrics[key]
                rows += [[name, direction.replace("2", " → "), *cells] for name, *cells in lines(key, found)]
    print_table(headings, rows)
    if subsets:
        for sentence in feet(scores):
            say(sentence)


def lines(key: str, score: "Score") -> Iterator[list[str]]:
    """Name, value, floor and copy of a score; below the mean over subsets their standard deviation."""
    from bench.runs.metrics import is_over_subsets

    yield [heading(key), *(printed(key, value) for value in (score.value, score.floor, score.ceiling))]
    if is_over_subsets(key) and score.spread is not None:
        yield [f"{heading(key)}, standard deviation", printed(key, score.spread), "", ""]


def feet(scores: "Scores") -> Iterator[str]:
    """What one must know of the numbers: the size of the images, the resize before the features, subsets."""
    card = scores.card
    size = f"Images {card['image_size']}. " if card.get("image_size") else ""
    yield f"{size}Resized for the features of {card.get('feature_network')}: {card.get('resize')}."
    yield (
        f"Over subsets: {card.get('kd_subsets')}; the standard deviation is that between subsets, no "
        "standard error."
    )


def heading(key: str) -> str:
    """The title of a score with its factor or unit; a key that the catalogue does not know as it is."""
    from bench.runs.metrics import described

    known = described(key)
    return known.heading if known else key


def printed(key: str, value: float | None) -> str:
    """A score as people are shown it: times its factor, with four significant digits."""
    from bench.runs.metrics import described

    known = described(key)
    return number_text(value if value is None or known is None else known.factor * value)


def number_text(value: float | None) -> str:
    """Four significant digits, without exponent between 0.0001 and ten million; a dash for no value.

    >>> number_text(903.2), number_text(0.01), number_text(15081.3), number_text(None)
    ('903.2', '0.01000', '15081', '-')
    """
    if value is None or not math.isfinite(value):
        return "-"
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3e}"
    decimals = 3 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{max(0, decimals)}f}"
