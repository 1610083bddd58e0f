"""The generator contract: what every variant takes and gives.

Axes throughout this package: b batch, k masks and contents, s slots, d slot features, n tokens,
c channels, h height, w width. Images are in [-1, 1].
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from variants.published.names import PublishedNames
from variants.registry.parameters import VariantError

Noise = torch.Generator | Tensor | None
WantedMasks = Literal["own", "other"]
"""Foreground masks: those of the images themselves, or of another image each."""
Scheme = Literal["resnet", "light", "torch"]
HeadScheme = Literal["published", "default", "kaiming"]
STRIDE = 16
"""Height and width of an image are multiples of this."""


class Translation(NamedTuple):
    """What a generator makes of a batch of images; `image` is the weighted sum of `contents` by `masks`."""

    image: Tensor
    """[b, 3, h, w]: the translated image."""
    contents: Tensor
    """[b, k, 3, h, w]: the content images, the input among them where it serves as background."""
    masks: Tensor | None
    """[b, k, h, w]: the weights of the contents; None for a generator without masks (k is then 1)."""


class Generator(nn.Module):
    """Base class of every variant and baseline.

    A subclass defines `forward(image, noise=None) -> Translation` and sets what it claims. `forward` takes
    any batch size and any image size that is a multiple of 16. Its constructor takes one frozen dataclass
    of parameters, or nothing.
    """

    background: int | None = None
    """Index k of the mask whose content is the input image itself; None where there is no such mask."""
    convex: bool = False
    """Whether the masks are claimed to be a convex combination at every pixel."""
    noise_shape: tuple[int, int] | None = None
    """(slots, features) of the noise of one image; None for a generator that draws no noise."""
    initialisation: Scheme = "torch"
    """How weights are drawn, explained in `variants.parts.initialisation`."""
    head_initialisation: HeadScheme = "published"
    """The same for parameters named `head.*`; `published`: as all others."""
    wants_masks: WantedMasks | None = None
    """Which masks of the images' foreground `forward` takes after the noise, [b, 1, h, w], 1 inside: those of
    the data set. Such a generator translates no images that have none."""
    learns_masks: bool = True
    """Whether its masks are learned; False where they are told, fixed or found without training, so that no
    reader credits them to attention. Says nothing of a generator without masks."""
    spares_memory: bool = False
    """Whether training should rather take longer than hold more, its masks taking much."""
    own_losses: tuple[str, ...] = ()
    """Names of what `with_losses` gives beside the translation: losses of its own, each a column of
    losses.csv, with the direction behind it."""
    parameter_values: Mapping[str, int | float | bool | str | tuple[int, ...]] = {}
    """The parameters it was built with; set by `variants.build`."""
    published: ClassVar[PublishedNames | None] = None
    """How the published code names its weights; None where there is no published code."""

    def __call__(self, image: Tensor, noise: Noise = None, mask: Tensor | None = None) -> Translation:
        """Translate images, with their masks [b, 1, h, w] where these are wanted; others ignore them.

        Raises ValueError where height or width is no multiple of 16, VariantError where masks are missing.
        """
        if image.ndim != 4 or image.shape[1] != 3 or image.shape[2] % STRIDE or image.shape[3] % STRIDE:
            raise ValueError(
                f"images have shape {list(image.shape)}; a generator takes [b, 3, h, w] with h and w "
                f"multiples of {STRIDE}"
            )
        translation: Translation = super().__call__(image, noise, *self.masks_taken(image, mask))
        if not isinstance(translation, Translation):
            raise VariantError(
                f"{type(self).__qualname__}.forward returned {a_word_for(translation)}. Return "
                "Translation(image, contents, masks); without masks: Translation(y, y.unsqueeze(1), None)."
            )
        return translation

    def masks_taken(self, image: Tensor, mask: Tensor | None) -> tuple[Tensor, ...]:
        """The masks as a further argument of `forward`; none where no masks are wanted.

        Raises VariantError where they are wanted and missing, ValueError where they do not fit the images.
        """
        if self.wants_masks is None:
            return ()
        if mask is None:
            raise VariantError(
                f"{type(self).__name__} translates images by masks of their foreground, and these have none. "
                "Take a data set that has masks, or another variant."
            )
        if mask.shape != (len(image), 1, *image.shape[2:]):
            raise ValueError(
                f"masks have shape {list(mask.shape)}; images of {list(image.shape)} take "
                f"{[len(image), 1, *image.shape[2:]]}"
            )
        return (mask,)

    def with_losses(
        self, image: Tensor, noise: Noise = None, mask: Tensor | None = None
    ) -> tuple[Translation, dict[str, Tensor]]:
        """The translation, and the generator's own losses by name: scalars, their weights included.

        A training asks for them with the real images that it translates, and with no others. What a generator
        is trained with beside the protocol's losses is said wherever its results are shown.
        """
        return self(image, noise, mask), {}

    @property
    def trainable(self) -> bool:
        """Whether there is anything to train: False for baselines such as `copy`."""
        return any(parameter.requires_grad for parameter in self.parameters())

    def fit(self, source: Iterable[Tensor], target: Iterable[Tensor]) -> None:
        """Take what can be had without gradients from the training images; here nothing.

        Called once, in place of training, where there is nothing to train. `source` and `target` give all
        training images of the domains translated from and to, once, as batches [b, 3, h, w] in [-1, 1].
        What is learned goes into buffers: they are saved, and `image` depends on nothing else.
        """

    def draw_noise(self, batch: int, noise: Noise) -> Tensor:
        """The slot noise [b, s, d]: `noise` itself if it is a tensor, else drawn on the CPU and moved.

        With None torch's global generator is used, as in the published code. Raises ValueError where a
        tensor has another shape than [batch, *noise_shape].
        """
        if self.noise_shape is None:
            raise ValueError(f"{type(self).__name__} draws no noise")
        shape = (batch, *self.noise_shape)
        weight = next(self.parameters())
        if isinstance(noise, Tensor):
            if noise.shape != shape:
                raise ValueError(f"noise has shape {list(noise.shape)}; this generator takes {list(shape)}")
            return noise.to(weight)
        # Drawn in single precision on the CPU, so that every device and precision gets the same numbers.
        return torch.randn(shape, generator=noise, dtype=torch.float32).to(weight)


def some_mask(generator: Generator, image: Tensor) -> Tensor | None:
    """Masks [b, 1, h, w] for images of no meaning, their upper half inside; None where none are wanted.

    For what only asks for shapes, costs and rules.
    """
    if generator.wants_masks is None:
        return None
    mask = torch.zeros_like(image[:, :1])
    mask[:, :, : image.shape[2] // 2] = 1
    return mask


def a_word_for(value: object) -> str:
    """What a value is, for a message: `a Tensor`, `None`."""
    return "None" if value is None else f"a {type(value).__name__}"


def compose(contents: Tensor, masks: Tensor) -> Tensor:
    """The weighted sum of contents [b, k, 3, h, w] by masks [b, k, h, w]: images [b, 3, h, w]."""
    # Five times quicker than einsum on CPU.
    return (contents * masks.unsqueeze(2)).sum(1)
