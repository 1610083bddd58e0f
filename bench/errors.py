"""Errors that a user can mend: each says what was given, what is allowed and what to type next; remarks."""

import errno
import os
import sys
from typing import Any

REMEDIES = {
    errno.ENOSPC: "Free some disk space there",
    errno.EFBIG: "No larger file may be written there: raise the limit (ulimit -f unlimited)",
    errno.EDQUOT: "Your quota there is used up: free some space",
    errno.EROFS: "It cannot be written to at all",
    errno.EACCES: "Give yourself the right to it (ls -ld shows who has it)",
    errno.EPERM: "Give yourself the right to it (ls -ld shows who has it)",
    errno.ENAMETOOLONG: "Use a shorter name",
    errno.ENOTDIR: "A file stands where a folder should be: move it away",
    errno.EEXIST: "A file stands where a folder should be: move it away",
    errno.ELOOP: "A link there leads back to itself: remove it",
}
"""What helps against an error of the operating system."""


class BenchError(Exception):
    """The work could not be done. Exit code 1."""

    exit_code = 1


class UsageError(BenchError):
    """The request itself is wrong: an unknown name, a bad value, a missing option. Exit code 2."""

    exit_code = 2


def explained(error: OSError) -> str:
    """One sentence on what the operating system refused and why, and what helps where that is known.

    >>> explained(OSError(errno.ENOSPC, "No space left on device", "runs/run.json"))
    'runs/run.json: No space left on device. Free some disk space there.'
    """
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "Reading or writing"
    remedy = REMEDIES.get(error.errno or 0)
    return f"{where}: {error.strerror or error}." + (f" {remedy}." if remedy else "")


def announce(text: str) -> None:
    """A line on stderr, where the remarks of a worker go too: what is being done, what is to be known."""
    print(text, file=sys.stderr, flush=True)


MOST_SHOWN = 60
"""Signs of a value in an error."""
LIST, TABLE = "give a list, as in [1, 2]", "give a table: a line [{key}] above its keys"
WANTED = {
    "missing": "this is missing",
    "tuple_type": LIST,
    "list_type": LIST,
    "dict_type": TABLE,
    "model_type": TABLE,
    "model_attributes_type": TABLE,
    "too_short": "give a list of at least {min_length}",
    "too_long": "give a list of at most {max_length}",
}
"""What pydantic finds -> what to write in TOML, where its own words are Python's."""


def in_toml(problem: Any) -> str:
    """What is wrong with a value, in the words of somebody who writes TOML."""
    if problem["type"] in WANTED:
        key = ".".join(str(part) for part in problem["loc"])
        return WANTED[problem["type"]].format(**{"key": key} | problem.get("ctx", {}))
    return str(problem["msg"]).removeprefix("Value error, ")


def in_short(value: object) -> str:
    """A value in an error: its beginning where it is long."""
    spelled = repr(value)
    return spelled if len(spelled) <= MOST_SHOWN else f"{spelled[:MOST_SHOWN]}..."
