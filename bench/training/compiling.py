"""Networks through torch.compile, and back to plain ones where that fails."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from bench.training.discriminators import Discriminator
from bench.training.objective import Objective, fixed
from variants.contract import Generator, Noise, Translation, some_mask


class CompiledPass:
    """A generator's forward, compiled for training steps alone: validation has other shapes.

    Noise is drawn outside of what is compiled, exactly as without compiling.
    """

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._plain = generator.forward
        self._compiled = torch.compile(generator.forward, dynamic=False)

    def __call__(self, image: Tensor, noise: Noise = None, *masks: Tensor) -> Translation:
        generator = self._generator
        if not (generator.training and torch.is_grad_enabled()):
            plain: Translation = self._plain(image, noise, *masks)
            return plain
        if generator.noise_shape is not None:
            noise = generator.draw_noise(len(image), noise)
        compiled: Translation = self._compiled(image, noise, *masks)
        return compiled


class CompiledJudgement:
    """A discriminator's forward, compiled except where it is differentiated twice, which fails compiled.

    That is where the image is itself the variable: for a gradient penalty.
    """

    def __init__(self, judge: Discriminator) -> None:
        self._plain = judge.forward
        self._compiled = torch.compile(judge.forward, dynamic=False)

    def __call__(self, image: Tensor) -> Tensor:
        twice = image.is_leaf and image.requires_grad
        judgement: Tensor = self._plain(image) if twice else self._compiled(image)
        return judgement


def compile_networks(objective: Objective, batch: int, size: int) -> tuple[str, ...]:
    """Compile generators and discriminators and try them; where that fails all stay plain, with a warning.

    The trial goes forwards and back on grey images as training does, so that what cannot be compiled fails
    before the first step. Weights, gradients and running statistics are left as they were.
    """
    plain = [(network, network.forward) for network in networks(objective)]
    for generator in objective.generators.values():
        generator.forward = CompiledPass(generator)
    for judge in objective.discriminators.values():
        judge.forward = CompiledJudgement(judge)  # type: ignore[method-assign]
    try:
        with left_unchanged(objective):
            trial(objective, batch, size)
    except Exception as error:  # a compiler fails in as many ways as there are compilers
        for network, forward in plain:
            network.forward = forward  # type: ignore[method-assign]
        return (f"Computed without torch.compile, which failed: {first_line(error)}",)
    return ()


def is_compiled(objective: Objective) -> bool:
    """Whether the networks go through torch.compile."""
    return isinstance(objective.generators["A2B"].forward, CompiledPass)


def networks(objective: Objective) -> list[Generator | Discriminator]:
    """Everything with a forward."""
    return [*objective.generators.values(), *objective.discriminators.values()]


@contextmanager
def left_unchanged(objective: Objective) -> Iterator[None]:
    """Afterwards there are no gradients, and buffers, such as running statistics, are as before."""
    buffers = [each for network in networks(objective) for each in network.buffers()]
    before = [each.clone() for each in buffers]
    try:
        yield
    finally:
        with torch.no_grad():
            for each, value in zip(buffers, before, strict=True):
                each.copy_(value)
        for network in networks(objective):
            network.zero_grad(set_to_none=True)


def trial(objective: Objective, batch: int, size: int) -> None:
    """Each network forwards and back, on images that need a gradient and on such that do not."""
    image = torch.zeros(batch, 3, size, size, device=objective.device)
    for needs_gradient in (False, True):
        shown = image + 0 if not needs_gradient else image.clone().requires_grad_(True) + 0
        for direction in objective.generators:
            chance = torch.Generator().manual_seed(0)
            mask = some_mask(objective.generators[direction], shown)
            objective.translate(direction, shown, chance, mask).sum().backward(retain_graph=True)
        for domain, judge in objective.discriminators.items():
            if needs_gradient:
                with fixed(judge):
                    objective.judge(domain, shown).sum().backward(retain_graph=True)
            else:
                objective.judge(domain, shown).sum().backward()


def first_line(error: Exception) -> str:
    """Kind and first line of an error."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
