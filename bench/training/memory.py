"""Whether a training step fits in memory: what it needs, what there is, what to change where it does not."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from bench.errors import BenchError
from bench.protocol import Protocol
from bench.training.available_memory import Available, available_on
from bench.training.objective import Objective
from bench.training.simulation import bytes_of_a_pass, bytes_of_a_step

GIB = 2**30
PASSES = 16
"""Where there is room for so many passes of a generator, a step fits: objectives hold two to seven."""
ADAM = 4
"""Copies of the weights: themselves, their gradients and two moments."""
MEASURED = 1.5
"""Measured steps take up to this many times the simulated bytes (tests/bench/training/test_memory.py)."""


def refuse_what_does_not_fit(objective: Objective, variant: str, protocol: Protocol) -> tuple[str, ...]:
    """Remarks for the record on the memory that a step needs, none where there is plenty.

    Raises BenchError, before anything is computed, where the tensors of a step alone take more than there is.
    """
    available = available_on(objective.device)
    batch, size = protocol.train.batch, protocol.images.size
    try:
        if roomy(objective, batch, size, available.bytes):
            return ()
        needed = bytes_of_a_step(objective, batch, size)
    except Exception as error:  # anybody's generator: what runs on data need not run without
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return (f"The memory of a step could not be estimated ({reason}).",)
    if needed > available.bytes:
        raise BenchError(does_not_fit(variant, needed, available, remedies(objective, protocol)))
    if MEASURED * needed > available.bytes:
        return (
            f"A step needs {spelled(needed)} or more of memory; {spelled(available.bytes)} were available.",
        )
    return ()


def roomy(objective: Objective, batch: int, size: int, available: int) -> bool:
    """Whether a step fits without a closer look."""
    networks = [*objective.generators.values(), *objective.discriminators.values()]
    weights = sum(each.nbytes for network in networks for each in network.parameters())
    copies = ADAM if objective.settings.ema_half_life is None else ADAM + 1
    return copies * weights + PASSES * bytes_of_a_pass(objective, batch, size) < available


@contextmanager
def running_out_explained(objective: Objective, variant: str, protocol: Protocol) -> Iterator[None]:
    """Within, an allocation that fails becomes a BenchError that says what needs less memory."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        said = str(error).strip().splitlines()
        advice = "; ".join(remedies(objective, protocol))
        raise BenchError(
            f"Out of memory in a training step of {variant}: {said[0] if said else type(error).__name__} "
            f"Less is needed with {advice}."
        ) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory could not be had; on a CPU torch raises a plain RuntimeError."""
    texts = ("DefaultCPUAllocator", "not enough memory", "Cannot allocate memory", "std::bad_alloc")
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return known or any(text in str(error) for text in texts)


def does_not_fit(variant: str, needed: int, available: Available, ways: list[str]) -> str:
    """The refusal."""
    return (
        f"A training step of {variant} needs {spelled(needed)} or more of memory; "
        f"{spelled(available.bytes)} are available ({available.where}). "
        f"Less is needed with {'; '.join(ways)}."
    )


def remedies(objective: Objective, protocol: Protocol) -> list[str]:
    """The options that reduce what a step needs, those that can still be taken, the mildest first."""
    settings, size = protocol.train, protocol.images.size
    own = objective.generators["A2B"].parameter_values
    ways = []
    if settings.batch > 1:
        ways.append(f"--set train.batch={settings.batch // 2}")
    if settings.precision == "fp32":
        ways.append("--set train.precision=bf16")
    if own.get("decoder") == "published":
        ways.append("--set model.decoder=narrow")
    if size > 16:
        half = max(16, size // 2 // 16 * 16)
        ways.append(
            f"--set images.size={half} --set images.load_size={protocol.images.load_size * half // size}"
        )
    width = own.get("width")
    if isinstance(width, int) and width > 1:
        ways.append(f"--set model.width={width // 2}")
    return ways or ["a narrower variant"]


def spelled(count: float) -> str:
    """Bytes as `1.2 GiB`, or as `12 MiB` where they are few."""
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / 2**20:.0f} MiB"
