"""Measuring variants one after another, each in a fresh process, so that the peak memory is its own."""

import signal
from collections.abc import Sequence

from bench.errors import BenchError, UsageError
from bench.profiling.profile import MESSAGE, PARTS_BESIDE_STEPS, Advance, Profile, Refusal, Request
from bench.progress import ProgressReport
from bench.workers import Worker

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
    with Worker("bench.profiling.worker") as worker:
        worker.give(request)
        for line in worker.lines():
            assert line is not None  # it is waited for without end
            message = MESSAGE.validate_json(line)
            if isinstance(message, Advance):
                progress.advance(1, message.part)
            else:
                last = message
        if isinstance(last, Profile):
            return last
        raise reason_of(request, last, worker.wait(), worker.complaints())


def reason_of(
    request: Request, refusal: Refusal | None, status: int, complaints: Sequence[str]
) -> BenchError:
    """Why a worker gave no profile."""
    if refusal is not None:
        return (UsageError if refusal.exit_code == UsageError.exit_code else BenchError)(refusal.reason)
    if status == -signal.SIGKILL:
        return BenchError(
            f"The step of {request.variant} was ended by the system, most likely for want of memory. "
            "Profile smaller images (--size), a smaller batch (--batch) or --precision bf16."
        )
    lines = "\n".join(complaints[-LINES_OF_AN_ERROR:])
    return BenchError(f"The step of {request.variant} could not be profiled:\n{lines}")
