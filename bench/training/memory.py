"""Whether a training step fits in memory: what it needs, what there is, what to change where it does not."""

import copy
import itertools
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeCopyMode, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from bench.errors import BenchError
from bench.protocol import Protocol
from bench.streams import Streams
from bench.training.objective import Objective
from bench.training.schedule import StepStreams
from variants.contract import Generator, some_mask
from variants.parts.cost import weights_on

CONTROL_GROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


class Available(NamedTuple):
    """Bytes that may still be taken, and what sets the limit."""

    bytes: int
    where: str


def available_on(device: torch.device) -> Available:
    """What is free on a GPU; on a CPU what the machine has free, or what its control group leaves."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return Available(free + kept, torch.cuda.get_device_name(device))
    machine = Available(psutil.virtual_memory().available, "free on this machine")
    group = left_in_group(CONTROL_GROUPS, MEMBERSHIP)
    return machine if group is None else min(machine, Available(group, "left in this control group"))


def left_in_group(root: Path, membership: Path) -> int | None:
    """Bytes that the control groups of this process still allow, versions 1 and 2; None without a limit."""
    left = [each for folder in group_folders(root, membership) if (each := left_below(folder)) is not None]
    return min(left, default=None)


def group_folders(root: Path, membership: Path) -> Iterator[Path]:
    """Folders of the memory control groups that this process is in, from the innermost to the root's."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        top = root / "memory" if controllers else root
        inner = top / path.lstrip("/")
        while inner != top:
            yield inner
            inner = inner.parent
        yield top


def left_below(folder: Path) -> int | None:
    """Limit less use of one control group, the page cache not counted as use; None where it has no limit."""
    for limit, use in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        allowed, used = number_in(folder / limit), number_in(folder / use)
        if allowed is not None and used is not None:
            return max(0, allowed - used + reclaimable(folder / "memory.stat"))
    return None


def number_in(file: Path) -> int | None:
    """The number a file holds; None where it holds another word, such as `max`, or is not there."""
    try:
        return int(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def reclaimable(statistics: Path) -> int:
    """Bytes of cached files that the system gives up when memory is wanted."""
    try:
        lines = statistics.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    values: Mapping[str, str] = dict(line.split(maxsplit=1) for line in lines if " " in line)
    return int(values.get("total_inactive_file", values.get("inactive_file", 0)))


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


GIB = 2**30
PASSES = 16
"""Where there is room for so many passes of a generator, a step fits: objectives hold two to seven."""
ADAM = 4
"""Copies of the weights: themselves, their gradients and two moments."""
MEASURED = 1.5
"""Measured steps take up to this many times the simulated bytes (tests/bench/training/test_memory.py)."""


def refuse_steps_beyond_memory(objective: Objective, variant: str, protocol: Protocol) -> tuple[str, ...]:
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
        raise BenchError(does_not_fit(variant, needed, available, ways_to_save_memory(objective, protocol)))
    if MEASURED * needed > available.bytes:
        return (
            f"A step needs {memory_size(needed)} or more of memory; "
            f"{memory_size(available.bytes)} were available.",
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
        advice = "; ".join(ways_to_save_memory(objective, protocol))
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
        f"A training step of {variant} needs {memory_size(needed)} or more of memory; "
        f"{memory_size(available.bytes)} are available ({available.where}). "
        f"Less is needed with {'; '.join(ways)}."
    )


def ways_to_save_memory(objective: Objective, protocol: Protocol) -> list[str]:
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


def memory_size(count: float) -> str:
    """Bytes as `1.2 GiB`, or as `12 MiB` where they are few."""
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / 2**20:.0f} MiB"
