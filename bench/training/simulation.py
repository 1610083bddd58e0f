"""How much memory a training step holds at most, found by doing it on tensors with shapes and no data."""

import copy
import itertools
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeCopyMode, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from bench.streams import Streams
from bench.training.objective import Objective
from bench.training.step_streams import StepStreams
from variants.contract import Generator, some_mask
from variants.cost import weights_on

MOMENTS = 2
"""Running means that Adam keeps of every gradient: made in the first step, held in all later ones."""


class BytesHeld(TorchDispatchMode):
    """While active, adds up the bytes of all results that are alive."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.most = 0
        self.made = 0
        """Bytes of everything made, alive or not."""
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        for each in tree_leaves(result):
            if isinstance(each, Tensor):
                self._note(each.untyped_storage())
        return result

    def _note(self, storage: torch.UntypedStorage) -> None:
        """Count a storage until nothing refers to it; views share theirs and count nothing."""
        if storage in self._known:
            return
        size = storage.nbytes()
        self._known.add(storage)
        weakref.finalize(storage, self._release, size)
        self.now += size
        self.made += size
        self.most = max(self.most, self.now)

    def _release(self, size: int) -> None:
        self.now -= size


def bytes_of_a_step(objective: Objective, batch: int, size: int) -> int:
    """Most bytes that tensors take at a time in a step of `objective` on images of `size` x `size`.

    Weights, gradients, Adam's moments, and whatever the way back needs. What an operator takes for itself and
    what the allocator leaves unused is not in it: measured steps take 1 to 1.5 times as much, beside some
    hundred MiB for the libraries' own code. Nothing is computed, and `objective` is left as it is.
    """
    networks = [*objective.generators.values(), *objective.discriminators.values()]
    held = [*itertools.chain.from_iterable((*each.parameters(), *each.buffers()) for each in networks)]
    weights = sum(each.nbytes for each in held)
    moments = MOMENTS * sum(each.nbytes for each in held if each.requires_grad)
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    with FakeCopyMode(fake):
        copied = copy.deepcopy(objective)
    with fake, BytesHeld() as count:
        shape = (batch, 3, size, size)
        images = {domain: torch.empty(shape, device=objective.device) for domain in "AB"}
        masks = some_masks(copied, images)
        copied.step(images | masks, StepStreams(Streams(0), 1))
    return weights + moments + bytes_averaged(objective) + count.most


def some_masks(objective: Objective, images: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Masks of no meaning for the images of a step, where the generators want some."""
    found = {f"mask_{domain}": some_mask(objective.generators["A2B"], images[domain]) for domain in "AB"}
    return {name: mask for name, mask in found.items() if mask is not None}


def bytes_averaged(objective: Objective) -> int:
    """Bytes of the moving averages of the generators."""
    if objective.settings.ema_half_life is None:
        return 0
    generators = objective.generators.values()
    return sum(each.nbytes for generator in generators for each in generator.state_dict().values())


def bytes_of_a_translation(generator: Generator, height: int, width: int) -> int:
    """Most bytes that tensors take at a time while one image is translated, its weights not counted.

    As `bytes_of_a_step`, without a way back: nothing is computed, and what is really taken is more.
    """
    device = next(generator.parameters(), torch.empty(0)).device
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    with FakeCopyMode(fake):
        copied = copy.deepcopy(generator)
    with fake, BytesHeld() as count, torch.no_grad():
        shape = generator.noise_shape
        noise = None if shape is None else torch.empty(1, *shape, device=device)
        image = torch.empty(1, 3, height, width, device=device)
        copied(image, noise, some_mask(copied, image))
    return count.most


def bytes_of_a_pass(objective: Objective, batch: int, size: int) -> int:
    """Bytes of all that a pass of one generator makes, whether it is kept or not; a moment's work.

    On the meta device and in float32: no less than what the pass holds at any time.
    """
    generator = objective.generators["A2B"]
    image = torch.empty(batch, 3, size, size, device="meta")
    shape = generator.noise_shape
    noise = None if shape is None else torch.empty(batch, *shape, device="meta")
    with BytesHeld() as count, torch.no_grad():
        torch.func.functional_call(
            generator, weights_on(generator, "meta"), (image, noise, some_mask(generator, image))
        )
    return count.made
