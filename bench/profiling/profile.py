"""The process in which a measurement is made, a fresh one for each variant: its peak memory is its own.

`python -m bench.profiling.profile` measures one variant. The request is one JSON line on stdin; messages are
JSON lines on stdout, the last one a profile or a refusal. Whatever else is printed goes to stderr.
"""

import signal
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bench.errors import BenchError, UsageError
from bench.profiling.model import Profile, ProfileRequest
from bench.progress import ProgressReport
from bench.protocol import Settings
from bench.signals import wait_without_stalling
from bench.workers import Channel, Worker, given_order, stop_with_giver

PARTS_BESIDE_STEPS = 3
"""Warm-up, matrix peak and operators: the parts of a measurement beside every timed step."""


class Advance(Settings):
    """One more of the measurement's parts is done."""

    event: Literal["advance"] = "advance"
    part: str


class Refusal(Settings):
    """Why there is no profile."""

    event: Literal["refusal"] = "refusal"
    reason: str
    exit_code: int


Message = Annotated[Profile | Advance | Refusal, Field(discriminator="event")]
MESSAGE: TypeAdapter[Profile | Advance | Refusal] = TypeAdapter(Message)


LINES_OF_AN_ERROR = 5


def measure_fresh(requests: Sequence[ProfileRequest], progress: ProgressReport) -> list[Profile]:
    """The profile of every request. Raises BenchError, or UsageError, as the measurement of one does."""
    profiles = []
    for request in requests:
        progress.start(f"profiling {request.variant}", request.steps + PARTS_BESIDE_STEPS)
        profiles.append(ask_worker(request, progress))
    return profiles


def ask_worker(request: ProfileRequest, progress: ProgressReport) -> Profile:
    """Measure one variant in a process of its own."""
    last: Profile | Refusal | None = None
    with Worker("bench.profiling.profile") as worker:
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
    request: ProfileRequest, refusal: Refusal | None, status: int, complaints: Sequence[str]
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


def main() -> None:
    """Take the request, measure, answer."""
    channel = Channel()
    wait_without_stalling()
    request = ProfileRequest.model_validate_json(given_order())
    stop_with_giver()
    try:
        channel.tell(measured_here(request, lambda part: channel.tell(Advance(part=part))))
    except BenchError as error:
        channel.tell(Refusal(reason=str(error), exit_code=error.exit_code))


def measured_here(request: ProfileRequest, tell: Callable[[str], None]) -> Profile:
    """The profile, with the variants of plugin files known."""
    from bench.profiling.measure import measure
    from bench.registry import load_plugins

    load_plugins(request.plugins)
    return measure(request, tell)


if __name__ == "__main__":
    main()
