"""The same result every time, also on a GPU, at the price of slower algorithms.

On a CPU training gives the same result for the same seed without this; a GPU's quickest algorithms add up in
another order from run to run. torch raises an error where it has no deterministic algorithm for an operator.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from bench.errors import BenchError

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
DETERMINISTIC_WORKSPACE = ":4096:8"
NO_ALGORITHM = "does not have a deterministic implementation"


@contextmanager
def determinism(wanted: bool) -> Iterator[None]:
    """Within, and if `wanted`, nothing depends on the order in which threads come to add.

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
