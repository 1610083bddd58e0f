"""How steps are computed: precision, determinism, compiling, and what is refused before the first of them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from bench.cell import Cell
from bench.errors import BenchError, UsageError
from bench.setup import Execution
from bench.training.discriminators import Discriminator
from bench.training.memory import refuse_steps_beyond_memory, running_out_explained
from bench.training.objective import Objective, fixed
from variants.contract import Generator, Noise, Translation, some_mask

TOLD_TO_DO_WITHOUT = {"default", "avx2"}
"""Values of ATEN_CPU_CAPABILITY that keep torch from the instructions for bf16."""


IN_ANOTHER_PRECISION = (
    "Give --set train.precision=fp32 for another protocol, or --precision-fallback to compute in fp32 under "
    "this one, which the run records."
)
"""What `bench run`, and a study without a file, can be told instead."""


def executed_precision(
    wanted: str, device: torch.device, fallback: bool, remedy: str = IN_ANOTHER_PRECISION
) -> str:
    """The precision to compute in: the wanted one, or with `fallback` fp32 where the device has no bf16.

    Raises UsageError, which ends with `remedy`, where the device has none and `fallback` was not asked for.
    """
    if wanted != "bf16" or has_bf16(device):
        return wanted
    if fallback:
        return "fp32"
    raise UsageError(
        f"The protocol asks for train.precision=bf16, and {device_name(device)} has no bf16 arithmetic. "
        f"{remedy}"
    )


def has_bf16(device: torch.device) -> bool:
    """Whether the device has instructions for bf16, emulation aside."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if (
        os.environ.get("ATEN_CPU_CAPABILITY") in TOLD_TO_DO_WITHOUT
        or not torch.backends.mkldnn.is_available()
    ):
        return False
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def deviation(wanted: str, executed: str, device: torch.device) -> tuple[str, ...]:
    """What the run records where it computes in another precision than wanted."""
    if wanted == executed:
        return ()
    return (f"Computed in {executed}, not in {wanted} as the protocol says: {device_name(device)} has none.",)


