"""Objectives with cycles: an image translated and translated back is to be itself again.

Zhu et al. 2017 (equations 2 and 3, section 4 on the pool, section 5.2 on the identity loss). Each term is
differentiated by itself as soon as it is known, so that at most two passes of a generator are kept in memory;
the gradients add up to those of the summed loss.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from bench.errors import UsageError
from bench.protocol import TrainSettings
from bench.streams import Streams
from bench.training.adversarial import (
    LEAST_SQUARES,
    WASSERSTEIN,
    gradient_penalty,
    relativistic,
    steepness,
)
from bench.training.discriminators import ImagePool, LightDiscriminator, PatchGAN
from bench.training.objective import ROUND_TRIPS, Objective, Pair, Step, backward, fixed, mask_of, objective
from bench.training.schedule import StepStreams
from variants.contract import Generator

PENALTY_WEIGHT = 10.0
"""Lambda of Gulrajani et al., gamma of the published code."""
SMOOTHNESS = 1.0
"""Gamma of Huang et al. 2024, who choose it by data set; here it was not searched for."""
OF_GENERATORS = ("gan_A2B", "gan_B2A", "cycle_A", "cycle_B", "identity_A", "identity_B")


class CycleObjective(Objective):
    """What objectives with cycles share: the way there and back of one direction, and the identities."""

    honours = frozenset({"diffaugment", "identity_fade"})

    def learn_round_trip(
        self,
        source: str,
        target: str,
        images: Pair,
        translated: Tensor,
        own: dict[str, Tensor],
        streams: StepStreams,
    ) -> dict[str, Tensor]:
        """Gradients of one direction's adversarial, cycle and own losses, whose values are given back.

        `translated` are the images of `source` in `target`, with their graph, which is freed.
        """
        with fixed(self.discriminators[target]):
            gan = self.gan_loss(target, images[target], translated, streams)
            noise = streams.slot_noise(f"reconstruction_{source}")
            cycle = self.cycle_loss(source, images[source], translated, noise, mask_of(images, source))
            losses = {f"gan_{source}2{target}": gan, f"cycle_{source}": cycle, **own}
            backward(*losses.values())
        return {name: loss.detach() for name, loss in losses.items()}

    def learn_identities(self, images: Pair, streams: StepStreams) -> dict[str, Tensor]:
        """Gradients of both identity losses, whose values are given back."""
        return {
            f"identity_{domain}": self.learn_identity(
                domain, images[domain], streams, mask_of(images, domain)
            )
            for domain in "AB"
        }


class Pooled(CycleObjective):
    """The step of CycleGAN: generators first; then each discriminator, on what they made before their update
    or, in its stead, earlier translations from a pool."""

    losses = (*OF_GENERATORS, "discriminator_A", "discriminator_B")
    discriminator = PatchGAN

    def __init__(
        self, generators: Mapping[str, Generator], settings: TrainSettings, streams: Streams
    ) -> None:
        super().__init__(generators, settings, streams)
        self.pools = {domain: ImagePool(settings.pool) for domain in "AB"}

    def learn(self, images: Pair, streams: StepStreams) -> Step:
        self.generator_optimiser.zero_grad()
        losses = self.learn_identities(images, streams)
        made: dict[str, Tensor] = {}
        for source, target in ROUND_TRIPS:
            translated, own = self.translate_real(source, target, images, streams)
            losses |= self.learn_round_trip(source, target, images, translated, own, streams)
            made[target] = translated.detach()
        self.generator_optimiser.step()

        swaps: list[int] = []
        for domain in "AB":
            shown = self.pools[domain].exchange(made[domain], streams.pool(domain))
            (losses[f"discriminator_{domain}"],) = self.learn_discriminator(
                domain, images[domain], shown.images, streams
            )
            swaps.extend(shown.swaps)
        return Step(losses, tuple(swaps))

    def _parts(self) -> dict[str, Any]:
        return super()._parts() | {f"pool_{domain}": pool for domain, pool in self.pools.items()}


@objective("lsgan", summary="Least-squares GAN with cycle and identity losses and image pools (CycleGAN).")
class LeastSquares(Pooled):
    """The objective of CycleGAN and AttentionGAN v2: least-squares GAN, cycle and identity losses, pools."""

    adversarial = LEAST_SQUARES


@objective(
    "relativistic",
    summary="Relativistic GAN with gradient penalties, cycle and identity losses and image pools.",
)
class Relativistic(Pooled):
    """Each discriminator judges a translation beside a real image, and is kept smooth at both.

    Jolicoeur-Martineau 2018; with both penalties Huang et al. 2024 ("The GAN is dead; long live the GAN!",
    equations 2, 5 and 6), whose networks these are not.
    """

    honours = frozenset({"identity_fade"})
    """A generator's loss shows the discriminator real images too, for which no augmentation is drawn."""

    def gan_loss(self, domain: str, real: Tensor, translated: Tensor, streams: StepStreams) -> Tensor:
        with torch.no_grad():
            of_real = self.logits(domain, real)
        return relativistic(self.logits(domain, translated), of_real)

    def discriminator_losses(
        self, domain: str, real: Tensor, translated: Tensor, streams: StepStreams
    ) -> tuple[Tensor, ...]:
        """The loss with its penalties, from one pass in fp32: it is differentiated twice."""
        both = torch.cat([real, translated]).requires_grad_(True)
        logits = self.discriminators[domain](both)
        of_real, of_translated = logits.chunk(2)
        return (relativistic(of_real, of_translated) + SMOOTHNESS * steepness(logits, both),)


