"""The registry: one dict from names to generators, and the two ways into it.

    @dataclass(frozen=True)
    class Parameters:
        slots: Annotated[int, AtLeast(2), "Number of slots."] = 9  # section 4 of the paper

    @register("slot9", summary="Slot attention on the raw image, nine slots.")
    @register("slot5", summary="The same with five slots.", slots=5)
    class RawSlots(Generator):
        def __init__(self, parameters: Parameters) -> None: ...

The annotation of the constructor's argument names the dataclass of parameters. What is to be listed without
importing torch is declared instead, in a module that imports none, and its class imported when it is built:

    declare("slot9", "variants.raw_slots:RawSlots", Parameters, summary="Slot attention on the raw image.")
"""

import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, get_type_hints

from variants.registry.parameters import Parameter, Value, VariantError, parameters_of, with_defaults

if TYPE_CHECKING:
    from variants.contract import Generator

Kind = Literal["variant", "control", "baseline"]
KINDS: tuple[Kind, ...] = ("variant", "control", "baseline")
PLUGIN_PREFIX = "variants_plugin_"
"""Stands before a plugin's file name in the name of its module, so that it hides no other."""
FORWARD = "def forward(self, image, noise=None) -> Translation"
LONGEST_NAME = 255
"""Signs of a folder's name."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

Class = TypeVar("Class", bound="type[Generator]")


class NameTaken(VariantError):
    """Two generators of one name."""


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
    """An entry together with its class, which need not be imported yet."""

    entry: Entry
    module: str
    class_name: str
    fields: type | None
    """The dataclass that the constructor takes; None where it takes nothing."""
    file: Path | None = None
    """The plugin file, which no import by name would find."""
    imported: "type[Generator] | None" = None

    @property
    def place(self) -> str:
        """Where the class is defined, for messages."""
        return f"{self.module.removeprefix(PLUGIN_PREFIX)}.{self.class_name}"

    @property
    def generator(self) -> "type[Generator]":
        """The class, imported now where it was declared alone. Raises VariantError where it is not there."""
        if self.imported is not None:
            return self.imported
        try:
            found: type[Generator] = getattr(import_module(self.module), self.class_name)
        except (ImportError, AttributeError) as error:
            raise VariantError(f"{self.entry.name} is declared as {self.place}: {error}.") from error
        return found


REGISTRY: dict[str, Registered] = {}


def register(
    name: str, *, summary: str, kind: Kind = "variant", objective: str | None = None, **defaults: Value
) -> Callable[[Class], Class]:
    """Class decorator that gives a generator class a name; `defaults` replace defaults of its parameters.

    A baseline that is a method of its own names the `objective` that belongs to it. Raises VariantError where
    the name is taken or unusable, another kind brings an objective, or a default fits no parameter.
    """

    def claim(generator: Class) -> Class:
        refuse_taken(name)
        refuse_other_classes(generator)
        fields = fields_class(generator)
        entry = make_entry(name, summary, kind, with_defaults(parameters_of(fields), defaults), objective)
        refuse_other_signatures(generator)
        module = generator.__module__
        own = getattr(sys.modules.get(module), "__file__", None) if is_plugin(module) else None
        file = None if own is None else Path(own)
        REGISTRY[name] = Registered(entry, module, generator.__qualname__, fields, file, generator)
        return generator

    return claim


def declare(
    name: str,
    place: str,
    fields: type | None,
    *,
    summary: str,
    kind: Kind = "variant",
    objective: str | None = None,
    **defaults: Value,
) -> None:
    """As `register`, of the class at `place`, "module:Class", whose constructor takes `fields`."""
    refuse_taken(name)
    module, _, class_name = place.partition(":")
    entry = make_entry(name, summary, kind, with_defaults(parameters_of(fields), defaults), objective)
    REGISTRY[name] = Registered(entry, module, class_name, fields)


def refuse_taken(name: str) -> None:
    """Raise NameTaken where something has the name."""
    if name in REGISTRY:
        raise NameTaken(f"The name {name!r} is taken by {REGISTRY[name].place}.")


def is_plugin(module: str) -> bool:
    """Whether a module is that of a plugin file."""
    return module.startswith(PLUGIN_PREFIX)


def make_entry(
    name: str, summary: str, kind: Kind, parameters: dict[str, Parameter], objective: str | None = None
) -> Entry:
    """An Entry whose name, kind and objective are checked."""
    if not NAME.fullmatch(name):
        raise VariantError(f"{name!r} cannot be a name: use letters, digits, '.', '_' and '-'.")
    if len(name) > LONGEST_NAME:
        raise VariantError(
            f"{name[:40]!r}... cannot be a name: it has {len(name)} signs, and the folder of a run, which is "
            f"called by it, has at most {LONGEST_NAME}."
        )
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


def refuse_other_classes(generator: type) -> None:
    """Raise VariantError for a class that is no Generator."""
    from variants.contract import Generator

    if not (inspect.isclass(generator) and issubclass(generator, Generator)):
        raise VariantError(
            f"{getattr(generator, '__qualname__', generator)} is no generator. Write: "
            f"class {getattr(generator, '__name__', 'Mine')}(Generator), with Generator from variants."
        )


def refuse_other_signatures(generator: "type[Generator]") -> None:
    """Raise VariantError for a generator whose `forward` does not take images and noise."""
    from torch import nn

    name = located(generator)
    if generator.forward is nn.Module.forward:
        raise VariantError(f"{name} defines no forward. Write: {FORWARD}")
    signature = inspect.signature(generator.forward)
    try:
        signature.bind("self", "image", "noise")
    except TypeError:
        raise VariantError(f"{name}.forward takes {signature}. Write: {FORWARD}") from None


def located(generator: type) -> str:
    """Where a class is defined, for messages."""
    module = generator.__module__.removeprefix(PLUGIN_PREFIX)
    return f"{module}.{generator.__qualname__}"
