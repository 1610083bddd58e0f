"""The registry: one dict from names to generator classes, and the decorator that fills it.

    @dataclass(frozen=True)
    class Parameters:
        slots: Annotated[int, AtLeast(2), "Number of slots."] = 9  # section 4 of the paper

    @register("slot9", summary="Slot attention on the raw image, nine slots.")
    @register("slot5", summary="The same with five slots.", slots=5)
    class RawSlots(Generator):
        def __init__(self, parameters: Parameters) -> None: ...

The annotation of the constructor's argument names the dataclass of parameters. Importing this module
imports no torch.
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar, get_type_hints

from variants.errors import VariantError
from variants.parameters import Parameter, Value, parameters_of, with_defaults

if TYPE_CHECKING:
    from variants.contract import Generator

Kind = Literal["variant", "control", "baseline"]
KINDS: tuple[Kind, ...] = ("variant", "control", "baseline")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

Class = TypeVar("Class", bound="type[Generator]")


@dataclass(frozen=True)
class Entry:
    """What is known of a registered name without building it."""

    name: str
    summary: str
    kind: Kind
    parameters: dict[str, Parameter]
    """In declared order, with the defaults of this name."""
    objective: str | None = None
    """What it is trained with in place of the protocol's objective; None: with that, as all others are."""


@dataclass(frozen=True)
class Registered:
    """An entry together with its class."""

    entry: Entry
    generator: "type[Generator]"
    fields: type | None
    """The dataclass that the constructor takes; None where it takes nothing."""


REGISTRY: dict[str, Registered] = {}


def register(
    name: str, *, summary: str, kind: Kind = "variant", objective: str | None = None, **defaults: Value
) -> Callable[[Class], Class]:
    """Class decorator that gives a generator class a name; `defaults` replace defaults of its parameters.

    A baseline that is a method of its own names the `objective` that belongs to it. Raises VariantError where
    the name is taken or unusable, another kind brings an objective, or a default fits no parameter.
    """

    def claim(generator: Class) -> Class:
        if name in REGISTRY:
            raise VariantError(f"The name {name!r} is taken by {located(REGISTRY[name].generator)}.")
        fields = fields_class(generator)
        parameters = with_defaults(parameters_of(fields), defaults)
        REGISTRY[name] = Registered(make_entry(name, summary, kind, parameters, objective), generator, fields)
        return generator

    return claim


def make_entry(
    name: str, summary: str, kind: Kind, parameters: dict[str, Parameter], objective: str | None = None
) -> Entry:
    """An Entry whose name, kind and objective are checked."""
    if not NAME.fullmatch(name):
        raise VariantError(f"{name!r} cannot be a name: use letters, digits, '.', '_' and '-'.")
    if kind not in KINDS:
        raise VariantError(f"{name} is registered as {kind!r}; a kind is one of {', '.join(KINDS)}.")
    if objective is not None and kind != "baseline":
        raise VariantError(
            f"{name} is a {kind} and brings the objective {objective!r}: only a baseline may. Variants "
            "differ in the generator alone."
        )
    return Entry(name, summary, kind, parameters, objective)


def fields_class(generator: type) -> type | None:
    """The dataclass named by the annotation of the constructor's argument; None where there is none."""
    _, *arguments = inspect.signature(generator.__init__).parameters.values()  # type: ignore[misc]
    named = [each.name for each in arguments if each.kind is each.POSITIONAL_OR_KEYWORD]
    if not named:
        return None
    hint: type | None = get_type_hints(generator.__init__).get(named[0])  # type: ignore[misc]
    if hint is None:
        raise VariantError(
            f"{located(generator)}.__init__: annotate {named[0]} with the dataclass of its parameters."
        )
    return hint


def located(generator: type) -> str:
    """Where a class is defined, for messages."""
    return f"{generator.__module__}.{generator.__qualname__}"
