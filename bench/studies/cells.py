"""Making cells from names; torch-free, so that a plan of thousands costs nothing."""

from pathlib import Path

import variants
from bench.cell import Cell
from bench.data.catalogue import find, sets
from bench.errors import UsageError
from bench.protocol import Protocol, load_protocol


def make_cell(protocol: str, dataset: str, variant: str, seed: int, changes: tuple[str, ...] = ()) -> Cell:
    """The cell of these names, every one of them checked.

    Raises UsageError or VariantError for a name, parameter or rule that does not exist.
    """
    rules = load_protocol(protocol, changes)
    refuse_unknown_model_keys(rules)
    refuse_unknown_dataset(dataset)
    return Cell(rules, dataset, variants.canonical(variant, rules.model), seed)


def refuse_unknown_dataset(dataset: str) -> None:
    """Raise UsageError for what is neither a name of the catalogue nor the path of a folder."""
    if dataset in sets() or ("/" not in dataset and not Path(dataset).is_dir()):
        find(dataset)
    elif not Path(dataset).expanduser().is_dir():
        raise UsageError(f"There is no folder {dataset}. Give a folder with trainA, trainB, testA and testB.")


def refuse_unknown_model_keys(protocol: Protocol) -> None:
    """A key of the protocol's [model] must be a parameter of some variant: else it is a slip of the pen."""
    known = {name for variant in variants.names() for name in variants.describe(variant).parameters}
    for key in protocol.model:
        if key not in known:
            raise UsageError(
                f"Protocol {protocol.name}: model.{key} is a parameter of no variant. "
                f"There are: {', '.join(sorted(known))}"
            )
