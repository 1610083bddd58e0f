"""Whether the device can compute in the precision that the protocol asks for."""

import os

import torch

from bench.errors import UsageError

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
        f"The protocol asks for train.precision=bf16, and {named(device)} has no bf16 arithmetic. {remedy}"
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
    return (f"Computed in {executed}, not in {wanted} as the protocol says: {named(device)} has none.",)


def named(device: torch.device) -> str:
    """The device for a reader."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "this processor"
