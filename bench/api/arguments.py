"""The arguments of the functions that other programs call: each as its annotation says, or a UsageError."""

import functools
import inspect
import operator
import os
from collections.abc import Callable, Iterable
from typing import Any, Literal, ParamSpec, TypeVar, get_args, get_origin

from bench.errors import UsageError

Place = str | os.PathLike[str]
"""A file or a folder."""
Texts = str | Iterable[str]
"""One text or several."""
Places = Place | Iterable[Place]
"""One file or folder, or several."""
P = ParamSpec("P")
T = TypeVar("T")


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """`function` with every argument brought into the form of its annotation, or refused.

    None stands for the default, as an option that is left out does; an argument without a default needs a
    value. Raises UsageError, naming the argument and what to give.
    """
    signature = inspect.signature(function)
    forms = {name: form_of(each.annotation) for name, each in signature.parameters.items()}

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        bound = signature.bind(*args, **kwargs)  # too many, too few or unknown ones are Python's TypeError
        for name, value in bound.arguments.items():
            bound.arguments[name] = in_form(signature.parameters[name], forms[name], value)
        return function(*bound.args, **bound.kwargs)

    return call


def in_form(parameter: inspect.Parameter, bring: Callable[[Any], object], value: object) -> object:
    """The value of an argument as the function takes it. Raises UsageError."""
    if value is None and parameter.default is not inspect.Parameter.empty:
        return parameter.default
    try:
        return bring(value)
    except TypeError as error:
        raise UsageError(f"{parameter.name} is {value!r}; give {error}.") from None


def form_of(annotation: object) -> Callable[[Any], object]:
    """What brings a value into the form of an annotation; it raises TypeError with what to give instead."""
    for known, bring in FORMS.items():
        if annotation == known or (not isinstance(known, str) and annotation == known | None):
            return bring
    if get_origin(annotation) is Literal and all(isinstance(each, str) for each in get_args(annotation)):
        return text
    raise AssertionError(f"no form is known for {annotation!r}")


def whole_number(value: object) -> int:
    """Numbers of NumPy are whole ones, too; True is none."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError("a whole number")
    return number


def truth(value: object) -> bool:
    if type(value).__name__ not in ("bool", "bool_"):  # the second is NumPy's
        raise TypeError("True or False")
    return bool(value)


def text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text")
    return value


def place(value: object) -> Place:
    """A path that is empty would be the current folder."""
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise TypeError("a name or a path")
    if not os.fspath(value):
        raise TypeError("a name or a path; the current folder is '.'")
    return value


def texts(value: object) -> tuple[str, ...]:
    return each_of(value, text, "a text, or several")


def places(value: object) -> tuple[Place, ...]:
    return each_of(value, place, "a name or a path, or several")


def each_of(value: object, one: Callable[[object], T], wanted: str) -> tuple[T, ...]:
    """One or several of a form, as several."""
    if isinstance(value, str | os.PathLike):
        return (one(value),)
    if not isinstance(value, Iterable) or isinstance(value, bytes | bytearray):
        raise TypeError(wanted)
    return tuple(one(each) for each in value)


def progress_report(value: object) -> object:
    if not all(callable(getattr(value, name, None)) for name in ("start", "advance")):
        raise TypeError("an object with start and advance, as bench.progress.Silent()")
    return value


FORMS: dict[Any, Callable[[Any], object]] = {
    int: whole_number,
    bool: truth,
    str: text,
    Place: place,
    Texts: texts,
    Places: places,
    "ProgressReport | None": progress_report,
}
"""Annotation -> what brings a value into its form; each of them or None, too."""
