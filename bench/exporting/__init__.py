"""A finished run in the formats of other programs: what every format shares.

Whatever is written was run first, and takes its place only then: nothing half, nothing unchecked.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from bench.data.files import kind_of_path, printable
from bench.errors import BenchError, UsageError
from bench.names import folder_name
from bench.runs.atomic import require_writable
from variants.contract import STRIDE, Generator


def refuse_standing(out: Path, kind: str) -> None:
    """Raise UsageError where something is in the place of what is going to be written, CannotWrite where
    nothing can be written there."""
    folder_name("--out", out.name)
    if kind_of_path(out) != "nothing":
        raise UsageError(f"{printable(out)} is there already. Give another {kind} to --out, or move it away.")
    require_writable(out.parent, "--out")


@contextmanager
def whole_or_nothing(out: Path) -> Iterator[Path]:
    """A place beside `out` to write to; what is there in the end takes its name, unless an error came."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name[:40]}.") as inner:
            draft = Path(inner) / out.name
            yield draft
            draft.replace(out)
    except OSError as error:
        raise BenchError(
            f"Nothing can be written to {printable(out.parent)}: {error.strerror or error}. Give another "
            "place to --out."
        ) from None


def seeded(seed: int | None) -> torch.Generator:
    """A torch generator on the CPU."""
    return torch.Generator().manual_seed(seed or 0)


def smallest(generator: Generator) -> int:
    """The least height and width that a generator takes: 16, or 32 where it gives no finite image of 16.

    The contract has it take any multiple of 16; one that normalises a single place may not.
    """
    shape = generator.noise_shape
    try:
        with torch.no_grad():
            image = generator(
                torch.zeros(1, 3, STRIDE, STRIDE), None if shape is None else torch.zeros(1, *shape)
            )
    except (RuntimeError, ValueError):  # what torch raises of sizes
        return 2 * STRIDE
    return STRIDE if bool(torch.isfinite(image.image).all()) else 2 * STRIDE
