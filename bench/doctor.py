"""What this machine has and lacks for the benchmark, and the command that mends each lack."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.runs.environment import processor, versions

SHIPPED_NETWORKS = ("tiny", "squeezenet", "inception")
SMALLEST_FREE_GIB = 2.0


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `remedy` is a command or an instruction, empty where nothing is to be done."""

    subject: str
    fine: bool
    detail: str
    remedy: str = ""


def examine(runs: Path) -> list[Finding]:
    """Everything a run needs, in the order in which a run needs it."""
    return [*software(), *devices(), *feature_weights(), *data_sets(), disk(runs)]


def software() -> Iterator[Finding]:
    """Versions, and whether torch and torchvision belong together."""
    found = versions()
    yield Finding("versions", True, ", ".join(f"{name} {version}" for name, version in found.items()))
    try:
        import torchvision.ops  # noqa: F401  the import itself fails where the two builds do not match
    except (ImportError, RuntimeError) as error:
        remedy = "install both from the same index: pip install --force-reinstall torch torchvision"
        yield Finding("torchvision", False, f"does not fit the installed torch: {error}", remedy)


def devices() -> Iterator[Finding]:
    """The processor and every GPU that torch sees."""
    import torch

    yield Finding("cpu", True, f"{processor()}, torch uses {torch.get_num_threads()} threads")
    count = torch.cuda.device_count()
    for index in range(count):
        memory = torch.cuda.get_device_properties(index).total_memory / 2**30
        yield Finding(f"cuda:{index}", True, f"{torch.cuda.get_device_name(index)}, {memory:.0f} GiB")
    if not count:
        yield Finding(
            "gpu", True, "none seen by torch: runs use the CPU; the protocols smoke and small suit it"
        )


def feature_weights() -> Iterator[Finding]:
    """The weights of every feature network that ships."""
    from bench.scoring.networks import require_weights

    for name in SHIPPED_NETWORKS:
        try:
            require_weights(name, None)
        except BenchError as error:
            yield Finding(f"features {name}", False, "weights are not here", str(error))
        else:
            yield Finding(f"features {name}", True, "ready")


def data_sets() -> Iterator[Finding]:
    """Which data sets of the catalogue are on this machine."""
    from bench.data.catalogue import listing

    for row in listing():
        name = row["name"]
        if row["kind"] == "embedded":
            yield Finding(f"data {name}", True, "embedded")
        elif row["here"]:
            yield Finding(f"data {name}", True, str(row["path"]))
        else:
            yield Finding(f"data {name}", False, "not here", f"bench data get {name}")


def disk(runs: Path) -> Finding:
    """Room where the runs go."""
    folder = next(parent for parent in [runs.absolute(), *runs.absolute().parents] if parent.exists())
    free = shutil.disk_usage(folder).free / 2**30
    remedy = "" if free >= SMALLEST_FREE_GIB else "free some space, or choose another folder with --runs"
    return Finding("disk", free >= SMALLEST_FREE_GIB, f"{free:.1f} GiB free at {folder}", remedy)
