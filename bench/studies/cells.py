"""Making cells from names; torch-free, so that a plan of thousands costs nothing."""

import variants
from bench.cell import Cell
from bench.data.catalogue import find
from bench.errors import UsageError
from bench.protocol import Protocol, load_protocol


def make_cell(protocol: str, dataset: str, variant: str, seed: int, changes: tuple[str, ...] = ()) -> Cell:
    """The cell of these names, every one of them checked.

    Raises UsageError or VariantError for a name, parameter or rule that does not exist.
    """
    rules = load_protocol(protocol, changes)
    refuse_unknown_model_keys(rules)
    find(dataset)
    return Cell(rules, dataset, variants.canonical(variant), seed)


def refuse_unknown_model_keys(protocol: Protocol) -> None:
    """A key of the protocol's [model] must be a parameter of some variant: else it is a slip of the pen."""
    known = {name for variant in variants.names() for name in variants.describe(variant).parameters}
    for key in protocol.model:
        if key not in known:
            raise UsageError(
                f"Protocol {protocol.name}: model.{key} is a parameter of no variant. "
                f"There are: {', '.join(sorted(known))}"
            )
