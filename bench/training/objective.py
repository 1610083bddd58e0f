"""What an objective is: named losses, and one training step of both generators and its discriminators.

    @objective("hinge", summary="Hinge loss, with cycle and identity losses.")
    class Hinge(LeastSquares):
        adversarial = AdversarialLoss(of_generator, of_discriminator)

A protocol names one by `train.objective`, a baseline by `objective=` where it is registered.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

import variants
from bench.cell import Cell
from bench.errors import UsageError
from bench.protocol import TrainSettings
from bench.registry import Registry
from bench.streams import Streams
from bench.training.adversarial import AdversarialLoss
from bench.training.discriminators import Discriminator, augment, initialise_discriminator
from bench.training.schedule import Rates, StepStreams
from variants.contract import Generator, Noise
from variants.parts.convolution import filters_kept

Pair = Mapping[str, Tensor]
"""Images of the domains `A` and `B`, each [b, 3, h, w] in [-1, 1]; where a generator wants them, their
foreground masks [b, 1, h, w] as `mask_A` and `mask_B`."""

RULES_TO_HONOUR = ("diffaugment", "identity_fade")
"""Rules that an objective has to carry out itself; all others are carried out for it."""
ROUND_TRIPS = (("A", "B"), ("B", "A"))
"""(source, target) of the two directions."""


class Step(NamedTuple):
    """What one training step leaves behind."""

    losses: dict[str, Tensor]
    """Every loss of the objective by name, scalars without gradients, weights included."""
    swaps: tuple[int, ...]
    """What the image pools exchanged (see ImagePool), for the trace hash."""
    augmentations: Mapping[str, NDArray[np.float64]] = {}
    """By role the draws that augmented what discriminators saw, for the trace hash; none where the rule is
    off. `Objective.step` fills them in."""


class Objective(ABC):
    """Losses, discriminators and optimisers: all that is trained beside the generators themselves.

    `generators` are those of the directions `A2B` and `B2A`, on their device. The discriminator of a domain
    tells its real images from translations, and has an optimiser of its own, which is the published optimiser
    over both: Adam treats every parameter by itself.
    """

    losses: ClassVar[tuple[str, ...]]
    """Names of the losses, in the order of the columns of losses.csv."""
    discriminator: ClassVar[type[Discriminator]]
    adversarial: ClassVar[AdversarialLoss]
    honours: ClassVar[frozenset[str]] = frozenset()
    """Those of RULES_TO_HONOUR that `learn` carries out: `diffaugment` where all that a discriminator sees
    passes through `shown`, `identity_fade` where the identity loss is that of `learn_identity`. With another
    of them on, the objective is refused."""

    @classmethod
    def refuse(cls, name: str, settings: TrainSettings) -> None:
        """Raise UsageError where a rule is on that this objective, called `name`, cannot honour."""
        for rule in RULES_TO_HONOUR:
            value = getattr(settings, rule)
            if value is not None and rule not in cls.honours:
                raise UsageError(
                    f"Objective {name} cannot honour train.{rule}, which is {value}. Leave the rule out "
                    f"(--set train.{rule}=off is another protocol), or what is trained with {name}."
                )

    def __init__(
        self, generators: Mapping[str, Generator], settings: TrainSettings, streams: Streams
    ) -> None:
        self.generators = generators
        self.settings = settings
        self.device = next(generators["A2B"].parameters()).device
        self.identity_weight = settings.identity_weight
        self._augmentations: dict[str, NDArray[np.float64]] = {}
        self.discriminators = {domain: self._new_discriminator(domain, streams) for domain in "AB"}
        parameters = [*generators["A2B"].parameters(), *generators["B2A"].parameters()]
        self.generator_optimiser = adam(parameters, settings)
        self.discriminator_optimisers = {
            domain: adam(discriminator.parameters(), settings)
            for domain, discriminator in self.discriminators.items()
        }

    def step(self, images: Pair, streams: StepStreams) -> Step:
        """Update generators and discriminators once, on one batch of either domain."""
        self._augmentations = {}
        with filters_kept(not any(generator.spares_memory for generator in self.generators.values())):
            return self.learn(images, streams)._replace(augmentations=self._augmentations)

    @abstractmethod
    def learn(self, images: Pair, streams: StepStreams) -> Step:
        """The step itself; the generators' weights are changed once, when they are used no more."""

    def set_rates(self, rates: Rates) -> None:
        """What the next step is done with."""
        for optimiser in self._optimisers().values():
            set_learning_rate(optimiser, rates.learning_rate)
        if rates.learning_rate_discriminators is not None:
            for optimiser in self.discriminator_optimisers.values():
                set_learning_rate(optimiser, rates.learning_rate_discriminators)
        if rates.identity_weight is not None:
            self.identity_weight = rates.identity_weight

    def translate(self, direction: str, image: Tensor, noise: Noise, mask: Tensor | None = None) -> Tensor:
        """The translated image [b, 3, h, w], computed as the protocol says, given as `image` is."""
        with self.autocast():
            return self.generators[direction](image, noise, mask).image.to(image.dtype)

    def translate_real(
        self, source: str, target: str, images: Pair, streams: StepStreams
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """As `translate`, of real images of `source`, with the generator's own losses by their columns."""
        direction, image = f"{source}2{target}", images[source]
        generator, noise = self.generators[direction], streams.slot_noise(f"fake_{target}")
        masks = generator.masks_taken(image, mask_of(images, source))
        with self.autocast():
            translation, losses = generator.with_losses(image, noise, *masks)
        own = {own_loss(name, direction): loss.float() for name, loss in losses.items()}
        return translation.image.to(image.dtype), own

    @property
    def loss_names(self) -> tuple[str, ...]:
        """The columns of losses.csv: the objective's losses, then those that the generators bring."""
        own = (own_loss(name, each) for each in self.generators for name in self.generators[each].own_losses)
        return (*self.losses, *own)

    def logits(self, domain: str, image: Tensor) -> Tensor:
        """What the discriminator of `domain` says of `image`, in the precision of `translate`."""
        with self.autocast():
            return self.discriminators[domain](image).to(image.dtype)

    def shown(self, image: Tensor, role: str, streams: StepStreams) -> Tensor:
        """What a discriminator is to see of images [b, 3, h, w]: they, or they augmented (`diffaugment`).

        Roles as `StepStreams.diffaugment` has them, each once a step.
        """
        kinds = self.settings.diffaugment
        if kinds is None:
            return image
        self._augmentations[role] = streams.diffaugment(role, len(image))
        return augment(image, self._augmentations[role], kinds.split("-"))

    def gan_loss(self, domain: str, real: Tensor, translated: Tensor, streams: StepStreams) -> Tensor:
        """The adversarial loss of the generator that made `translated`, images that are to be of `domain`.

        `real` are the step's images of that domain, for losses that look at both.
        """
        return self.adversarial.of_generator(
            self.logits(domain, self.shown(translated, f"fake_{domain}", streams))
        )

    def learn_discriminator(
        self, domain: str, real: Tensor, translated: Tensor, streams: StepStreams
    ) -> tuple[Tensor, ...]:
        """One update of a discriminator, on images [b, 3, h, w]: the values of `discriminator_losses`."""
        self.discriminator_optimisers[domain].zero_grad()
        real = self.shown(real, f"real_{domain}", streams)
        translated = self.shown(translated, f"judged_{domain}", streams)
        losses = self.discriminator_losses(domain, real, translated, streams)
        backward(*losses)
        self.discriminator_optimisers[domain].step()
        return tuple(loss.detach() for loss in losses)

    def discriminator_losses(
        self, domain: str, real: Tensor, translated: Tensor, streams: StepStreams
    ) -> tuple[Tensor, ...]:
        """The terms that a discriminator minimises on what it is shown; an objective with more adds to them.

        Real and translated images go in one pass: the same as in two, because the discriminator normalises
        every image by itself, and quicker.
        """
        of_real, of_translated = self.logits(domain, torch.cat([real, translated])).chunk(2)
        return (self.adversarial.of_discriminator(of_real, of_translated),)

    def autocast(self) -> AbstractContextManager[Any]:
        """bf16 for convolutions and matrix products where the protocol asks for it; losses are outside."""
        wanted = self.settings.precision == "bf16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=wanted)

    def learn_identity(
        self, domain: str, image: Tensor, streams: StepStreams, mask: Tensor | None = None
    ) -> Tensor:
        """Gradients of the weighted L1 of an image and what the generator towards its domain makes of it.

        The value of the loss is given back; with weight 0 there is nothing to compute.
        """
        if self.identity_weight == 0:
            return torch.zeros((), device=self.device)
        same = self.translate(towards(domain), image, streams.slot_noise(f"identity_{domain}"), mask)
        loss = self.identity_weight * F.l1_loss(same, image)
        backward(loss)
        return loss.detach()

    def cycle_loss(
        self, domain: str, image: Tensor, translated: Tensor, noise: Noise, mask: Tensor | None = None
    ) -> Tensor:
        """Weighted L1 between an image of `domain` and the translation of its translation.

        A mask is that of the image: what was translated there is translated back.
        """
        reconstruction = self.translate(towards(domain), translated, noise, mask)
        return self.settings.cycle_weight * F.l1_loss(reconstruction, image)

    def state_dict(self) -> dict[str, Any]:
        """Everything that training changes, as tensors and plain values, for a checkpoint."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the state of a checkpoint."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        """What has a state, by its name in the checkpoint; an objective with more adds to it."""
        networks = {
            f"discriminator_{domain}": discriminator for domain, discriminator in self.discriminators.items()
        }
        return networks | self._optimisers()

    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        of_discriminators = {
            f"optimiser_discriminator_{domain}": optimiser
            for domain, optimiser in self.discriminator_optimisers.items()
        }
        return {"optimiser_generators": self.generator_optimiser, **of_discriminators}

    def _new_discriminator(self, domain: str, streams: Streams) -> Discriminator:
        discriminator = self.discriminator(self.settings.discriminator_width)
        initialise_discriminator(
            discriminator, lambda name: streams.torch("initial-weights", f"discriminator_{domain}", name)
        )
        return discriminator.to(self.device)


def mask_of(images: Pair, domain: str) -> Tensor | None:
    """The masks of a step's images of a domain, where a generator wants them."""
    return images.get(f"mask_{domain}")


def own_loss(name: str, direction: str) -> str:
    """The column of a generator's own loss."""
    return f"{name}_{direction}"


def towards(domain: str) -> str:
    """The direction whose generator makes images of `domain`."""
    return "B2A" if domain == "A" else "A2B"


@contextmanager
def fixed(discriminator: Discriminator) -> Iterator[None]:
    """Within, `discriminator` passes gradients on to its input and collects none for its own weights."""
    discriminator.requires_grad_(False)
    try:
        yield
    finally:
        discriminator.requires_grad_(True)


def backward(*terms: Tensor) -> None:
    """Add the gradients of the sum of `terms` and free their graph."""
    torch.stack(terms).sum().backward()


def adam(parameters: Iterable[nn.Parameter], settings: TrainSettings) -> torch.optim.Adam:
    """Adam over the trainable ones of `parameters`, as one fused kernel.

    The fused kernel computes the same update 2 to 3 times faster than the loop over parameters.
    """
    trainable = [parameter for parameter in parameters if parameter.requires_grad]
    return torch.optim.Adam(trainable, lr=settings.learning_rate, betas=settings.betas, fused=True)


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of the next step."""
    for group in optimiser.param_groups:
        group["lr"] = rate


@dataclass(frozen=True)
class ObjectiveEntry:
    """What is known of an objective before it is built."""

    name: str
    summary: str
    make: type[Objective]


OBJECTIVES: Registry[ObjectiveEntry] = Registry(
    "objective",
    package="bench.training",
    group="bench.objectives",
    see="bench list objectives. One of your own comes with --plugin FILE.py",
    first=("cycle", "contrast"),
)
Made = TypeVar("Made", bound=type[Objective])


def objective(name: str, *, summary: str) -> Callable[[Made], Made]:
    """Class decorator that gives an objective the name by which protocols and baselines know it.

    `summary` is one sentence. Raises UsageError where another objective has the name.
    """

    def claim(make: Made) -> Made:
        OBJECTIVES.add(name, ObjectiveEntry(name, summary, make), make)
        return make

    return claim


def objective_name(cell: Cell) -> str:
    """What a cell is trained with: the objective that its variant brings, else the protocol's."""
    return variants.describe(cell.variant).objective or cell.protocol.train.objective


def objective_class(name: str, settings: TrainSettings) -> type[Objective]:
    """The objective `name`, which can be trained with under `settings`.

    Raises UsageError where there is none, or where it cannot honour a rule.
    """
    found = OBJECTIVES.find(name).make
    found.refuse(name, settings)
    return found


def build_objective(
    name: str, generators: Mapping[str, Generator], settings: TrainSettings, streams: Streams
) -> Objective:
    """The objective `name`, with fresh discriminators drawn from `streams`. Raises as `objective_class`."""
    return objective_class(name, settings)(generators, settings, streams)
