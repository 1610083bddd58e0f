"""Where data sets and caches lie on this machine.

Data sets: the folder given with --data, else the environment variable BENCH_DATA, else
~/.local/share/bench/data; each set in a folder of its name. Caches, which may be deleted at any time: the
environment variable BENCH_CACHE, else ~/.cache/bench.
"""

import os
from pathlib import Path


def data_root(given: Path | None = None) -> Path:
    """The folder that holds the data sets."""
    return given or _from_environment("BENCH_DATA", ".local/share/bench/data")


def cache_root(given: Path | None = None) -> Path:
    """The folder that holds what can be computed again."""
    return given or _from_environment("BENCH_CACHE", ".cache/bench")


def _from_environment(variable: str, below_home: str) -> Path:
    value = os.environ.get(variable)
    return Path(value).expanduser() if value else Path.home() / below_home
