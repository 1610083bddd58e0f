"""An objective in one file: CycleGAN's with the hinge loss in place of least squares.

bench check --objective hinge --plugin docs/example_objective.py
bench run --variant slot9 --set train.objective=hinge --plugin docs/example_objective.py
"""

from torch import Tensor
from torch.nn import functional

from bench.training.adversarial import AdversarialLoss
from bench.training.cycle import LeastSquares
from bench.training.objective import objective


def of_generator(translated: Tensor) -> Tensor:
    """Less the mean logit of translations."""
    return -translated.mean()


def of_discriminator(real: Tensor, translated: Tensor) -> Tensor:
    """What is missing to 1 for real images and to -1 for translations, from 0 upward."""
    return functional.relu(1 - real).mean() + functional.relu(1 + translated).mean()


@objective("hinge", summary="Hinge GAN with cycle and identity losses and image pools.")
class Hinge(LeastSquares):
    """Lim and Ye 2017, "Geometric GAN" (arXiv 1705.02894)."""

    adversarial = AdversarialLoss(of_generator, of_discriminator)
