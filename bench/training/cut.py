"""The objective of CUT: least-squares GAN and PatchNCE, for each direction by itself.

Park et al. 2020 (arXiv 2007.15651), with the settings of the released code for its full model: weight 1 for
the GAN, and 1 for the mean of the PatchNCE losses of translations and of identities (the paper's equation 5
prints their sum). Discriminators are updated first, generators and perceptrons follow them. There are no
cycles, no pixelwise identity loss and no image pool: `cycle_weight`, `identity_weight` and `pool` of the
protocol have no use here, and `identity_fade` is refused; all that decides what is fed, and for how long, is
the protocol's.

The paper trains one direction. Here both are trained side by side in one run, and neither hears of the other.
"""

from collections.abc import Mapping
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor

from bench.errors import UsageError
from bench.protocol import TrainSettings
from bench.streams import Streams
from bench.training.lsgan import LeastSquaresJudges
from bench.training.objective import ROUND_TRIPS, Pair, Step, backward, fixed, mask_of
from bench.training.optimisers import adam
from bench.training.patch_contrast import PATCHES, Projection, initialise, patch_nce
from bench.training.step_streams import StepStreams
from variants.contract import STRIDE, Generator

SHARE = 0.5
"""Of the PatchNCE loss of translations in the mean; that of identities has the other half."""


@runtime_checkable
class HasPatchFeatures(Protocol):
    """A generator that shows its features."""

    def patch_features(self, image: Tensor) -> tuple[Tensor, ...]:
        """The layers whose places are compared, each [b, c, h, w], of images [b, 3, h, w]."""


class PatchContrast(LeastSquaresJudges):
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
        noise = streams.slot_noise(f"fake_{target}")
        translated, own = self.translate_real(direction, images[source], noise, mask_of(images, source))
        judged = self.learn_to_judge(target, images[target], translated.detach(), streams)
        with fixed(self.discriminators[target]):
            gan = self.gan_loss(target, translated, streams)
            nce = SHARE * self.contrast(direction, images[source], translated, streams, f"fake_{target}")
            losses = {f"gan_{direction}": gan, f"patchnce_{direction}": nce, **own}
            backward(*losses.values())
        learned = {name: loss.detach() for name, loss in losses.items()}
        return {f"discriminator_{target}": judged, **learned}

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
        initialise(projection, lambda name: streams.torch("initial-weights", f"projection_{direction}", name))
        return projection.to(self.device)

    def _parts(self) -> dict[str, Any]:
        return super()._parts() | {f"projection_{name}": each for name, each in self.projections.items()}

    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return super()._optimisers() | {"optimiser_projections": self.projection_optimiser}
