"""The cluster of the engine `ray`: reached in time, joined from a neutral folder, asked what it can hold.

Ray itself would wait without end, and without a word, for a cluster that is not there and for a node that
can hold what no node can.

`python -m bench.studies.engines.ray_cluster` joins a cluster in a process of its own and says how that went:
within Ray a driver that waits cannot be interrupted.
"""

import contextlib
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from bench.errors import BenchError, UsageError
from bench.protocol import Settings
from bench.workers import Channel, Worker, given_order, stop_with_giver

SECONDS_TO_CONNECT = 5.0
SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_TO_JOIN = 20.0
SECONDS_FOR_NODES = 5.0
"""For which nodes that are just joining a cluster are waited for."""
# Ray reads this when it is imported; with "0" its processes listen at 127.0.0.1 on every system, as they
# always do on Windows and macOS.
MORE_THAN_THIS_MACHINE = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
GIB = 1 << 30
FOLDERS = ("BENCH_DATA", "BENCH_CACHE", "BENCH_RUNS", "TORCH_HOME", "XDG_CACHE_HOME")
"""Variables that name a folder, by a path that may be meant from where the command was given."""
CARRIED = ("BENCH_", "TORCH_", "ATEN_", "ONEDNN_", "MKL_", "XDG_CACHE_HOME")
"""How variables begin that decide where a cell finds something, or how it computes."""
HOW_TO_ADDRESS = (
    "Give host:port as `ray start --head` prints it, auto for the cluster that this machine belongs to, or "
    "nothing for a cluster on this machine alone."
)

Needs = dict[str, float]
"""What Ray sets aside for a cell: CPU, GPU, memory in bytes."""


def import_ray() -> Any:
    """The ray package. Raises UsageError with the command that installs it."""
    try:
        import ray
        import ray.util.scheduling_strategies
    except ImportError:
        raise UsageError(
            "The engine ray needs the package ray. Install it: pip install 'bench-unpaired[ray]', "
            "or use --engine local"
        ) from None
    return ray


class Address(Settings):
    """To the process that joins a cluster for a try."""

    address: str


class JoinAttempt(Settings):
    """From it: ray is imported, the cluster was joined, or why it was not."""

    state: Literal["imported", "joined", "refused"]
    reason: str = ""


def refuse_unreachable(address: str) -> None:
    """Raise UsageError where no Ray cluster can be joined at `address`, within half a minute."""
    reason = join_for_a_try(address)
    if reason and address == "auto":
        raise UsageError(f"This machine belongs to no Ray cluster that answers: {reason}. {HOW_TO_ADDRESS}")
    if reason:
        raise UsageError(f"The Ray cluster at {address} cannot be joined: {reason}. {HOW_TO_ADDRESS}")


def refuse_silent(address: str) -> None:
    """Raise UsageError for what is no `host:port` nor `auto`, and where nobody accepts a connection."""
    if address == "auto":
        return
    if address.startswith("ray://"):
        raise UsageError(
            f"{address} is an address for Ray's client, which can execute no study. {HOW_TO_ADDRESS}"
        )
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise UsageError(f"{address!r} is no address of a Ray cluster. {HOW_TO_ADDRESS}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), SECONDS_TO_CONNECT).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"No Ray cluster answers at {address} ({reason}). {HOW_TO_ADDRESS}") from None


def join_for_a_try(address: str) -> str:
    """Why a cluster cannot be joined; empty where it can."""
    until = math.inf  # importing Ray may take its time, and ends
    with Worker("bench.studies.engines.ray_cluster") as worker:
        worker.give(Address(address=address))
        for line in worker.lines(SECONDS_BETWEEN_LOOKS):
            answer = JoinAttempt.model_validate_json(line) if line else None
            if answer is not None and answer.state != "imported":
                return answer.reason
            if answer is not None:
                until = time.monotonic() + SECONDS_TO_JOIN
            if time.monotonic() > until:
                return f"no answer within {SECONDS_TO_JOIN:g} seconds"
        return (worker.complaints() or [f"Ray ended with exit code {worker.wait()}"])[-1]


def join(ray: Any, address: str | None) -> None:
    """Join the cluster at `address`, or start one on this machine alone. Raises BenchError where that fails.

    The handler of SIGTERM, which Ray replaces, is put back. What Ray would print to stdout, of a lost node,
    is not: there JSON may be written.
    """
    before = signal.getsignal(signal.SIGTERM)
    with contextlib.suppress(AttributeError):  # there is no public switch
        ray._private.worker._worker_logs_enabled = False
    try:
        with contextlib.chdir(neutral_folder()):
            ray.init(address=address or "local", log_to_driver=False, configure_logging=False)
    except Exception as error:
        raise BenchError(f"Ray could not be started: {first_sentence(error)}.") from error
    finally:
        signal.signal(signal.SIGTERM, before)


def neutral_folder() -> Path:
    """A folder with nothing to import but bench, if need be: Ray has its workers import from the current
    folder before Python's own."""
    ours = Path(__file__).parents[2]
    program = "import bench; print(bench.__file__)"
    found = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)
    installed = found.stdout.strip() == str(ours / "__init__.py")
    return ours / "protocols" if installed else ours.parent


