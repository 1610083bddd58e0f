"""What a user of this package can mend."""

import difflib
from collections.abc import Iterable


class VariantError(ValueError):
    """An unknown name, a value of the wrong type or range, a file that registers nothing.

    The message says what was given, what is allowed and, where it can be guessed, what was meant.
    """


class WeightsMisfit(VariantError):
    """Weights of another variant, or of other parameters, than they are said to be."""


def unknown(kind: str, given: str, known: Iterable[str]) -> VariantError:
    """The error for a name that does not exist: close names first, then all of them.

    >>> print(unknown("variant", "slto9", ["slot9", "spatial"]))
    Unknown variant 'slto9'. Did you mean 'slot9'? There are: slot9, spatial.
    """
    names = list(known)
    close = difflib.get_close_matches(given, names, n=2)
    meant = f" Did you mean {' or '.join(repr(name) for name in close)}?" if close else ""
    there_are = f"There are: {', '.join(names)}." if names else "There are none."
    return VariantError(f"Unknown {kind} {given!r}.{meant} {there_are}")