def device_name(device: torch.device) -> str:
    """The device for a reader."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "this processor"


WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
DETERMINISTIC_WORKSPACE = ":4096:8"
NO_ALGORITHM = "does not have a deterministic implementation"


@contextmanager
def determinism(wanted: bool) -> Iterator[None]:
    """Within, and if `wanted`, nothing depends on the order in which threads come to add.

    The same result every time, also on a GPU, at the price of slower algorithms. On a CPU training gives the
    same result for the same seed without this; a GPU's quickest algorithms add up in another order from run
    to run. torch raises an error where it has no deterministic algorithm for an operator.

    Raises BenchError where an operator has no such algorithm. To be entered before the first matrix product.
    """
    if not wanted:
        yield
        return
    before = torch.are_deterministic_algorithms_enabled()
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    os.environ.setdefault(WORKSPACE, DETERMINISTIC_WORKSPACE)
    with ExitStack() as stack:
        stack.enter_context(torch.backends.cudnn.flags(benchmark=False, deterministic=True))
        stack.enter_context(ReflectionBySlices())
        torch.use_deterministic_algorithms(True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        try:
            yield
        except RuntimeError as error:
            if NO_ALGORITHM not in str(error):
                raise
            operator = str(error).split(NO_ALGORITHM)[0].strip()
            raise BenchError(
                f"{operator} has no deterministic algorithm on this device. Run without --deterministic, or "
                "on --device cpu."
            ) from error
        finally:
            torch.use_deterministic_algorithms(before)
            torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]


class ReflectionBySlices(TorchFunctionMode):
    """While active, reflection padding of images is put together from slices, whose way back is ordered.

    torch's own way back of reflection padding adds in any order on a GPU, and refuses deterministic mode.
    """

    def __torch_function__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if function is F.pad and len(args) == 2 and given.get("mode") == "reflect" and len(args[1]) == 4:
            return reflected(args[0], *args[1])
        return function(*args, **given)


def reflected(features: Tensor, left: int, right: int, top: int, bottom: int) -> Tensor:
    """Features [..., h, w] with so many columns and rows mirrored around, the edge itself not repeated."""
    return mirrored(mirrored(features, -1, left, right), -2, top, bottom)


def mirrored(features: Tensor, axis: int, before: int, after: int) -> Tensor:
    """Features with `before` and `after` places mirrored at either end of an axis."""
    size = features.shape[axis]
    first = features.narrow(axis, 1, before).flip(axis)
    last = features.narrow(axis, size - 1 - after, after).flip(axis)
    return torch.cat([first, features, last], dim=axis)


class CompiledGenerator:
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


class CompiledDiscriminator:
    """A discriminator's forward, compiled except where it is differentiated twice, which fails compiled.

    That is where the image is itself the variable: for a gradient penalty.
    """

    def __init__(self, discriminator: Discriminator) -> None:
        self._plain = discriminator.forward
        self._compiled = torch.compile(discriminator.forward, dynamic=False)

    def __call__(self, image: Tensor) -> Tensor:
        twice = image.is_leaf and image.requires_grad
        logits: Tensor = self._plain(image) if twice else self._compiled(image)
        return logits


def compile_networks(objective: Objective, batch: int, size: int) -> tuple[str, ...]:
    """Compile generators and discriminators and try them; where that fails all stay plain, with a warning.

    The trial goes forwards and back on grey images as training does, so that what cannot be compiled fails
    before the first step. Weights, gradients and running statistics are left as they were.
    """
    plain = [(network, network.forward) for network in networks(objective)]
    for generator in objective.generators.values():
        generator.forward = CompiledGenerator(generator)
    for discriminator in objective.discriminators.values():
        discriminator.forward = CompiledDiscriminator(discriminator)  # type: ignore[method-assign]
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
    return isinstance(objective.generators["A2B"].forward, CompiledGenerator)


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
            noise = torch.Generator().manual_seed(0)
            mask = some_mask(objective.generators[direction], shown)
            objective.translate(direction, shown, noise, mask).sum().backward(retain_graph=True)
        for domain, discriminator in objective.discriminators.items():
            if needs_gradient:
                with fixed(discriminator):
                    objective.logits(domain, shown).sum().backward(retain_graph=True)
            else:
                objective.logits(domain, shown).sum().backward()


def first_line(error: Exception) -> str:
    """Kind and first line of an error."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def executed_cell(cell: Cell, device: torch.device, execution: Execution) -> Cell:
    """The cell as it is computed: in fp32 where bf16 is wanted, is not there, and need not be.

    Raises UsageError where the device lacks the precision and no other was asked for.
    """
    settings = cell.protocol.train
    precision = executed_precision(settings.precision, device, execution.precision_fallback)
    train = settings.model_copy(update={"precision": precision})
    return replace(cell, protocol=cell.protocol.model_copy(update={"train": train}))


def make_ready(objective: Objective, cell: Cell, executed: Cell, execution: Execution) -> tuple[str, ...]:
    """Check the memory and compile if asked to; remarks for the record on what is not as it was wanted.

    Raises BenchError where a step does not fit in memory.
    """
    wanted, precision = cell.protocol.train.precision, executed.protocol.train.precision
    remarks = deviation(wanted, precision, objective.device)
    remarks += refuse_steps_beyond_memory(objective, executed.variant, executed.protocol)
    if execution.compile:
        remarks += compile_networks(objective, executed.protocol.train.batch, executed.protocol.images.size)
    return remarks


@contextmanager
def executing(objective: Objective, cell: Cell, execution: Execution) -> Iterator[None]:
    """Within, steps are deterministic if asked for, and memory that runs out is explained."""
    running_out = running_out_explained(objective, cell.variant, cell.protocol)
    with running_out, determinism(execution.deterministic):
        yield