def first_sentence(error: Exception) -> str:
    """The first sentence of what an error says, else its name."""
    line = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return line.split(". ")[0].rstrip(".")


def nodes_of(ray: Any) -> list[Mapping[str, float]]:
    """What each living node has in all."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def cells_on(node: Mapping[str, float], needs: Needs) -> int:
    """How many cells a node can hold at a time."""
    room = [int(node.get(name, 0) / amount) for name, amount in needs.items() if amount]
    return min(room, default=1)


def refuse_what_no_node_holds(
    ray: Any, needs_of: Callable[[Sequence[Mapping[str, float]]], Needs], patient: bool
) -> None:
    """Raise UsageError where a cell is too large for every node; `patient`: others may be about to join."""
    until = time.monotonic() + (SECONDS_FOR_NODES if patient else 0)
    while True:
        nodes = nodes_of(ray)
        needs = needs_of(nodes)
        if any(cells_on(node, needs) for node in nodes):
            return
        if time.monotonic() >= until:
            have = "; ".join(dict.fromkeys(spelled_resources(node) for node in nodes))
            raise UsageError(
                f"No node of the Ray cluster can hold a cell, which wants {spelled_resources(needs)}: they "
                f"have {have}. Ask for less: --threads, or threads, gpus and memory_gib in the study's "
                "[engine]."
            )
        time.sleep(0.5)


def spelled_resources(resources: Mapping[str, float]) -> str:
    """`8 CPUs, 1 GPUs and 24 GiB`; of memory and GPUs nothing where there are none."""
    parts = [f"{resources.get('CPU', 0):g} CPUs"]
    if resources.get("GPU"):
        parts.append(f"{resources['GPU']:g} GPUs")
    if resources.get("memory"):
        parts.append(f"{resources['memory'] / GIB:.3g} GiB")
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def carried_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a worker on another machine, or of a cluster that was started elsewhere, is told of the command's
    environment; folders by their full path."""
    carried = {name: value for name, value in environment.items() if name.startswith(CARRIED) and value}
    for name in FOLDERS:
        if name in carried:
            carried[name] = str(Path(carried[name]).expanduser().absolute())
    return carried


def main() -> None:
    """Join the cluster for a try and say how that went."""
    channel = Channel()
    address = Address.model_validate_json(given_order()).address
    stop_with_giver()
    for answer in tried(address):
        channel.tell(answer)


def tried(address: str) -> Iterator[JoinAttempt]:
    """What there is to say while a cluster is joined."""
    ray = import_ray()
    yield JoinAttempt(state="imported")
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except Exception as error:
        yield JoinAttempt(state="refused", reason=first_sentence(error))
        return
    yield JoinAttempt(state="joined")
    os._exit(0)  # nothing is to be saved, and leaving a cluster takes its time


if __name__ == "__main__":
    main()
