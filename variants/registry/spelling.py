"""Names with parameters: `slot9[iterations=5,background=own]`, read, checked, spelled in one way, built."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from variants.registry import Entry
from variants.registry.catalogue import find
from variants.registry.parameters import Value, VariantError, spell, unknown

if TYPE_CHECKING:
    from variants.contract import Generator

Values = dict[str, Value]
NOTHING: Mapping[str, object] = {}


class Choice(NamedTuple):
    """A variant and the parameters that were chosen for it."""

    name: str
    given: Values


def parse(text: str) -> Choice:
    """The variant that `text` names and the parameters it gives, checked.

    Raises VariantError for an unknown name or parameter, a value of the wrong type or range, or brackets
    that do not fit `name[parameter=value,...]`.
    """
    matched = re.fullmatch(r"\s*([^\[\]\s]+)\s*(?:\[(.*)\])?\s*", text)
    if matched is None:
        raise VariantError(
            f"Cannot read {text!r}. Write a name, or name[parameter=value,...] as in slot9[iterations=5]."
        )
    name, bracket = matched.groups()
    parameters = find(name).entry.parameters
    given: Values = {}
    for part in (bracket or "").split(",") if bracket else ():
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value:
            raise VariantError(f"Cannot read {part.strip()!r} in {text!r}. Write parameter=value.")
        if key not in parameters:
            raise unknown(f"parameter of {name}", key, parameters)
        if key in given:
            raise VariantError(f"{key} is given twice in {text!r}.")
        given[key] = parameters[key].check(value)
    return Choice(name, given)


def canonical(text: str, protocol_parameters: Mapping[str, object] = NOTHING) -> str:
    """The one spelling of what `text` names: parameters in declared order, those left out that say nothing.

    A parameter says nothing where its value is the one that would hold without it: the protocol's where the
    protocol has one, else the default. Raises VariantError as `parse` does.
    """
    name, given = parse(text)
    otherwise = resolved_parameters(name, protocol_parameters)
    spelled = [
        f"{key}={spell(given[key])}" for key in otherwise if given.get(key, otherwise[key]) != otherwise[key]
    ]
    return f"{name}[{','.join(spelled)}]" if spelled else name


def resolved_parameters(text: str, protocol_parameters: Mapping[str, object] = NOTHING) -> Values:
    """The value of every parameter of what `text` names, in declared order.

    The bracket counts more than the protocol, the protocol more than the default. The protocol's parameters
    that this variant does not have are passed over. Raises VariantError as `parse` does, and for a value of
    the protocol that this variant's parameter cannot take.
    """
    name, given = parse(text)
    values: Values = {}
    for key, each in find(name).entry.parameters.items():
        value = each.default
        if key in protocol_parameters:
            value = each.check(protocol_parameters[key])
        values[key] = given.get(key, value)
    return values


def recorded_parameters(text: str, protocol_parameters: Mapping[str, object] = NOTHING) -> Values:
    """As `resolved_parameters`, without parameters that are absent when off and are off."""
    known = find(parse(text).name).entry.parameters
    values = resolved_parameters(text, protocol_parameters)
    return {key: value for key, value in values.items() if known[key].off is None or value != known[key].off}


def describe(text: str) -> Entry:
    """Summary, kind and parameters of a variant. Raises VariantError as `parse` does."""
    return find(parse(text).name).entry


def build(text: str, protocol_parameters: Mapping[str, object] = NOTHING) -> "Generator":
    """The generator that `text` names, with weights not yet drawn (see `variants.initialise`).

    `protocol_parameters` (width, blocks, ...) apply where the variant has a parameter of that name; the
    bracket of `text` counts more. Raises VariantError for a name, parameter or value that does not exist.

    >>> build("slot9[iterations=5]", {"width": 16}).parameter_values["width"]
    16
    """
    values = resolved_parameters(text, protocol_parameters)
    name, given = parse(text)
    found = find(name)
    if found.fields is None:
        generator = found.generator()
    else:
        chosen = found.fields(**values)
        if hasattr(chosen, "check_given"):
            chosen.check_given(given)
        generator = found.generator(chosen)
    generator.parameter_values = values
    return generator
