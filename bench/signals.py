"""What a process of bench settles as it begins: which signals end it, and how its threads wait.

Ctrl-C and SIGTERM: where work may end anywhere they raise `Stopped`, where it may not they are noted.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

ASKING_TO_STOP = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """The process was asked to stop. A KeyboardInterrupt: no handler of errors takes it for a failure.

    `exit_code` is 128 + signal, as a shell reports it.
    """

    def __init__(self, received: int, told: str = "") -> None:
        super().__init__(told or f"stopped by {signal.Signals(received).name}")
        self.exit_code = 128 + received


def raise_stopped(number: int, frame: FrameType | None) -> None:
    """The signal handler of work that may end anywhere."""
    raise Stopped(number)


def end_when_asked() -> None:
    """From now on SIGINT and SIGTERM raise Stopped in the main thread, where they are not ignored."""
    for each in ASKING_TO_STOP:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, raise_stopped)


class StopRequest:
    """The signals that asked this process to stop, the first one first; none: go on."""

    def __init__(self, insisting: bool) -> None:
        self._insisting = insisting
        self.received: list[signal.Signals] = []

    @property
    def first(self) -> signal.Signals | None:
        """The signal that counts for the exit code."""
        return self.received[0] if self.received else None

    def note(self, number: int, frame: FrameType | None) -> None:
        """The signal handler. Where the second is insisting, it does not wait."""
        if self._insisting and self.received:
            raise Stopped(self.received[0])
        self.received.append(signal.Signals(number))


@contextlib.contextmanager
def stop_requests(insisting: bool) -> Iterator[StopRequest]:
    """Within, SIGINT and SIGTERM are noted, not obeyed; with `insisting` a second one raises Stopped.

    Outside the main thread nothing is changed.
    """
    request = StopRequest(insisting)
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {each: signal.signal(each, request.note) for each in ASKING_TO_STOP}
    try:
        yield request
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


SPINS = "20000"


def wait_without_stalling() -> None:
    """Let OpenMP threads that wait spin only briefly; call it before torch is imported.

    By default they spin for long, which stalls a run as soon as anything else wants the cores; without any
    spinning an idle machine loses time in waking them. Seconds of a `smoke` step of `slot9`, 2 threads, on 2
    idle / 2 busy cores: default 0.38 / 12, never spinning 0.53 / 0.6 to 1.9, this 0.27 / 0.8. What the user
    has set (GOMP_SPINCOUNT, OMP_WAIT_POLICY) is kept.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
