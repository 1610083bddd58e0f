"""Ctrl-C and SIGTERM: the step at hand is finished and saved, then the run stops."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """The run was asked to stop and has saved everything; the same command continues it.

    A KeyboardInterrupt, so that no handler of errors takes it for a failure. `exit_code` is 128 + signal,
    as a shell reports it.
    """

    def __init__(self, received: signal.Signals, step: int, steps: int) -> None:
        super().__init__(
            f"Stopped by {received.name} after step {step} of {steps}; everything is saved. "
            "Repeat the command to continue."
        )
        self.exit_code = 128 + received.value


class StopRequest:
    """Whether somebody asked the run to stop, and by which signal."""

    received: signal.Signals | None = None

    def note(self, number: int, frame: FrameType | None) -> None:
        """The signal handler. A second signal does not wait for the step to end."""
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Within, SIGINT and SIGTERM are noted, not obeyed; outside the main thread nothing is changed."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {each: signal.signal(each, request.note) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
