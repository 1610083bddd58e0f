"""PatchNCE: a patch of a translation is to resemble the patch of its source more than any other of it.

Park et al. 2020, "Contrastive Learning for Unpaired Image-to-Image Translation" (arXiv 2007.15651),
equations 2 to 4. Axes: b batch, p patches, c channels, u units.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TEMPERATURE = 0.07
UNITS = 256
"""Of either layer of the perceptrons."""
PATCHES = 256
"""Places that are compared in a layer, fewer where it has not so many."""
INITIAL_GAIN = 0.02


class Projection(nn.Module):
    """Two layers that make the features of a place comparable: one perceptron for every layer of features."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.perceptrons = nn.ModuleList(
            nn.Sequential(nn.Linear(each, UNITS), nn.ReLU(), nn.Linear(UNITS, UNITS)) for each in channels
        )

    def forward(self, features: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """[b, p, u] for every layer [b, c, h, w] at its places [p], indices into h * w."""
        return [
            perceptron(layer.flatten(2)[:, :, chosen].transpose(1, 2))
            for perceptron, layer, chosen in zip(self.perceptrons, features, places, strict=True)
        ]


def initialise(projection: Projection, draw: Callable[[str], torch.Generator]) -> None:
    """Weights Xavier-normal with gain 0.02, biases 0; `draw` gives the generator of a parameter's name."""
    with torch.no_grad():
        for name, parameter in projection.named_parameters():
            if name.endswith(".bias"):
                parameter.zero_()
            else:
                nn.init.xavier_normal_(parameter, INITIAL_GAIN, generator=draw(name))


def patch_nce(queries: Tensor, keys: Tensor) -> Tensor:
    """Mean over patches of the cross-entropy of finding, for each query, the key of its own place.

    `queries` of the translation and `keys` of the source are [b, p, u] of any length: they are compared by
    cosine, over the temperature. The other p - 1 keys of the same image are the negatives (equation 2); keys
    of other images of the batch are none.
    """
    similarity = F.normalize(queries, dim=2) @ F.normalize(keys, dim=2).transpose(1, 2) / TEMPERATURE
    own = torch.arange(similarity.shape[1], device=similarity.device).expand(len(similarity), -1)
    return F.cross_entropy(similarity.flatten(0, 1), own.flatten())
