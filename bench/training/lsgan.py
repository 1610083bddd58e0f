"""The objective of CycleGAN and AttentionGAN v2: least-squares GAN, cycle and identity losses, image pools.

Mao et al. 2017 (equation 9 with a = 0, b = c = 1), Zhu et al. 2017 (equations 2 and 3, section 4 on the
pool; section 5.2 on the identity loss). Each term is differentiated by itself as soon as it is known, so
that at most two passes of a generator are kept in memory; the gradients add up to those of the summed loss.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from bench.protocol import TrainSettings
from bench.streams import Streams
from bench.training.discriminators import PatchGAN
from bench.training.objective import ROUND_TRIPS, Objective, Pair, Step, backward, fixed, mask_of
from bench.training.pool import ImagePool
from bench.training.step_streams import StepStreams
from variants.contract import Generator

REAL, TRANSLATED = 1.0, 0.0
"""What the discriminators are to say of either."""


class LeastSquaresJudges(Objective):
    """How discriminators learn in every objective with a least-squares GAN."""

    discriminator = PatchGAN

    def learn_to_judge(self, domain: str, real: Tensor, translated: Tensor, streams: StepStreams) -> Tensor:
        """One update of a discriminator: half the sum of its errors on real and on translated images."""
        self.discriminator_optimisers[domain].zero_grad()
        real = self.shown(real, f"real_{domain}", streams)
        translated = self.shown(translated, f"judged_{domain}", streams)
        of_real, of_translated = self.judge_both(domain, real, translated)
        loss = 0.5 * (least_squares(of_real, REAL) + least_squares(of_translated, TRANSLATED))
        loss.backward()
        self.discriminator_optimisers[domain].step()
        return loss.detach()

    def gan_loss(self, domain: str, translated: Tensor, streams: StepStreams) -> Tensor:
        """How far the discriminator is from taking translations for real images of `domain`."""
        return least_squares(self.judge(domain, self.shown(translated, f"fake_{domain}", streams)), REAL)


class LeastSquares(LeastSquaresJudges):
    """Generators first; then each discriminator, on what they made before their update."""

    losses = (
        "gan_A2B",
        "gan_B2A",
        "cycle_A",
        "cycle_B",
        "identity_A",
        "identity_B",
        "discriminator_A",
        "discriminator_B",
    )
    honours = frozenset({"diffaugment", "identity_fade"})

    def __init__(
        self, generators: Mapping[str, Generator], settings: TrainSettings, streams: Streams
    ) -> None:
        super().__init__(generators, settings, streams)
        self.pools = {domain: ImagePool(settings.pool) for domain in "AB"}

    def learn(self, images: Pair, streams: StepStreams) -> Step:
        losses: dict[str, Tensor] = {}
        translated: dict[str, Tensor] = {}
        self.generator_optimiser.zero_grad()
        for domain in "AB":
            losses[f"identity_{domain}"] = self.learn_identity(
                domain, images[domain], streams, mask_of(images, domain)
            )
        for source, target in ROUND_TRIPS:
            translated[target], learned = self._learn_round_trip(source, target, images, streams)
            losses |= learned
        self.generator_optimiser.step()

        swaps: list[int] = []
        for domain in "AB":
            shown = self.pools[domain].exchange(translated[domain], streams.pool(domain))
            losses[f"discriminator_{domain}"] = self.learn_to_judge(
                domain, images[domain], shown.images, streams
            )
            swaps.extend(shown.swaps)
        return Step(losses, tuple(swaps))

    def _learn_round_trip(
        self, source: str, target: str, images: Pair, streams: StepStreams
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """From `source` to `target` and back: the translation and the losses, without gradients."""
        direction, image, mask = f"{source}2{target}", images[source], mask_of(images, source)
        translated, own = self.translate_real(direction, image, streams.slot_noise(f"fake_{target}"), mask)
        with fixed(self.discriminators[target]):
            gan = self.gan_loss(target, translated, streams)
            noise = streams.slot_noise(f"reconstruction_{source}")
            cycle = self.cycle_loss(source, image, translated, noise, mask)
            losses = {f"gan_{direction}": gan, f"cycle_{source}": cycle, **own}
            backward(*losses.values())
        return translated.detach(), {name: loss.detach() for name, loss in losses.items()}

    def _parts(self) -> dict[str, Any]:
        return super()._parts() | {f"pool_{domain}": pool for domain, pool in self.pools.items()}


def least_squares(judgement: Tensor, wanted: float) -> Tensor:
    """Mean squared distance of the judgements from what was wanted."""
    return (judgement - wanted).square().mean()
