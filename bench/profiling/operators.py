"""Where the time of a step goes, by kinds of work in plain words."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch.autograd import DeviceType

from bench.profiling.model import Operator

NAMES = {
    "mkldnn_convolution": "convolution",
    "cudnn_convolution": "convolution",
    "cudnn_convolution_transpose": "transposed convolution",
    "_slow_conv2d_forward": "convolution",
    "slow_conv2d_forward": "convolution",
    "slow_conv_transpose2d": "transposed convolution",
    "convolution_backward": "convolution, backward",
    "mm": "matrix product",
    "bmm": "matrix product",
    "addmm": "matrix product",
    "addmv": "matrix product",
    "baddbmm": "matrix product",
    "native_group_norm": "instance normalisation",
    "native_group_norm_backward": "instance normalisation, backward",
    "native_layer_norm": "layer normalisation",
    "native_layer_norm_backward": "layer normalisation, backward",
    "_softmax": "softmax",
    "_softmax_backward_data": "softmax, backward",
    "threshold_backward": "ReLU, backward",
    "clamp_min": "ReLU",
    "leaky_relu": "leaky ReLU",
    "leaky_relu_backward": "leaky ReLU, backward",
    "relu": "ReLU",
    "reflection_pad2d": "reflection padding",
    "reflection_pad2d_backward": "reflection padding, backward",
    "constant_pad_nd": "zero padding",
    "tanh_backward": "tanh, backward",
    "sigmoid_backward": "sigmoid, backward",
    "mul": "product",
    "add": "sum of two",
    "sub": "difference",
    "div": "quotient",
    "sum": "sum over an axis",
    "mean": "mean",
    "cat": "concatenation",
    "copy": "copy or conversion",
    "fill": "fill",
    "zero": "fill",
    "zeros": "fill",
    "_fused_adam": "Adam",
}
"""torch's name, without the namespace and a last underscore (in place) -> ours. Others keep torch's."""


BOOKKEEPING = "bookkeeping of autograd and optimiser"


class Event(NamedTuple):
    """What torch's profiler says of one operator."""

    name: str
    microseconds: float
    calls: int


def time_by_operator(step: Callable[[], object], device: torch.device) -> tuple[Operator, ...]:
    """The operators of one call of `step`, longest first; on a GPU, by the time of their kernels."""
    from torch.profiler import ProfilerActivity, profile

    activities = [ProfilerActivity.CPU]
    if device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities, acc_events=True) as profiler:
        step()
    return gathered(events_of(profiler.key_averages(), device))


def events_of(averages: Iterable[Any], device: torch.device) -> list[Event]:
    """The operators among the profiler's averages; kernels are left out, their operators have their time."""
    time = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
    return [
        Event(each.key, getattr(each, time), each.count)
        for each in averages
        if each.device_type == DeviceType.CPU
    ]


def gathered(events: Iterable[Event]) -> tuple[Operator, ...]:
    """Operators of one readable name put together, longest first, with their shares of all."""
    microseconds: dict[str, float] = defaultdict(float)
    calls: dict[str, int] = defaultdict(int)
    for event in events:
        microseconds[operator_name(event.name)] += event.microseconds
        calls[operator_name(event.name)] += event.calls
    total = sum(microseconds.values()) or 1.0
    longest = sorted(microseconds, key=lambda name: (-microseconds[name], name))
    return tuple(
        Operator(
            name=name, seconds=microseconds[name] / 1e6, share=microseconds[name] / total, calls=calls[name]
        )
        for name in longest
        if microseconds[name] > 0
    )


def operator_name(name: str) -> str:
    """`aten::leaky_relu_` -> `leaky ReLU`; an operator not listed keeps its name without underscores.

    What is no operator of torch's is the bookkeeping around them: autograd's nodes, the optimiser's loop.
    """
    namespace, _, plain = name.rpartition("::")
    if not namespace or namespace.startswith("autograd"):
        return BOOKKEEPING
    plain = plain.rstrip("_")
    return NAMES.get(plain, plain.strip("_").replace("_", " "))
