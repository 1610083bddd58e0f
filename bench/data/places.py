"""Where data sets and caches lie on this machine.

Data sets: the folder given with --data, else the environment variable BENCH_DATA, else
~/.local/share/bench/data; each set in a folder of its name. Caches, which may be deleted at any time: the
environment variable BENCH_CACHE, else ~/.cache/bench.
"""

import os
from pathlib import Path

from bench.errors import UsageError

VARIABLES = {"BENCH_DATA": ".local/share/bench/data", "BENCH_CACHE": ".cache/bench"}
"""Environment variable -> the folder below the home folder that it stands in for."""


def data_root(given: Path | None = None) -> Path:
    """The folder that holds the data sets. Raises UsageError where nothing says which that is."""
    return at_home(given) if given else _from_environment("BENCH_DATA")


def cache_root(given: Path | None = None) -> Path:
    """The folder that holds what can be computed again. Raises UsageError as `data_root`."""
    return given or _from_environment("BENCH_CACHE")


def _from_environment(variable: str) -> Path:
    value = os.environ.get(variable)
    if value:
        return at_home(value)
    try:
        return Path.home() / VARIABLES[variable]
    except RuntimeError:
        raise UsageError(
            "There is no home folder: HOME is not set, and the system knows none of this user. Say where "
            "data sets and caches lie: set BENCH_DATA and BENCH_CACHE to folders that can be written to."
        ) from None


def at_home(path: str | Path) -> Path:
    """A path in which `~` is the home folder. Raises UsageError where there is no such folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError(f"{path}: there is no such home folder. Write the whole path.") from None
