"""Choosing the device and the number of threads, with a clear answer where it is not there."""

from bench.errors import UsageError
from bench.runs.environment import usable_cores


def resolve_device(asked: str) -> str:
    """The device to compute on: `auto` is the first GPU if torch sees one, else the CPU.

    Raises UsageError for a device that torch does not see on this machine.
    """
    import torch

    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(asked)
    except RuntimeError:
        raise UsageError(f"{asked!r} is not a device. Give auto, cpu, cuda or cuda:<number>.") from None
    if device.type not in {"cpu", "cuda"}:
        raise UsageError(f"Device {asked!r} is not supported. Give auto, cpu, cuda or cuda:<number>.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"There is no device {asked!r} on this machine (torch sees {torch.cuda.device_count()} GPUs). "
            "Use --device cpu, or see: bench doctor"
        )
    return asked


def use_threads(threads: int | None) -> int:
    """Make torch use this many CPU threads; None: as many as the process may use. Returns the number."""
    import torch

    count = threads if threads is not None else usable_cores()
    torch.set_num_threads(count)
    return count