@objective("wgan-gp", summary="Wasserstein GAN with gradient penalty, cycle and identity losses; no pools.")
class WassersteinGradientPenalty(CycleObjective):
    """The objective of the unofficial AttentionGAN: Wasserstein GAN with gradient penalty, without pools.

    Each critic is updated before the generator that it faces, which then follows the new critic on the same
    translations. The critic of a domain needs the translations into that domain alone, so both updates and
    the round trip are done for one direction before the other: gradients are those of the published order.
    """

    losses = (*OF_GENERATORS, "discriminator", "gradient_penalty")
    discriminator = LightDiscriminator
    adversarial = WASSERSTEIN

    @classmethod
    def refuse(cls, name: str, settings: TrainSettings) -> None:
        super().refuse(name, settings)
        if settings.pool:
            raise UsageError(
                f"Objective {name} has no image pool, but train.pool is {settings.pool}. "
                "Set it to 0: --set train.pool=0"
            )

    def learn(self, images: Pair, streams: StepStreams) -> Step:
        losses: dict[str, Tensor] = {}
        of_critics, penalties = [], []
        self.generator_optimiser.zero_grad()
        for source, target in ROUND_TRIPS:
            translated, own = self.translate_real(source, target, images, streams)
            critic, penalty = self.learn_discriminator(target, images[target], translated.detach(), streams)
            of_critics.append(critic)
            penalties.append(penalty)
            losses |= self.learn_round_trip(source, target, images, translated, own, streams)
        losses |= self.learn_identities(images, streams)
        self.generator_optimiser.step()
        losses["discriminator"] = torch.stack(of_critics).sum()
        losses["gradient_penalty"] = torch.stack(penalties).sum()
        return Step(losses, ())

    def discriminator_losses(
        self, domain: str, real: Tensor, translated: Tensor, streams: StepStreams
    ) -> tuple[Tensor, ...]:
        """The critic's loss, and the weighted penalty between what the critic is shown."""
        losses = super().discriminator_losses(domain, real, translated, streams)
        mix = streams.penalty_mix(domain, len(translated))
        penalty = gradient_penalty(self.discriminators[domain], real, translated, mix)
        return (*losses, PENALTY_WEIGHT * penalty)
