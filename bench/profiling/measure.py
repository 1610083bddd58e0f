"""Measuring one variant in this process, which should do nothing else: its peak memory is the step's.

Operations are counted as they are done; the rate is held against the machine's fastest square matrix
product.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from bench.cell import Cell
from bench.errors import BenchError, UsageError
from bench.profiling.model import Profile, ProfileRequest
from bench.profiling.operators import time_by_operator
from bench.protocol import Protocol
from bench.setup import DEFAULT_EXECUTION, Execution, accelerator, processor
from bench.training.execution import executed_cell, executing, is_compiled, make_ready
from bench.training.logs import peak_memory
from bench.training.memory import some_masks
from bench.training.objective import objective_name
from bench.training.schedule import Schedule, StepStreams
from bench.training.session import Session, fresh_generators
from variants.parts.cost import forward_gflop, parameter_count


class OperationCount(TorchDispatchMode):
    """Adds up, while active, the FLOP of convolutions and matrix products, backward ones included.

    By the formulas of torch's FlopCounterMode; unlike that, it also counts where a gradient is itself
    differentiated, as for a gradient penalty. What is element-wise counts nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.flop = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        formula = flop_registry.get(function._overloadpacket)
        if formula is not None:
            self.flop += formula(*args, **(kwargs or {}), out_val=result)
        return result


SIZES = {"cpu": (512, 1024, 2048), "cuda": (4096, 8192)}
"""Rows of the matrices tried."""
SECONDS_OF_A_SIZE = 0.5
FEWEST_PRODUCTS = 3


def matrix_peak(device: torch.device, dtype: torch.dtype, sizes: Sequence[int] | None = None) -> float:
    """The highest rate, in FLOP a second, of square matrix products of `dtype` on `device`."""
    return max(product_rate(rows, device, dtype) for rows in sizes or SIZES[device.type])


def product_rate(rows: int, device: torch.device, dtype: torch.dtype) -> float:
    """FLOP a second of the fastest of several products of two matrices of `rows` rows and columns."""
    left = torch.randn(rows, rows, device=device).to(dtype)
    right = torch.randn(rows, rows, device=device).to(dtype)
    result = left @ right
    fastest, until, done = float("inf"), time.perf_counter() + SECONDS_OF_A_SIZE, 0
    while done < FEWEST_PRODUCTS or time.perf_counter() < until:
        wait_for(device)
        began = time.perf_counter()
        torch.matmul(left, right, out=result)
        wait_for(device)
        fastest = min(fastest, time.perf_counter() - began)
        done += 1
    return 2 * rows**3 / fastest


def wait_for(device: torch.device) -> None:
    """Until the device has done everything that was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


SEED = 0


def measure(request: ProfileRequest, tell: Callable[[str], None]) -> Profile:
    """The profile of a variant; `tell` hears of every part that is done.

    Raises UsageError where the variant trains nothing, BenchError where memory does not suffice.
    """
    device = torch.device(request.device)
    torch.set_num_threads(request.threads)
    before = peak_memory(device)
    step = TrainingStep(request.variant, request.protocol, device)
    with executing(step.objective, step.cell, request.execution):
        make_step_ready(step, request.execution)
        with OperationCount() as count:
            step()
        tell("warm-up")
        seconds = [timed(step, device, tell) for _ in range(request.steps)]
        peak = peak_memory(device)
        rate = matrix_peak(device, torch.bfloat16 if step.precision == "bf16" else torch.float32)
        tell("matrix peak")
        operators = time_by_operator(step, device)
        tell("operators")
    median = statistics.median(seconds)
    generator = step.objective.generators["A2B"]
    return Profile(
        variant=request.variant,
        protocol=request.protocol.name,
        objective=objective_name(step.cell),
        size=request.protocol.images.size,
        batch=request.protocol.train.batch,
        precision=step.precision,
        device=request.device,
        device_name=accelerator(request.device)[0] or processor(),
        threads=request.threads,
        compiled=is_compiled(step.objective),
        deterministic=request.execution.deterministic,
        parameters=parameter_count(generator),
        forward_gflop=forward_gflop(generator, request.protocol.images.size),
        step_gflop=count.flop / 1e9,
        seconds=tuple(seconds),
        seconds_per_step=median,
        images_per_second=request.protocol.train.batch / median,
        peak_memory_bytes=peak,
        memory_before_bytes=before,
        matrix_peak_gflops=rate / 1e9,
        share_of_peak=count.flop / median / rate,
        operators=operators,
    )


def make_step_ready(step: "TrainingStep", execution: Execution) -> None:
    """Check memory, and compile if asked to. Raises BenchError where either fails."""
    remarks = make_ready(step.objective, step.cell, step.cell, execution)
    if execution.compile and not is_compiled(step.objective):
        raise BenchError(" ".join(remarks))


class TrainingStep:
    """The training step of a variant on random images; every call is the next one.

    Raises UsageError where the variant trains nothing or the device lacks the protocol's precision.
    """

    def __init__(self, variant: str, protocol: Protocol, device: torch.device) -> None:
        self.cell = cell = executed_cell(
            Cell(protocol, "random images", variant, SEED), device, DEFAULT_EXECUTION
        )
        generators = fresh_generators(cell, device)
        if not generators["A2B"].trainable:
            raise UsageError(
                f"{variant} trains nothing: there is no step to profile. See: bench list variants"
            )
        self._session = Session(cell, generators, Schedule(1, protocol.train))
        self.objective = self._session.objective
        self.precision = protocol.train.precision
        self._streams = cell.streams()
        images = random_images(protocol, device)
        self.images = images | some_masks(self.objective, images)
        self._done = 0

    def __call__(self) -> None:
        self._done += 1
        streams = StepStreams(self._streams, self._done)
        self._session.learn(self.images, streams, self._done * self.cell.protocol.train.batch)


def random_images(protocol: Protocol, device: torch.device) -> dict[str, Tensor]:
    """A batch of either domain, uniform in [-1, 1]."""
    rng = torch.Generator().manual_seed(SEED)
    shape = (protocol.train.batch, 3, protocol.images.size, protocol.images.size)
    return {domain: (torch.rand(shape, generator=rng) * 2 - 1).to(device) for domain in "AB"}


def timed(step: Callable[[], None], device: torch.device, tell: Callable[[str], None]) -> float:
    """Seconds of one call, its work on the device included."""
    wait_for(device)
    began = time.perf_counter()
    step()
    wait_for(device)
    seconds = time.perf_counter() - began
    tell("step")
    return seconds
