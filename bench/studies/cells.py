"""Making cells from names; torch-free, so that a plan of thousands costs nothing."""

import variants
from bench.cell import Cell
from bench.data.catalogue import SPLITS, find, is_path
from bench.data.files import printable, require_folder
from bench.data.places import at_home
from bench.errors import UsageError
from bench.names import folder_name
from bench.protocol import Protocol, load_protocol


def make_cell(protocol: str, dataset: str, variant: str, seed: int, changes: tuple[str, ...] = ()) -> Cell:
    """The cell of these names, every one of them checked.

    Raises UsageError or VariantError for a name, parameter or rule that does not exist.
    """
    rules = load_protocol(protocol, changes)
    refuse_unknown_model_keys(rules)
    return Cell(rules, known_dataset(dataset), variants.canonical(variant, rules.model), seed)


def known_dataset(dataset: str) -> str:
    """A name of the catalogue as it is; of a folder the whole path, however it was spelled.

    Raises UsageError for what is neither, and for a folder whose name cannot name the folders of its runs.
    """
    if not is_path(dataset):
        return find(dataset).name
    folder = at_home(dataset)
    require_folder(folder, f"a folder with {', '.join(SPLITS)}")
    whole = folder.resolve()
    if printable(whole) != str(whole):
        raise UsageError(
            f"The path {printable(whole)} is no UTF-8, and cannot be recorded. Rename the folder."
        )
    folder_name(f"data set {whole}", whole.name)
    # A link stays one at the end, so that runs that stand under its name are found.
    return str(folder.parent.resolve() / folder.name) if folder.name not in {"", ".."} else str(whole)


def refuse_unknown_model_keys(protocol: Protocol) -> None:
    """A key of the protocol's [model] must be a parameter of some variant: else it is a slip of the pen."""
    known = {name for variant in variants.names() for name in variants.describe(variant).parameters}
    for key in protocol.model:
        if key not in known:
            raise UsageError(
                f"Protocol {protocol.name}: model.{key} is a parameter of no variant. "
                f"There are: {', '.join(sorted(known))}"
            )
