"""How a training is carried out, beyond what the protocol says: recorded, no part of the schedule hash."""

from bench.protocol import Settings


class Execution(Settings):
    """Choices of whoever starts a run. The defaults give the same result for the same seed on a CPU."""

    compile: bool = False
    """Networks pass through torch.compile: other rounding, and a minute or more before the first step."""
    deterministic: bool = False
    """Only algorithms that give the same result every time, also on a GPU, where they are slower."""
    precision_fallback: bool = False
    """Compute in fp32 where the protocol asks for bf16 and the device has none, in place of an error."""
    unchecked: bool = False
    """Train a generator that is not ours although it fails the conformance suite."""


AS_USUAL = Execution()
