"""How and with what a run is computed: choices of whoever starts it, device, threads, and the environment as
recorded.

Imports torch only when asked about it.
"""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import bench
from bench.errors import UsageError
from bench.protocol import Settings
from bench.runs.records import Environment


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
    trackers: tuple[str, ...] = ()
    """Names of what shows the run elsewhere while it is trained (bench.tracking): nothing of it changes."""


DEFAULT_EXECUTION = Execution()


MOST_THREADS = 2**10


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
    return "cpu" if device.type == "cpu" else asked


def use_threads(threads: int | None) -> int:
    """Make torch use this many CPU threads; None: as many as the process may use. Returns the number."""
    import torch

    count = threads if threads is not None else usable_cores()
    torch.set_num_threads(count)
    return count


RECORDED_PACKAGES = (
    "torch",
    "torchvision",
    "torchmetrics",
    "torch-fidelity",
    "numpy",
    "scipy",
    "pillow",
    "pydantic",
)


def describe_environment(device: str, threads: int) -> Environment:
    """Versions, commit, processor and accelerator of this process; `device` as torch names it."""
    commit, dirty = git_state(Path(bench.__file__).parent)
    device_name, driver = accelerator(device)
    return Environment(
        bench=bench.__version__,
        git_commit=commit,
        git_dirty=dirty,
        python=platform.python_version(),
        versions=versions(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        cpu=processor(),
        threads=threads,
        device=device,
        device_name=device_name,
        driver=driver,
    )


def versions() -> dict[str, str]:
    """Installed versions of the packages whose arithmetic a score may depend on."""
    found = {}
    for package in RECORDED_PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def git_state(folder: Path) -> tuple[str | None, bool | None]:
    """(commit, whether tracked files differ from it); (None, None) outside a checkout."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None, None
    return commit, bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def processor() -> str:
    """The processor's name as the system tells it, and the cores this process may use."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    return f"{name}, {usable_cores()} cores"


def usable_cores() -> int:
    """Cores this process may run on, which in a container or a job can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def accelerator(device: str) -> tuple[str | None, str | None]:
    """(name, CUDA version) of a CUDA device; (None, None) for the CPU."""
    if not device.startswith("cuda"):
        return None, None
    import torch

    return torch.cuda.get_device_name(device), f"CUDA {torch.version.cuda}"
