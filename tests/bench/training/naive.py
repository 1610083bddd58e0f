"""The LSGAN step done naively: every generator pass alive at once, one joint backward, one Adam over both
discriminators. Kept as the reference for the step of `bench.training.lsgan`, to which it must be equal.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.training.lsgan import LeastSquares
from bench.training.step_streams import StepStreams


def joint_losses(objective: LeastSquares, images: dict[str, Tensor], streams: StepStreams) -> Tensor:
    """The sum of all generator losses, its graph holding six passes of a generator."""
    A, B = images["A"], images["B"]
    settings = objective.settings

    def translate(direction: str, image: Tensor, role: str) -> Tensor:
        return objective.generators[direction](image, streams.slot_noise(role)).image

    fake_B, fake_A = translate("A2B", A, "fake_B"), translate("B2A", B, "fake_A")
    cycle = F.l1_loss(translate("B2A", fake_B, "reconstruction_A"), A)
    cycle = cycle + F.l1_loss(translate("A2B", fake_A, "reconstruction_B"), B)
    identity = F.l1_loss(translate("B2A", A, "identity_A"), A)
    identity = identity + F.l1_loss(translate("A2B", B, "identity_B"), B)
    judged_B, judged_A = objective.discriminators["B"](fake_B), objective.discriminators["A"](fake_A)
    gan = F.mse_loss(judged_B, torch.ones_like(judged_B)) + F.mse_loss(judged_A, torch.ones_like(judged_A))
    images["fake_A"], images["fake_B"] = fake_A.detach(), fake_B.detach()
    return gan + settings.cycle_weight * cycle + settings.identity_weight * identity


def joint_step(objective: LeastSquares, images: dict[str, Tensor], streams: StepStreams) -> None:
    """One naive step; the translations are left in `images` as `fake_A` and `fake_B`."""
    objective.generator_optimiser.zero_grad()
    joint_losses(objective, images, streams).backward()
    objective.generator_optimiser.step()
    for domain in "AB":
        judge, optimiser = objective.discriminators[domain], objective.discriminator_optimisers[domain]
        optimiser.zero_grad()
        shown = objective.pools[domain].exchange(images[f"fake_{domain}"], streams.pool(domain)).images
        real, translated = judge(images[domain]), judge(shown)
        loss = F.mse_loss(real, torch.ones_like(real)) + F.mse_loss(translated, torch.zeros_like(translated))
        (0.5 * loss).backward()
        optimiser.step()
