"""Attending a worker: start the process of a cell, pass its messages on, understand its end."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import IO

from bench.errors import BenchError
from bench.runs.folder import FolderInUse, RunFolder
from bench.studies.moment import now
from bench.studies.orders import MESSAGE, Message, Order, Outcome
from bench.studies.pipes import lines_of

SECONDS_BETWEEN_LOOKS = 0.2
Tell = Callable[[Message], None]


class Stop:
    """What the driver wants of a worker: go on, stop when everything is saved, or end at once."""

    def __init__(self) -> None:
        self.asked = False
        self.kill = False


def attend(
    order: Order, tell: Tell, stop: Stop, environment: dict[str, str], patience: float = SECONDS_BETWEEN_LOOKS
) -> Outcome:
    """Have `order` executed by a process of its own and return how it ended; `tell` hears of its progress.

    A process that was killed, by the system for want of memory or by anybody, is recorded as failed in the
    run folder. `stop` is looked at every `patience` seconds.
    """
    with tempfile.TemporaryFile() as errors, worker_process(errors, environment) as process:
        outcome = converse(process, order, tell, stop, patience)
        process.wait()
        if outcome is not None:
            return outcome
        if stop.kill:
            return Outcome(outcome="stopped", reason="Ended at once; it continues at its last checkpoint.")
        reason = cause_of_death(process.returncode, errors)
    record_death(order, reason)
    return Outcome(outcome="failed", reason=reason)


@contextlib.contextmanager
def worker_process(errors: IO[bytes], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a session of its own: Ctrl-C reaches the driver alone. It never outlives the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.studies.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None  # both were asked for
            with contextlib.suppress(OSError):
                pipe.close()
        process.wait()


def converse(
    process: subprocess.Popen[bytes], order: Order, tell: Tell, stop: Stop, patience: float
) -> Outcome | None:
    """Give the order, pass messages on, ask the worker to stop when wanted; None where it died silently."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(OSError):  # a worker that died at once is understood by its exit
        process.stdin.write(order.model_dump_json().encode() + b"\n")
        process.stdin.flush()
    asked = False
    for line in lines_of(process.stdout, patience):
        if stop.kill:
            process.kill()
        elif stop.asked and not asked:
            process.send_signal(signal.SIGTERM)
            asked = True
        if line is not None:
            message = MESSAGE.validate_json(line)
            if isinstance(message, Outcome):
                return message
            tell(message)
    return None


def cause_of_death(returncode: int, errors: IO[bytes]) -> str:
    """Why a worker ended without a word, from its exit status and the last line it printed."""
    if returncode < 0:
        name = signal.Signals(-returncode).name
        memory = " The system does that when memory runs out." if name == "SIGKILL" else ""
        return f"The worker was killed by {name}.{memory}"
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return f"The worker ended with exit code {returncode}: {lines[-1] if lines else 'it printed nothing'}"


def record_death(order: Order, reason: str) -> None:
    """Set the run of a dead worker to failed, unless another process has taken it up already."""
    folder = RunFolder(order.cell().folder(order.runs))
    if not folder.run_json.exists():
        return
    with contextlib.suppress(FolderInUse, BenchError), folder.locked():
        if folder.read().status == "running":
            folder.update(status="failed", reason=reason, finished=now())
