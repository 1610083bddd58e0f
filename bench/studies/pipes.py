"""Reading lines from a pipe without waiting longer than one wants to."""

import os
import select
from collections.abc import Iterator
from typing import IO

CHUNK = 65536


def lines_of(pipe: IO[bytes], patience: float) -> Iterator[bytes | None]:
    """Every whole line of `pipe` until it ends; None whenever `patience` seconds pass without one."""
    rest = b""
    while True:
        ready, _, _ = select.select([pipe], [], [], patience)
        if not ready:
            yield None
            continue
        chunk = os.read(pipe.fileno(), CHUNK)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
