"""The names of the published main model: AttentionGAN v2 with a slot module below `model`.

Its second decoder, at the top level, makes the masks; the first one, inside the module, and the spatial
mask head that it was built on top of never reach the output.
"""

from collections.abc import Mapping

from variants.published.attentiongan import trunk_modules, trunk_parameters
from variants.published.names import PublishedNames, Shapes
from variants.published.slot_module import slot_modules, slot_parameters


def parameters(shapes: Shapes) -> dict[str, object]:
    """Parameters of `slot9`: every content has a slot."""
    slots = shapes["deconv3_content.weight"][0] // 3
    return trunk_parameters(shapes) | slot_parameters(shapes, "model.") | {"slots": slots}


def modules(parameters: Mapping[str, object]) -> dict[str, str]:
    """Modules of `slot9`."""
    return trunk_modules(parameters["blocks"]) | slot_modules("model.", "")


SLOT9 = PublishedNames(
    parameters,
    modules,
    dead=(
        r".*\.grid",
        r"model\.decoder\..*",
        r"model\.decoder_pos_embedding\..*",
        r"deconv[123]_attention\..*",
    ),
)
