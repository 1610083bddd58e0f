"""`kmeans5`: the control of masks without learning, five clusters of each image's own colours and places.

The trunk of `spatial` with four contents; the masks are Lloyd's clusters (Lloyd 1982) of colour and position,
found anew for every image, deterministic and untrained. The largest cluster weighs the input, the others,
from large to small, the contents: there is no gate that could learn to copy. Learned masks have to find more
in the pictures than this.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from variants.contract import Generator, Noise, Translation, compose
from variants.parts.slot_head import evenly
from variants.parts.trunks import ResnetTrunk
from variants.shipped import KMeansParameters

ROUNDS = 10
"""Of Lloyd's algorithm; after that hardly a pixel changes sides."""
SIDE = 64
"""Clusters are found on at most so many pixels a side, and then given every pixel."""
PLACE = 0.5
"""Weight of the position, -1 to 1 along either axis, beside colours in [-1, 1]."""
LUMA = (0.299, 0.587, 0.114)


class KMeans(Generator):
    """Masks of 0 and 1: the largest cluster is the last mask, which weighs the input."""

    convex = True
    initialisation = "resnet"

    def __init__(self, parameters: KMeansParameters) -> None:
        super().__init__()
        self.background = parameters.contents
        self.trunk = ResnetTrunk(parameters.width, parameters.blocks, parameters.contents)

    def forward(self, image: Tensor, noise: Noise = None) -> Translation:
        contents = self.trunk.make_contents(self.trunk.encode(image))
        contents = torch.cat([contents, image.unsqueeze(1)], dim=1)
        masks = clusters(image.detach(), contents.shape[1])
        return Translation(compose(contents, masks), contents, masks)


@torch.no_grad()
def clusters(image: Tensor, count: int) -> Tensor:
    """One-hot masks [b, k, h, w] of images [b, 3, h, w] in [-1, 1]; by size, the largest cluster last."""
    pixels = colours_and_places(image)
    small = F.interpolate(pixels, tuple(min(SIDE, side) for side in image.shape[2:]), mode="area")
    centres = centres_of(small.flatten(2).transpose(1, 2).float(), count)
    nearest = torch.cdist(pixels.flatten(2).transpose(1, 2).float(), centres).argmin(dim=2)
    masks = F.one_hot(nearest, count).transpose(1, 2)
    by_size = masks.sum(dim=2).argsort(dim=1, descending=True, stable=True).roll(-1, dims=1)
    ordered = masks.gather(1, by_size.unsqueeze(2).expand_as(masks))
    return ordered.unflatten(2, image.shape[2:]).to(image.dtype)


def colours_and_places(image: Tensor) -> Tensor:
    """The three colours of every pixel and its weighted place, [b, 5, h, w]."""
    y, x = (evenly(side, image.device, -PLACE, PLACE) for side in image.shape[2:])
    place = torch.stack(torch.meshgrid(y, x, indexing="ij")).to(image.dtype)
    return torch.cat([image, place.expand(image.shape[0], -1, -1, -1)], dim=1)


def centres_of(points: Tensor, count: int) -> Tensor:
    """Centres [b, k, 5] of points [b, n, 5] by Lloyd's algorithm, from the points at even ranks of luma."""
    ranked = (points[..., :3] @ points.new_tensor(LUMA)).argsort(dim=1, stable=True)
    ranks = ((torch.arange(count) + 0.5) / count * points.shape[1]).long().to(points.device)
    centres = points.gather(1, ranked[:, ranks].unsqueeze(2).expand(-1, -1, points.shape[2]))
    for _ in range(ROUNDS):
        members = F.one_hot(torch.cdist(points, centres).argmin(dim=2), count).to(points.dtype)
        sizes = members.sum(dim=1).unsqueeze(2)
        means = members.transpose(1, 2) @ points / sizes.clamp_min(1)
        centres = torch.where(sizes > 0, means, centres)  # an empty cluster stays where it is
    return centres
