"""Counting the floating-point operations of whatever runs, real steps included."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


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
