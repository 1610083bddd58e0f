"""What is asked of a measurement, and what it answers."""

from pathlib import Path
from typing import Literal

from bench.protocol import Positive, Protocol, Settings
from bench.setup import DEFAULT_EXECUTION, Execution


class ProfileRequest(Settings):
    """One variant, the rules of its step, and where to measure it."""

    variant: str
    """In canonical spelling."""
    protocol: Protocol
    device: str = "cpu"
    """As torch names it."""
    threads: Positive = 1
    steps: Positive = 5
    """Timed steps, after the warm-up."""
    plugins: tuple[Path, ...] = ()
    execution: Execution = DEFAULT_EXECUTION


class Operator(Settings):
    """One kind of work within a step."""

    name: str
    seconds: float
    """Of one step: the kind's own time, what it calls left out."""
    share: float
    """Of the own time of all operators, 0 to 1."""
    calls: int


class Profile(Settings):
    """A step as it was counted and measured. FLOP: multiplications and additions, each counted."""

    event: Literal["profile"] = "profile"
    variant: str
    protocol: str
    objective: str
    size: int
    batch: int
    precision: str
    device: str
    device_name: str
    """Of the GPU, or of the processor."""
    threads: int
    compiled: bool
    deterministic: bool
    parameters: int
    """Trainable, of one generator."""
    forward_gflop: float
    """Of one generator pass over one image, in the direct algorithms."""
    step_gflop: float
    """Of a whole step, generators and discriminators, forwards and back, in the algorithms it was done by."""
    seconds: tuple[float, ...]
    """Of every timed step."""
    seconds_per_step: float
    """Their median."""
    images_per_second: float
    """Images of each domain."""
    peak_memory_bytes: int
    """CPU: most memory resident in a process that does nothing else. GPU: most bytes that torch allocated."""
    memory_before_bytes: int
    """The same before there were any networks: torch itself."""
    matrix_peak_gflops: float
    """Fastest square matrix product of the same precision, device and threads, in 10^9 FLOP a second."""
    share_of_peak: float
    """What the step reaches of the matrix peak, 0 to 1."""
    operators: tuple[Operator, ...]
    """Longest first."""

    @property
    def own_memory_bytes(self) -> int:
        """Most memory taken by networks, optimisers and the step: the peak without torch itself."""
        return self.peak_memory_bytes - self.memory_before_bytes
