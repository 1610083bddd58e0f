"""`python -m bench.studies.worker`: executes one cell in a process of its own.

The order is one JSON line on stdin; messages are JSON lines on stdout; whatever else the cell prints goes to
stderr. SIGTERM, and the end of stdin when the driver dies, stop the cell at its next checkpoint.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import TextIO

from bench.errors import BenchError
from bench.runs.folder import FolderInUse
from bench.studies.orders import Message, Order, Outcome, Progress
from bench.threads import wait_without_stalling

SECONDS_BETWEEN_MESSAGES = 0.5


class Channel:
    """The way to the driver. A driver that is gone is no reason to fail: what is said then goes nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def tell(self, message: Message) -> None:
        """Send one message."""
        with contextlib.suppress(OSError):
            self._stream.write(message.model_dump_json() + "\n")
            self._stream.flush()


class ToldProgress:
    """A ProgressReport that sends messages, at most two a second and one for every end."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self._told = channel, 0.0
        self._state = Progress(task="starting", total=0, done=0, first=0)

    def start(self, task: str, total: int, done: int = 0) -> None:
        self._state = Progress(task=task, total=total, done=done, first=done)
        self._tell()

    def advance(self, units: int = 1, figures: str = "") -> None:
        changes: dict[str, object] = {"done": self._state.done + units}
        self._state = self._state.model_copy(update=changes | ({"figures": figures} if figures else {}))
        ended = self._state.done >= self._state.total
        if ended or time.monotonic() - self._told >= SECONDS_BETWEEN_MESSAGES:
            self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        self._channel.tell(self._state)


class StopBeforeWork:
    """Until the cell begins, a request to stop is only noted: an exception in an import could be lost."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = True

    def raise_from_now_on(self) -> None:
        """From now on a request raises KeyboardInterrupt, a past one at once; training notes it instead."""
        signal.signal(signal.SIGTERM, stop_now)
        if self.asked:
            raise KeyboardInterrupt


def stop_now(number: int, frame: FrameType | None) -> None:
    """The signal handler outside of the training."""
    raise KeyboardInterrupt


def stop_with_driver() -> None:
    """Ask this process to stop once its stdin ends, as it does when the driver is gone."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def work(order: Order, stop: StopBeforeWork, progress: ToldProgress) -> Outcome:
    """Execute the ordered cell; every way in which it can end is an Outcome."""
    try:
        import variants
        from bench.devices import resolve_device, use_threads
        from bench.studies.execute import Machine, execute

        for plugin in order.plugins:
            variants.load_plugin(plugin)
        threads = use_threads(order.threads)
        device = resolve_device(order.device)
        machine = Machine(device, threads, order.weights, order.skip_bad_images, order.execution)
        stop.raise_from_now_on()
        execute(order.cell(), order.runs, machine, progress)
    except FolderInUse as error:
        return Outcome(outcome="held", reason=str(error))
    except KeyboardInterrupt as error:
        return Outcome(outcome="stopped", reason=str(error))
    except BenchError as error:
        return Outcome(outcome="failed", reason=str(error))
    except Exception as error:
        return Outcome(outcome="failed", reason=f"{type(error).__name__}: {error}")
    return Outcome(outcome="done")


def main() -> None:
    """Take the order, execute it, say how it ended."""
    channel = Channel(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    wait_without_stalling()
    order = Order.model_validate_json(read_line())
    stop = StopBeforeWork()
    stop_with_driver()
    outcome = work(order, stop, ToldProgress(channel))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    channel.tell(outcome)
    sys.stdout.flush()


def read_line() -> bytes:
    """The first line of stdin, byte by byte, so that nothing after it is buffered away."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            sys.exit("bench.studies.worker: give an order as one JSON line on stdin")
        line += byte
    return line


if __name__ == "__main__":
    main()
