"""How much memory this process may still take: of the machine, of its control group, of the GPU."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import psutil
import torch

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
