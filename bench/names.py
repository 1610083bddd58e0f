"""Answering an unknown name with the names that were probably meant."""

import difflib
from collections.abc import Iterable

from bench.errors import UsageError


def unknown_name(kind: str, given: str, known: Iterable[str], remedy: str) -> UsageError:
    """The error for a name that does not exist: close names first, then all of them, then a command.

    >>> print(unknown_name("variant", "slto9", ["spatial", "slot9"], "bench list"))
    Unknown variant 'slto9'. Did you mean 'slot9'? There are: slot9, spatial. See: bench list
    """
    names = sorted(known)
    close = difflib.get_close_matches(given, names, n=2)
    meant = f" Did you mean {' or '.join(repr(name) for name in close)}?" if close else ""
    return UsageError(f"Unknown {kind} {given!r}.{meant} There are: {', '.join(names)}. See: {remedy}")
