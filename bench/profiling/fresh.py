"""Measuring variants one after another, each in a fresh process, so that the peak memory is its own."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from bench.errors import BenchError, UsageError
from bench.profiling.profile import MESSAGE, PARTS_BESIDE_STEPS, Advance, Profile, Refusal, Request
from bench.progress import ProgressReport

LINES_OF_AN_ERROR = 5


def measure_fresh(requests: Sequence[Request], progress: ProgressReport) -> list[Profile]:
    """The profile of every request. Raises BenchError, or UsageError, as the measurement of one does."""
    profiles = []
    for request in requests:
        progress.start(f"profiling {request.variant}", request.steps + PARTS_BESIDE_STEPS)
        profiles.append(ask_worker(request, progress))
    return profiles


def ask_worker(request: Request, progress: ProgressReport) -> Profile:
    """Measure one variant in a process of its own."""
    last: Profile | Refusal | None = None
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        with working(complaints) as worker:
            assert worker.stdin is not None
            assert worker.stdout is not None
            worker.stdin.write(request.model_dump_json() + "\n")
            worker.stdin.close()
            for line in worker.stdout:
                message = MESSAGE.validate_json(line)
                if isinstance(message, Advance):
                    progress.advance(1, message.part)
                else:
                    last = message
        if isinstance(last, Profile):
            return last
        complaints.seek(0)
        raise reason_of(request, last, worker.returncode, complaints.read())


@contextmanager
def working(complaints: IO[str]) -> Iterator[subprocess.Popen[str]]:
    """A worker process; it ends with the block, however that ends."""
    command = [sys.executable, "-m", "bench.profiling.worker"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True
    ) as worker:
        try:
            yield worker
        except BaseException:
            worker.kill()
            raise


def reason_of(request: Request, refusal: Refusal | None, code: int, complaint: str) -> BenchError:
    """Why a worker gave no profile."""
    if refusal is not None:
        return (UsageError if refusal.exit_code == UsageError.exit_code else BenchError)(refusal.reason)
    if code == -signal.SIGKILL:
        return BenchError(
            f"The step of {request.variant} was ended by the system, most likely for want of memory. "
            "Profile smaller images (--size), a smaller batch (--batch) or --precision bf16."
        )
    lines = complaint.strip().splitlines()[-LINES_OF_AN_ERROR:]
    return BenchError(f"The step of {request.variant} could not be profiled:\n" + "\n".join(lines))
