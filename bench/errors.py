"""Errors that a user can mend: each says what was given, what is allowed and what to type next."""


class BenchError(Exception):
    """The work could not be done. Exit code 1."""

    exit_code = 1


class UsageError(BenchError):
    """The request itself is wrong: an unknown name, a bad value, a missing option. Exit code 2."""

    exit_code = 2
