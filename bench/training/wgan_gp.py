"""The objective of the unofficial AttentionGAN: Wasserstein GAN, gradient penalty (Gulrajani et al. 2017).

Critics are updated first, generators then follow the new critics on the same translations; there is no image
pool. The critic of a domain needs the translations into that domain alone, so both updates and the round
trip are done for one direction before the other: at most two passes of a generator are kept in memory, and
the gradients are those of the published order.
"""

import torch
from torch import Tensor

from bench.errors import UsageError
from bench.protocol import TrainSettings
from bench.training.discriminators import LightDiscriminator
from bench.training.objective import ROUND_TRIPS, Objective, Pair, Step, backward, fixed, mask_of
from bench.training.step_streams import StepStreams

PENALTY_WEIGHT = 10.0
"""Lambda of Gulrajani et al., gamma of the published code."""


class WassersteinGradientPenalty(Objective):
    """Each critic is updated before the generator that it judges."""

    losses = (
        "gan_A2B",
        "gan_B2A",
        "cycle_A",
        "cycle_B",
        "identity_A",
        "identity_B",
        "discriminator",
        "gradient_penalty",
    )
    discriminator = LightDiscriminator
    honours = frozenset({"diffaugment", "identity_fade"})

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
        critic_losses, penalties = [], []
        self.generator_optimiser.zero_grad()
        for source, target in ROUND_TRIPS:
            noise, mask = streams.slot_noise(f"fake_{target}"), mask_of(images, source)
            translated, own = self.translate_real(f"{source}2{target}", images[source], noise, mask)
            critic, penalty = self._learn_to_judge(target, images[target], translated.detach(), streams)
            critic_losses.append(critic)
            penalties.append(penalty)
            losses |= self._learn_round_trip(source, target, images, translated, own, streams)
        for domain in "AB":
            losses[f"identity_{domain}"] = self.learn_identity(
                domain, images[domain], streams, mask_of(images, domain)
            )
        self.generator_optimiser.step()
        losses["discriminator"] = torch.stack(critic_losses).sum()
        losses["gradient_penalty"] = torch.stack(penalties).sum()
        return Step(losses, ())

    def _learn_to_judge(
        self, domain: str, real: Tensor, translated: Tensor, streams: StepStreams
    ) -> tuple[Tensor, Tensor]:
        """One update of a critic: (its loss without the penalty, the weighted penalty).

        The penalty is between what the critic is shown.
        """
        self.discriminator_optimisers[domain].zero_grad()
        real = self.shown(real, f"real_{domain}", streams)
        translated = self.shown(translated, f"judged_{domain}", streams)
        mix = streams.penalty_mix(domain, len(translated))
        of_real, of_translated = self.judge_both(domain, real, translated)
        critic = of_translated.mean() - of_real.mean()
        penalty = PENALTY_WEIGHT * self.gradient_penalty(domain, real, translated, mix)
        backward(critic, penalty)
        self.discriminator_optimisers[domain].step()
        return critic.detach(), penalty.detach()

    def gradient_penalty(self, domain: str, real: Tensor, translated: Tensor, mix: Tensor) -> Tensor:
        """Mean over images of (|gradient of the critic| - 1)^2 at (1 - mix) real + mix translated.

        Always in fp32: it is differentiated twice.
        """
        share = mix.to(real).view(-1, 1, 1, 1)
        between = ((1 - share) * real + share * translated).requires_grad_(True)
        judgement = self.discriminators[domain](between).sum()
        (gradient,) = torch.autograd.grad(judgement, between, create_graph=True)
        return (gradient.flatten(1).norm(dim=1) - 1).square().mean()

    def _learn_round_trip(
        self,
        source: str,
        target: str,
        images: Pair,
        translated: Tensor,
        own: dict[str, Tensor],
        streams: StepStreams,
    ) -> dict[str, Tensor]:
        """Gradients of one direction's gan, cycle and own losses, whose values are given back."""
        with fixed(self.discriminators[target]):
            gan = -self.judge(target, self.shown(translated, f"fake_{target}", streams)).mean()
            noise = streams.slot_noise(f"reconstruction_{source}")
            cycle = self.cycle_loss(source, images[source], translated, noise, mask_of(images, source))
            losses = {f"gan_{source}2{target}": gan, f"cycle_{source}": cycle, **own}
            backward(*losses.values())
        return {name: loss.detach() for name, loss in losses.items()}
