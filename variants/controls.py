"""The controls: what learned masks must beat, each with one thing taken from attention, or told to it.

`uniform`: no attention. The trunk of AttentionGAN v2, every mask fixed at 1/k: exactly what a slot head gives
that is dead from its initialisation.

`oracle` and `shuffled`: told what is foreground, or what is foreground elsewhere. The trunk of `spatial` with
one content and the data set's own mask of the image, so that the foreground is translated, the background is
the input, and nothing is left for attention to find. What perfect attention is worth is what `oracle` gains.
`shuffled` takes the mask of another image of the same domain, of the right kind and in the wrong place: what
is gained by having any such mask at all. On the way back both take the mask that they had on the way forth.
Images that have no masks they cannot translate.

`kmeans5`: masks without learning. The trunk of `spatial` with four contents; the masks are Lloyd's clusters
(Lloyd 1982) of colour and position, found anew for every image, deterministic and untrained. The largest
cluster weighs the input, the others, from large to small, the contents: there is no gate that could learn to
copy. Learned masks have to find more in the pictures than this.

`convolution5`: masks that are learned, without slots. The trunk, encoder, position code, token norm, gate and
enlarging of `slot5[masks=attention]`; in place of the slots one 1x1 convolution to as many logits, and their
softmax. The first round of slot attention with trained queries is exactly this, so what slots are worth is
what they add to it: if this does as well, it is the segmentation of colour and texture that works, not slots.
"""

from abc import abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor

from variants.contract import Generator, Noise, Translation, WantedMasks, compose
from variants.parts.masks import contents_needed
from variants.parts.slot_attention import PointwiseAttention
from variants.parts.slot_generator import AttendingGenerator, raw_slot_head
from variants.parts.slot_head import Attended, evenly
from variants.parts.trunks import ResnetTrunk
from variants.shipped import ConvolutionParameters, KMeansParameters, TrunkParameters, UniformParameters

ROUNDS = 10
"""Of Lloyd's algorithm; after that hardly a pixel changes sides."""
SIDE = 64
"""Clusters are found on at most so many pixels a side, and then given every pixel."""
PLACE = 0.5
"""Weight of the position, -1 to 1 along either axis, beside colours in [-1, 1]."""
LUMA = (0.299, 0.587, 0.114)


class UnlearnedMasks(Generator):
    """Base of controls whose masks are told or computed: a trunk's contents and, last, the input."""

    convex = True
    initialisation = "resnet"
    learns_masks = False

    def __init__(self, parameters: TrunkParameters, contents: int) -> None:
        super().__init__()
        self.background = contents
        self.trunk = ResnetTrunk(parameters.width, parameters.blocks, contents)

    @abstractmethod
    def make_masks(self, image: Tensor, count: int, given: Tensor | None) -> Tensor:
        """`count` masks [b, k, h, w] of images [b, 3, h, w], with the masks [b, 1, h, w] that were wanted."""

    def forward(self, image: Tensor, noise: Noise = None, mask: Tensor | None = None) -> Translation:
        contents = self.trunk.make_contents(self.trunk.encode(image))
        contents = torch.cat([contents, image.unsqueeze(1)], dim=1)
        masks = self.make_masks(image, contents.shape[1], mask)
        return Translation(compose(contents, masks), contents, masks)


class Uniform(UnlearnedMasks):
    """Nine contents and, last, the input, all of equal weight everywhere."""

    def __init__(self, parameters: UniformParameters) -> None:
        super().__init__(parameters, parameters.contents)

    def make_masks(self, image: Tensor, count: int, given: Tensor | None) -> Tensor:
        batch, _, height, width = image.shape
        return image.new_full((batch, count, height, width), 1 / count)


class Oracle(UnlearnedMasks):
    """Mask 1 is the foreground and weighs the content, mask 2 what remains and weighs the input."""

    wants_masks: WantedMasks | None = "own"

    def __init__(self, parameters: TrunkParameters) -> None:
        super().__init__(parameters, contents=1)

    def make_masks(self, image: Tensor, count: int, given: Tensor | None) -> Tensor:
        assert given is not None  # __call__ refuses
        foreground = given.to(image)
        return torch.cat([foreground, 1 - foreground], dim=1)


class Shuffled(Oracle):
    """The same masks in the wrong places."""

    wants_masks = "other"


class KMeans(UnlearnedMasks):
    """Masks of 0 and 1: the largest cluster is the last mask, which weighs the input."""

    def __init__(self, parameters: KMeansParameters) -> None:
        super().__init__(parameters, parameters.contents)

    def make_masks(self, image: Tensor, count: int, given: Tensor | None) -> Tensor:
        return clusters(image.detach(), count)


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


class Convolution(AttendingGenerator):
    """Mask k weighs content k; the input comes last."""

    initialisation = "resnet"

    def __init__(self, parameters: ConvolutionParameters) -> None:
        super().__init__(parameters.slots, parameters.background, parameters.reconstruct)
        self.head_initialisation = parameters.init
        contents = contents_needed(parameters.slots, parameters.background)
        self.trunk = ResnetTrunk(parameters.width, parameters.blocks, contents)
        attention = PointwiseAttention(parameters.slot_size, parameters.slots, parameters.norm_eps)
        self.head = raw_slot_head(parameters, attention, None)

    def attend(self, image: Tensor, noise: Noise, colours: bool = False) -> tuple[Tensor, Attended]:
        contents = self.trunk.make_contents(self.trunk.encode(image))
        return contents, self.head.attend_to(image, None, colours)
