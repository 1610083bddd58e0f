"""Building a generator from its name."""

from collections.abc import Mapping

from variants.catalogue import registered
from variants.contract import Generator
from variants.spelling import NOTHING, parse, resolved_parameters


def build(text: str, protocol_parameters: Mapping[str, object] = NOTHING) -> Generator:
    """The generator that `text` names, with weights not yet drawn (see `variants.initialise`).

    `protocol_parameters` (width, blocks, ...) apply where the variant has a parameter of that name; the
    bracket of `text` counts more. Raises VariantError for a name, parameter or value that does not exist.

    >>> build("slot9[iterations=5]", {"width": 16}).parameter_values["width"]
    16
    """
    values = resolved_parameters(text, protocol_parameters)
    name, given = parse(text)
    found = registered(name)
    if found.fields is None:
        generator = found.generator()
    else:
        chosen = found.fields(**values)
        if hasattr(chosen, "check_given"):
            chosen.check_given(given)
        generator = found.generator(chosen)
    generator.parameter_values = values
    return generator
