"""One parameter of a variant: its type, default and range, how its value is written in a name, and what is
said of a name or value that cannot be used.
"""

import dataclasses
import difflib
import math
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

CHOICE = re.compile(r"[A-Za-z0-9._+-]+")
"""What a word may be made of: it stands between brackets, commas and equal signs in the name of a folder."""
Value = int | float | bool | str | tuple[int, ...]


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


@dataclass(frozen=True)
class AtLeast:
    """The smallest value allowed; in a tuple, of every entry. Written `Annotated[int, AtLeast(1)]`."""

    minimum: float


@dataclass(frozen=True)
class AtMost:
    """The largest value allowed; in a tuple, of every entry. Written `Annotated[int, AtMost(1024)]`."""

    maximum: float


@dataclass(frozen=True)
class Length:
    """The number of entries of a tuple. Written `Annotated[tuple[int, ...], Length(4)]`."""

    entries: int


@dataclass(frozen=True)
class AbsentWhenOff:
    """Marks a parameter that came later: its declared default is its off value, at which no record has it.

    Written `Annotated[int, AbsentWhenOff()]`: what was recorded before it existed stays what it was.
    """


@dataclass(frozen=True)
class Parameter:
    """What is known of one field of a variant's dataclass of parameters."""

    name: str
    kind: Literal["int", "float", "bool", "choice", "tuple"]
    default: Value
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    length: int | None = None
    doc: str = ""
    off: Value | None = None
    """The value at which the parameter is absent from records; None: it is never absent."""

    @property
    def spelled_default(self) -> str:
        """The default as it would be written in a name."""
        return spell(self.default)

    def check(self, given: object) -> Value:
        """`given`, a value or its spelling, as a value of this parameter's type and range.

        Raises VariantError that says what is allowed.
        """
        value = self._read(given) if isinstance(given, str) else given
        if type(value) is int and self.kind == "float":
            value = float(value) if abs(value) <= sys.float_info.max else math.inf
        if not self._is_of_kind(value) or not self._is_in_range(value):
            spelled = given if isinstance(given, str) else spell(given)
            raise VariantError(f"{self.name}={spelled} is not allowed: {self.name} is {self.allowed}.")
        return value  # type: ignore[return-value]  # checked just above

    @property
    def allowed(self) -> str:
        """What values are allowed, in words."""
        bounds = [f"at least {spell(self.minimum)}"] if self.minimum is not None else []
        bounds += [f"at most {spell(self.maximum)}"] if self.maximum is not None else []
        least = f" of {' and '.join(bounds)}" if bounds else ""
        count = "" if self.length is None else f"{self.length} "
        return {
            "int": f"a whole number{least}",
            "float": f"a finite number{least}",
            "bool": "true or false",
            "choice": f"one of {', '.join(self.choices)}",
            "tuple": f"{count}whole numbers{least} joined by '-', as in {self.spelled_default}",
        }[self.kind]

    def _read(self, text: str) -> object:
        """The value that `text` spells; None where it spells none of this kind."""
        text = text.strip()
        if self.kind == "choice":
            return text
        if self.kind == "bool":
            return {"true": True, "false": False}.get(text.lower())
        try:
            if self.kind == "int":
                return int(text)
            if self.kind == "float":
                return float(text)
        except ValueError:
            return None
        return tuple(int(part) for part in text.split("-")) if re.fullmatch(r"\d+(-\d+)*", text) else None

    def _is_of_kind(self, value: object) -> bool:
        if self.kind == "tuple":
            return isinstance(value, tuple) and all(type(entry) is int for entry in value)
        return type(value) is {"int": int, "float": float, "bool": bool, "choice": str}[self.kind]

    def _is_in_range(self, value: Any) -> bool:
        if self.kind == "choice":
            return value in self.choices
        if self.length is not None and len(value) != self.length:
            return False
        entries = value if self.kind == "tuple" else (value,)
        least = -math.inf if self.minimum is None else self.minimum
        most = math.inf if self.maximum is None else self.maximum
        finite = not isinstance(value, float) or math.isfinite(value)
        return finite and all(least <= entry <= most for entry in entries)


def spell(value: object) -> str:
    """A value as it is written in a name: `5`, `true`, `narrow`, `64-64-64-256`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "-".join(str(entry) for entry in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def parameter(name: str, annotation: Any, default: Value) -> Parameter:
    """The Parameter of a dataclass field. Raises VariantError for a type or default that cannot be used."""
    notes: tuple[object, ...] = ()
    if get_origin(annotation) is Annotated:
        annotation, *rest = get_args(annotation)
        notes = tuple(rest)
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    if choices and all(isinstance(choice, str) for choice in choices):
        kind = "choice"
    elif annotation == tuple[int, ...]:
        kind = "tuple"
    elif annotation in (int, float, bool):
        kind = annotation.__name__
    else:
        raise VariantError(
            f"Parameter {name} has type {annotation}; a parameter is an int, float, bool, "
            "Literal of strings or tuple[int, ...]."
        )
    unfit = [choice for choice in choices if not CHOICE.fullmatch(choice)]
    if unfit:
        raise VariantError(
            f"Parameter {name} has the choice {unfit[0]!r}, which cannot stand in the name of a folder: use "
            "letters, digits, '.', '_', '+' and '-'."
        )
    made = Parameter(
        name=name,
        kind=kind,  # type: ignore[arg-type]  # one of the five
        default=default,
        choices=choices,
        minimum=next((note.minimum for note in notes if isinstance(note, AtLeast)), None),
        maximum=next((note.maximum for note in notes if isinstance(note, AtMost)), None),
        length=next((note.entries for note in notes if isinstance(note, Length)), None),
        doc=next((note for note in notes if isinstance(note, str)), ""),
        off=default if AbsentWhenOff() in notes else None,
    )
    made.check(default)
    return made


def parameters_of(fields_class: type | None) -> dict[str, Parameter]:
    """The parameters of a frozen dataclass, in declared order; none without a dataclass."""
    if fields_class is None:
        return {}
    if not dataclasses.is_dataclass(fields_class):
        raise VariantError(f"{fields_class.__name__} must be a frozen dataclass of parameters.")
    hints = get_type_hints(fields_class, include_extras=True)
    found = {}
    for field in dataclasses.fields(fields_class):
        if field.default is dataclasses.MISSING:
            raise VariantError(f"Parameter {field.name} of {fields_class.__name__} has no default.")
        found[field.name] = parameter(field.name, hints[field.name], field.default)
    return found


def with_defaults(parameters: Mapping[str, Parameter], defaults: Mapping[str, Value]) -> dict[str, Parameter]:
    """The same parameters with other defaults. Raises VariantError for a default without a parameter."""
    for name in defaults:
        if name not in parameters:
            raise VariantError(
                f"{name} is given another default but is no parameter; there are: {', '.join(parameters)}."
            )
    return {
        name: dataclasses.replace(each, default=each.check(defaults[name])) if name in defaults else each
        for name, each in parameters.items()
    }
