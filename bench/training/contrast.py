"""The objective of CUT: least-squares GAN and PatchNCE, for each direction by itself.

Park et al. 2020 (arXiv 2007.15651), with the settings of the released code for its full model: weight 1 for
the GAN, and 1 for the mean of the PatchNCE losses of translations and of identities (the paper's equation 5
prints their sum). Discriminators are updated first, generators and perceptrons follow them. There are no
cycles, no pixelwise identity loss and no image pool: `cycle_weight`, `identity_weight` and `pool` of the
protocol have no use here, and `identity_fade` is refused; all that decides what is fed, and for how long, is
the protocol's.

The paper trains one direction. Here both are trained side by side in one run, and neither hears of the
other.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.errors import UsageError
from bench.protocol import TrainSettings
from bench.streams import Streams
from bench.training.adversarial import LEAST_SQUARES
from bench.training.discriminators import PatchGAN
from bench.training.objective import (
    ROUND_TRIPS,
    Objective,
    Pair,
    Step,
    adam,
    backward,
    fixed,
    mask_of,
    objective,
)
from bench.training.schedule import StepStreams
from variants.contract import STRIDE, Generator

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


def initialise_projection(projection: Projection, draw: Callable[[str], torch.Generator]) -> None:
    """Weights Xavier-normal with gain 0.02, biases 0; `draw` gives the generator of a parameter's name."""
    with torch.no_grad():
        for name, parameter in projection.named_parameters():
            if name.endswith(".bias"):
                parameter.zero_()
            else:
                nn.init.xavier_normal_(parameter, INITIAL_GAIN, generator=draw(name))


def patch_nce(queries: Tensor, keys: Tensor) -> Tensor:
    """A patch of a translation is to resemble the patch of its source more than any other (equations 2 to 4).

    Mean over patches of the cross-entropy of finding, for each query, the key of its own place.

    `queries` of the translation and `keys` of the source are [b, p, u] of any length: they are compared by
    cosine, over the temperature. The other p - 1 keys of the same image are the negatives (equation 2); keys
    of other images of the batch are none.
    """
    similarity = F.normalize(queries, dim=2) @ F.normalize(keys, dim=2).transpose(1, 2) / TEMPERATURE
    own = torch.arange(similarity.shape[1], device=similarity.device).expand(len(similarity), -1)
    return F.cross_entropy(similarity.flatten(0, 1), own.flatten())


SHARE = 0.5
"""Of the PatchNCE loss of translations in the mean; that of identities has the other half."""


@runtime_checkable
class HasPatchFeatures(Protocol):
    """A generator that shows its features."""

    def patch_features(self, image: Tensor) -> tuple[Tensor, ...]:
        """The layers whose places are compared, each [b, c, h, w], of images [b, 3, h, w]."""


@objective("cut", summary="Least-squares GAN and PatchNCE, for generators that show features (CUT).")
class PatchContrast(Objective):
    """The generator's own encoder makes the features that are compared, of source and of translation."""

    losses = (
        "gan_A2B",
        "gan_B2A",
        "patchnce_A2B",
        "patchnce_B2A",
        "patchnce_identity_A",
        "patchnce_identity_B",
        "discriminator_A",
        "discriminator_B",
    )
    honours = frozenset({"diffaugment"})
    discriminator = PatchGAN
    adversarial = LEAST_SQUARES

    def __init__(
        self, generators: Mapping[str, Generator], settings: TrainSettings, streams: Streams
    ) -> None:
        super().__init__(generators, settings, streams)
        self.projections = {
            direction: self._new_projection(direction, streams) for direction in ("A2B", "B2A")
        }
        parameters = [each for one in self.projections.values() for each in one.parameters()]
        self.projection_optimiser = adam(parameters, settings)

    def learn(self, images: Pair, streams: StepStreams) -> Step:
        losses: dict[str, Tensor] = {}
        self.generator_optimiser.zero_grad()
        self.projection_optimiser.zero_grad()
        for source, target in ROUND_TRIPS:
            direction = f"{source}2{target}"
            losses |= self._learn_to_translate(source, target, images, streams)
            losses[f"patchnce_identity_{target}"] = self._learn_identity(
                direction, images[target], streams, mask_of(images, target)
            )
        self.generator_optimiser.step()
        self.projection_optimiser.step()
        return Step(losses, ())

    def contrast(
        self, direction: str, source: Tensor, translated: Tensor, streams: StepStreams, role: str
    ) -> Tensor:
        """Mean over layers of the PatchNCE loss between an image and what the generator made of it.

        Gradients reach the generator, as translator and as encoder, and the perceptrons through the
        translation alone: the source's features are fixed targets.
        """
        encoder = cast(HasPatchFeatures, self.generators[direction])
        with self.autocast(), torch.no_grad():
            features = encoder.patch_features(source)
            places = [
                streams.patches(role, number, layer[0, 0].numel(), PATCHES).to(self.device)
                for number, layer in enumerate(features)
            ]
            keys = self.projections[direction](features, places)
        with self.autocast():
            queries = self.projections[direction](encoder.patch_features(translated), places)
        pairs = zip(queries, keys, strict=True)
        return torch.stack([patch_nce(query.to(source), key.to(source)) for query, key in pairs]).mean()

    def _learn_to_translate(
        self, source: str, target: str, images: Pair, streams: StepStreams
    ) -> dict[str, Tensor]:
        """One update of the target's discriminator, and the gradients of one translation."""
        direction = f"{source}2{target}"
        translated, own = self.translate_real(source, target, images, streams)
        (discriminator,) = self.learn_discriminator(target, images[target], translated.detach(), streams)
        with fixed(self.discriminators[target]):
            gan = self.gan_loss(target, images[target], translated, streams)
            nce = SHARE * self.contrast(direction, images[source], translated, streams, f"fake_{target}")
            losses = {f"gan_{direction}": gan, f"patchnce_{direction}": nce, **own}
            backward(*losses.values())
        learned = {name: loss.detach() for name, loss in losses.items()}
        return {f"discriminator_{target}": discriminator, **learned}

    def _learn_identity(
        self, direction: str, image: Tensor, streams: StepStreams, mask: Tensor | None
    ) -> Tensor:
        """Gradients of the PatchNCE loss of an image that is in the target domain already."""
        role = f"identity_{direction[-1]}"
        same = self.translate(direction, image, streams.slot_noise(role), mask)
        nce = (1 - SHARE) * self.contrast(direction, image, same, streams, role)
        backward(nce)
        return nce.detach()

    def _new_projection(self, direction: str, streams: Streams) -> Projection:
        generator = self.generators[direction]
        if not isinstance(generator, HasPatchFeatures):
            raise UsageError(
                f"Objective cut compares features of the generator, and {type(generator).__name__} shows "
                "none. Define patch_features(image) on it, as baselines/cut.py does."
            )
        with torch.no_grad():
            shown = generator.patch_features(torch.zeros(1, 3, STRIDE, STRIDE, device=self.device))
        projection = Projection([layer.shape[1] for layer in shown])
        initialise_projection(
            projection, lambda name: streams.torch("initial-weights", f"projection_{direction}", name)
        )
        return projection.to(self.device)

    def _parts(self) -> dict[str, Any]:
        return super()._parts() | {f"projection_{name}": each for name, each in self.projections.items()}

    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return super()._optimisers() | {"optimiser_projections": self.projection_optimiser}
