"""What generators and discriminators play for: adversarial losses as functions of a discriminator's logits.

A loss is two functions: the generator's, of the logits of translations, and the discriminator's, of those of
real images and of translations. Logits are of any shape, one an image or one a patch; losses are scalars, and
smaller is better for the network whose loss it is.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.training.discriminators import Discriminator

REAL, TRANSLATED = 1.0, 0.0
"""What least-squares discriminators are to say of either."""


class AdversarialLoss(NamedTuple):
    """Both sides of the game."""

    of_generator: Callable[[Tensor], Tensor]
    of_discriminator: Callable[[Tensor, Tensor], Tensor]


def least_squares_of_generator(translated: Tensor) -> Tensor:
    """How far the discriminator is from taking translations for real images, from 0 upward."""
    return squared_distance(translated, REAL)


def least_squares_of_discriminator(real: Tensor, translated: Tensor) -> Tensor:
    """Half the sum of the errors on real and on translated images, from 0 upward."""
    return 0.5 * (squared_distance(real, REAL) + squared_distance(translated, TRANSLATED))


def squared_distance(logits: Tensor, wanted: float) -> Tensor:
    """Mean squared distance of the logits from what was wanted."""
    return (logits - wanted).square().mean()


def wasserstein_of_generator(translated: Tensor) -> Tensor:
    """Less the critic's mean for translations, of either sign."""
    return -translated.mean()


def wasserstein_of_discriminator(real: Tensor, translated: Tensor) -> Tensor:
    """The critic's mean for translations less that for real images, of either sign."""
    return translated.mean() - real.mean()


LEAST_SQUARES = AdversarialLoss(least_squares_of_generator, least_squares_of_discriminator)
"""Mao et al. 2017, equation 9 with a = 0, b = c = 1."""
WASSERSTEIN = AdversarialLoss(wasserstein_of_generator, wasserstein_of_discriminator)
"""Arjovsky et al. 2017; the critic has to be kept Lipschitz, as by `gradient_penalty`."""


def gradient_penalty(critic: Discriminator, real: Tensor, translated: Tensor, mix: Tensor) -> Tensor:
    """Mean over images of (|gradient of the critic| - 1)^2 at (1 - mix) real + mix translated.

    Gulrajani et al. 2017, equation 3; images [b, 3, h, w], `mix` [b] in [0, 1]. Always in fp32: it is
    differentiated twice.
    """
    share = mix.to(real).view(-1, 1, 1, 1)
    between = ((1 - share) * real + share * translated).requires_grad_(True)
    logits = critic(between).sum()
    (gradient,) = torch.autograd.grad(logits, between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def relativistic(preferred: Tensor, other: Tensor) -> Tensor:
    """How far the logits are from putting `preferred` above `other`, pair by pair, from 0 upward.

    Jolicoeur-Martineau 2018 with the logistic loss: a discriminator prefers real images, a generator its
    translations.
    """
    return F.softplus(other - preferred).mean()


def steepness(logits: Tensor, images: Tensor) -> Tensor:
    """Mean over images of the squared gradient of their mean logit: the zero-centred penalty.

    Mescheder et al. 2018, equation 9; over real images and translations together it is half the sum of their
    R1 and R2. `logits` [b, ...] were computed from `images` [b, 3, h, w], which collect gradients.
    """
    (gradient,) = torch.autograd.grad(logits.flatten(1).mean(dim=1).sum(), images, create_graph=True)
    return gradient.square().flatten(1).sum(dim=1).mean()
