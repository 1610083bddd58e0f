"""The machine and the software as they are now, for the record. Imports torch only when asked about it."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import bench
from bench.runs.record import Environment

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
