"""Names: what a folder may be called, and which name was meant by an unknown one."""

import difflib
import os
import re
import shlex
from collections.abc import Iterable, Sequence

from bench.errors import UsageError

LONGEST_FOLDER_NAME = 255
"""Bytes that file systems take."""
UNFIT_FOR_A_FOLDER = frozenset("/\\") | {chr(code) for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}
"""What leads to another folder, and what breaks a line or cannot be seen."""


def unknown_name(kind: str, given: str, known: Iterable[str], remedy: str) -> UsageError:
    """The error for a name that does not exist: close names first, then all of them, then a command.

    >>> print(unknown_name("variant", "slto9", ["spatial", "slot9"], "bench list"))
    Unknown variant 'slto9'. Did you mean 'slot9'? There are: slot9, spatial. See: bench list
    """
    names = sorted(known)
    there_are = f"There are: {', '.join(names)}"
    return UsageError(f"Unknown {kind} {given!r}.{meant(given, names)} {there_are}. See: {remedy}")


def meant(given: str, known: Iterable[str], most: int = 2) -> str:
    """` Did you mean 'slot9'?` where known names are close to the one that was given, else nothing."""
    close = difflib.get_close_matches(given, list(known), n=most)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number of things in words; `plural` where it is not the noun with an s.

    >>> counted(1, "cell"), counted(2, "cell"), counted(0, "copy", "copies")
    ('1 cell', '2 cells', '0 copies')
    """
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def in_part(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are: what is said is read on one screen.

    >>> in_part(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    return ", ".join(names[:most]) + and_more(len(names) - most)


def and_more(number: int) -> str:
    """` and 3 more`; nothing where there are no more."""
    return f" and {number} more" if number > 0 else ""


KEY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def key_name(what: str, name: str, taken: Sequence[str] = ()) -> str:
    """`name`, which is going to stand in keys of scores; `what` is named by it, `taken` are not free.

    Raises UsageError for a name in which a key could not be read.
    """
    if not KEY_NAME.fullmatch(name) or name in taken:
        but = f", and not {' or '.join(taken)}" if taken else ""
        raise UsageError(
            f"The {what} {name!r} cannot be called so: keys are made of it. Use letters, digits, '.', '_' "
            f"and '-'{but}."
        )
    return name


def folder_name(what: str, name: str) -> str:
    """`name`, which is going to be the name of one folder; `what` is named by it.

    Raises UsageError for a name that no folder can have, that leads elsewhere, or that lists would hide.
    """
    if not name.strip():
        raise UsageError(f"{what}: the name is empty. Give it one: a folder is called by it.")
    if name in {".", ".."} or UNFIT_FOR_A_FOLDER & set(name):
        raise UsageError(
            f"{what}: {name!r} cannot be a name: a folder is called by it, so it is no path and has no line "
            "break. Use letters, digits, '.', '_' and '-'."
        )
    if name.startswith("."):
        raise UsageError(
            f"{what}: {name!r} cannot be a name: folders that begin with '.' are hidden from lists and "
            f"reports. Write {name.lstrip('.') or 'another'}."
        )
    try:
        length = len(name.encode())
        os.fsencode(name)
    except UnicodeEncodeError:
        raise UsageError(
            f"{what}: {name!r} cannot be the name of a folder here: its signs cannot be written in this "
            "locale's encoding. Rename it, or set PYTHONUTF8=1."
        ) from None
    if length > LONGEST_FOLDER_NAME:
        raise UsageError(
            f"{what}: {name[:40]!r}... has {length} bytes; a folder's name has at most {LONGEST_FOLDER_NAME}."
        )
    return name


def command(*words: object) -> str:
    """A command of bench as a person types it into a shell: every word is quoted where it must be.

    >>> command("score", "runs/smoke/toy-stripes/slot9[slots=5]/seed0")
    "bench score 'runs/smoke/toy-stripes/slot9[slots=5]/seed0'"
    """
    return shlex.join(["bench", *map(str, words)])


def require_known(name: str, value: str, allowed: tuple[str, ...], see: str) -> None:
    """Raise UsageError, with close names, unless `value` is one of the allowed."""
    if value not in allowed:
        raise unknown_name(name, value, allowed, see)
